"""Rooms on real ports, for a browser to come."""

from tests.issuance.conftest import clock, database, house
from tests.reporting.conftest import drawing, reporting

__all__ = ["clock", "database", "drawing", "house", "reporting"]
