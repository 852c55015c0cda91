"""Which business day it is."""

from datetime import date, datetime

from shared.calendar import FiscalYear, business_date


def business_day(now: datetime) -> date:
    """The date in Japan; under a replayed clock that has not begun, the first that counts."""
    return max(business_date(now), FiscalYear(1).first)
