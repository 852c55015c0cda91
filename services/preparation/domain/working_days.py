"""Business days as numbers, so that thousands of spans cost a subtraction each."""

from bisect import bisect_right
from datetime import date, timedelta

from shared.calendar import BusinessCalendar


class WorkingDays:
    """The business days from ``first`` to ``last``; days outside are not known to it."""

    def __init__(self, calendar: BusinessCalendar, first: date, last: date) -> None:
        self.first, self.last = first, last
        self.days = tuple(calendar.business_days(first, last))

    def between(self, start: date, end: date) -> int:
        """How many lie after ``start`` up to and including ``end``; 0 where ``end`` is before.

        Raises ``ValueError`` for a day that is not covered.
        """
        if not (self.first <= start <= self.last and self.first <= end <= self.last):
            raise ValueError("a day outside the working days that were asked for")
        return max(0, bisect_right(self.days, end) - bisect_right(self.days, start))

    def after(self, day: date) -> date:
        """The first business day after ``day``; ``ValueError`` where it is not covered."""
        number = bisect_right(self.days, day)
        if number == len(self.days):
            raise ValueError("a day outside the working days that were asked for")
        return self.days[number]

    def from_on(self, day: date) -> tuple[date, ...]:
        """The business days from ``day`` on, itself included where it is one."""
        return self.days[bisect_right(self.days, day - timedelta(days=1)) :]


def week_of(day: date) -> date:
    """The Monday of the week of ``day``."""
    return day - timedelta(days=day.weekday())
