"""The issuance room."""
