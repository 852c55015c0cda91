"""The grid of seats: capacity, starts, and how many fit."""

from datetime import date, datetime, time, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain.cells import (
    by_day,
    capacities,
    cell_starts,
    minutes_by_hour,
    seats,
    starts,
)
from shared.contracts.place import OpeningHours, Staffing, Weekday
from tests.reservation.support import CALENDAR, THURSDAY, TODAY, make_site, tokyo

NINE = tokyo(THURSDAY, 9)
MONDAY_HOURS = (OpeningHours(weekday=Weekday.MONDAY, opens=time(9), closes=time(12)),)


def grid(*free: int) -> dict[datetime, int]:
    """Cells from nine o'clock with these free seats."""
    return {NINE + timedelta(minutes=10 * number): seats for number, seats in enumerate(free)}


def test_capacity_is_the_least_of_counters_terminals_and_staff() -> None:
    staff = (
        Staffing(weekday=Weekday.THURSDAY, starts=time(9), ends=time(11), people=2),
        Staffing(weekday=Weekday.THURSDAY, starts=time(10), ends=time(12), people=2),
    )
    site = make_site(counters=5, terminals=3, staff=staff)
    made = capacities(site, THURSDAY, THURSDAY, CALENDAR, 10)
    assert [made[tokyo(THURSDAY, hour)] for hour in (9, 10, 11)] == [2, 3, 2]
    assert len(made) == 18


def test_without_a_staff_plan_counters_and_terminals_decide() -> None:
    made = capacities(make_site(counters=5, terminals=3), TODAY, TODAY, CALENDAR, 10)
    assert set(made.values()) == {3}


def test_a_visit_ends_before_the_site_closes() -> None:
    free = capacities(make_site(), THURSDAY, THURSDAY, CALENDAR, 10)
    found = starts(free, 2, 10)
    assert found[0].starts_at == NINE
    assert found[-1].starts_at == tokyo(THURSDAY, 11, 40)


def test_a_start_is_as_free_as_its_fullest_cell() -> None:
    found = [(start.starts_at, start.free) for start in starts(grid(3, 1, 2, 0, 4), 2, 10)]
    assert found == [(NINE, 1), (NINE + timedelta(minutes=10), 1)]
    assert starts(grid(3, 1, 2), 2, 10, party=2) == []


def test_seats_do_not_span_a_break() -> None:
    broken = {NINE: 1, NINE + timedelta(minutes=20): 1}
    assert starts(broken, 2, 10) == []
    assert seats(((540, 1), (560, 1)), 2, 10) == 0


def test_cells_are_grouped_by_the_date_in_tokyo() -> None:
    midnight = tokyo(THURSDAY, 0)
    before = midnight - timedelta(minutes=10)
    assert by_day({midnight: 1, before: 2}) == {TODAY: {before: 2}, THURSDAY: {midnight: 1}}


def test_hours_to_midnight_make_cells_to_midnight() -> None:
    hours = (OpeningHours(weekday=Weekday.THURSDAY, opens=time(23), closes=time(23, 50)),)
    staff = (Staffing(weekday=Weekday.THURSDAY, starts=time(0), ends=time(23, 50), people=1),)
    made = capacities(make_site(hours=hours, staff=staff), THURSDAY, THURSDAY, CALENDAR, 10)
    assert len(made) == 5


@given(st.lists(st.integers(0, 3), max_size=6), st.integers(1, 3))
def test_as_many_seats_as_the_best_way_to_fill_the_day(free: list[int], count: int) -> None:
    @cache
    def best(left: tuple[int, ...]) -> int:
        options = [
            1 + best(tuple(n - (at <= i < at + count) for i, n in enumerate(left)))
            for at in range(len(left) - count + 1)
            if min(left[at : at + count]) > 0
        ]
        return max(options, default=0)

    shape = tuple((10 * number, seats) for number, seats in enumerate(free))
    assert seats(shape, count, 10) == best(tuple(free))


@given(st.lists(st.integers(0, 5), max_size=20), st.integers(1, 4), st.integers(1, 4))
def test_what_is_offered_can_be_taken(free: list[int], count: int, party: int) -> None:
    cells = grid(*free)
    for start in starts(cells, count, 10, party):
        assert start.free >= party
        needed = cell_starts(start.starts_at, count, 10)
        assert all(cells[cell] >= start.free for cell in needed)


@given(
    st.dates(date(2026, 4, 1), date(2027, 12, 31)),
    st.integers(0, 13),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_cells_lie_within_hours_and_never_beyond_the_places(
    first: date, days: int, counters: int, terminals: int
) -> None:
    site = make_site(counters=counters, terminals=terminals, hours=MONDAY_HOURS)
    made = capacities(site, first, first + timedelta(days=days), CALENDAR, 10)
    for at, capacity in made.items():
        local = at + timedelta(hours=9)
        assert local.weekday() == 0
        assert time(9) <= local.time() < time(12)
        assert 0 < capacity <= min(counters, terminals)
        assert first <= local.date() <= first + timedelta(days=days)


@pytest.mark.parametrize(("count", "last"), [(1, 0), (2, 10), (6, 50)])
def test_the_cells_of_a_visit_are_consecutive(count: int, last: int) -> None:
    assert cell_starts(NINE, count, 10)[-1] == NINE + timedelta(minutes=last)


def test_minutes_lie_in_the_hours_of_their_cells() -> None:
    shape = ((510, 2), (520, 2), (540, 1), (550, 3), (560, 3))
    assert minutes_by_hour(shape, 2, 10) == (8, [40, 60])
    assert minutes_by_hour(((525, 1),), 1, 30) == (8, [15, 15])
    assert minutes_by_hour(((540, 1),), 2, 10) == (None, [])


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(1, 3), st.sampled_from((5, 10, 45)))
def test_the_hours_of_a_day_are_the_minutes_of_its_seats(
    free: list[int], count: int, length: int
) -> None:
    shape = tuple((500 + length * number, seats) for number, seats in enumerate(free))
    first, hours = minutes_by_hour(shape, count, length)
    assert sum(hours) == seats(shape, count, length) * count * length
    assert (first is None) == (not hours)
