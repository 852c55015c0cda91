"""The reservation room."""
