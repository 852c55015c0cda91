"""The room over HTTP: reports for staff, one page for everybody."""

from services.reporting.api.app import build

__all__ = ["build"]
