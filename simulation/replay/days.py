"""Business days, counted: which lies how many before or after another, without asking each time.

A city that acts every so many business days only knows these: a span then counts them.
"""

from bisect import bisect_right
from datetime import date, timedelta

from shared.calendar import BusinessCalendar


class BusinessDays:
    """The business days from one date to another, or each ``every``-th of them, by number."""

    def __init__(
        self, calendar: BusinessCalendar, first: date, last: date, *, every: int = 1
    ) -> None:
        self._days = calendar.business_days(first, last)[::every]

    def number(self, day: date) -> int:
        """The number of ``day``, or of the last business day before it."""
        return bisect_right(self._days, day) - 1

    def __getitem__(self, number: int) -> date:
        if number < 0:
            raise IndexError("before the first business day")
        return self._days[number]

    def __contains__(self, day: date) -> bool:
        number = self.number(day)
        return number >= 0 and self._days[number] == day

    def before(self, day: date, count: int) -> date:
        """The business day ``count`` before ``day`` (before the last one until it)."""
        return self[self.number(day) - count]

    def after(self, day: date) -> date:
        """The first one after ``day``."""
        return self[self.number(day) + 1]


def month_end(first: date) -> date:
    """The last day of the month that begins on ``first``."""
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
