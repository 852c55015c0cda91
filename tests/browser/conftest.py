"""Rooms on real ports, for a browser to come."""

from tests.issuance.conftest import clock, database, house
from tests.reporting.conftest import reporting

__all__ = ["clock", "database", "house", "reporting"]
