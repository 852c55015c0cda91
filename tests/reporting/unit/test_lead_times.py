"""Percentiles of business days, by their definition."""

from collections import Counter
from datetime import date, timedelta
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.lead_times import (
    BusinessDays,
    Passage,
    Span,
    lead_times,
    percentile,
)
from shared.calendar import BusinessCalendar

CALENDAR = BusinessCalendar()
DAYS = st.integers(0, 200).map(lambda days: date(2026, 1, 1) + timedelta(days=days))


@given(st.lists(st.integers(0, 60), min_size=1), st.sampled_from([0.5, 0.9, 1.0]))
def test_nearest_rank(values: list[int], share: float) -> None:
    assert percentile(Counter(values), share) == sorted(values)[ceil(share * len(values)) - 1]


@given(DAYS, DAYS)
def test_business_days_are_the_calendar_s(one: date, other: date) -> None:
    start, end = min(one, other), max(one, other)
    days = BusinessDays(CALENDAR, date(2026, 1, 1), date(2026, 12, 31))
    assert days.between(start, end) == CALENDAR.business_days_between(start, end)


def test_weekends_do_not_count_and_wards_add_up() -> None:
    friday, monday = date(2026, 7, 10), date(2026, 7, 13)
    found = lead_times(
        [
            Passage(Span.PRESET, "141313", friday, monday, 3),
            Passage(Span.PRESET, "141321", friday, friday, 1),
            Passage(Span.NOTICE, None, friday, monday, 1),
        ],
        CALENDAR,
    )
    shown = [(f.span, f.part, f.cases, f.p50, f.p90, f.p50_days) for f in found]
    assert shown == [
        (Span.PRESET, None, 4, 1, 1, 3),
        (Span.PRESET, "141313", 3, 1, 1, 3),
        (Span.PRESET, "141321", 1, 0, 0, 0),
        (Span.NOTICE, None, 1, 1, 1, 3),
    ]
    assert lead_times([], CALENDAR) == []
