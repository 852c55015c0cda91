"""A room on a real port, for a browser to come."""

from tests.reporting.conftest import reporting

__all__ = ["reporting"]
