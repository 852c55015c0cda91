"""Which month was counted in part, because the city went live in it."""

from datetime import date

import pytest

from services.reporting.domain.going_live import month_in_part
from shared.calendar import BusinessCalendar

CALENDAR = BusinessCalendar()


@pytest.mark.parametrize(
    ("first", "is_whole"),
    [
        (date(2026, 4, 1), True),
        (date(2026, 4, 2), False),
        (date(2026, 8, 3), True),  # a Monday
        (date(2026, 8, 1), True),  # the Saturday before it
        (date(2026, 1, 5), True),  # closed until the 3rd, a Saturday
        (date(2026, 1, 6), False),
        (date(2027, 5, 6), True),  # a weekend and three holidays before
    ],
)
def test_a_month_is_whole_where_no_business_day_passed(first: date, is_whole: bool) -> None:
    assert month_in_part(first, CALENDAR) == (None if is_whole else first.replace(day=1))


def test_before_anything_was_completed_no_month_is_in_part() -> None:
    assert month_in_part(None, CALENDAR) is None
