"""The month in which the city went live: counted in part, so it is compared with no whole month.

Nothing tells that day; what was completed first does. A month in which business days had passed by
then is in part only. One that began with it, or before the first business day, is whole.
"""

from datetime import date, timedelta

from shared.calendar import BusinessCalendar


def month_in_part(first: date | None, calendar: BusinessCalendar) -> date | None:
    """The month that ``first``, the day of the first completion of all, leaves in part; None where
    it is whole, or nothing was completed yet."""
    if first is None:
        return None
    month = first.replace(day=1)
    return month if calendar.business_days(month, first - timedelta(days=1)) else None
