"""Which seats a freed one makes, and which days can be waited for."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain.waitlist import WishRefused, check_days, openings, with_freed
from tests.reservation.support import THURSDAY, tokyo

NINE = tokyo(THURSDAY, 9)
CELLS = [NINE + timedelta(minutes=10 * number) for number in range(8)]
days = st.dates(date(2026, 4, 1), date(2026, 4, 10))


def test_a_freed_seat_is_offered_from_its_own_start() -> None:
    now_free = dict(zip(CELLS, (1, 1, 1, 1, 0, 0), strict=False))
    assert openings(now_free, CELLS[:2], [20], 10) == [NINE]


def test_a_party_needs_its_seats_in_every_cell() -> None:
    now_free = dict(zip(CELLS, (2, 1, 2, 2), strict=False))
    assert openings(now_free, CELLS[:2], [20, 20], 10) == []
    now_free[CELLS[1]] = 2
    assert openings(now_free, CELLS[:2], [20, 20], 10) == [NINE]


def test_a_shorter_visit_may_begin_at_any_freed_cell() -> None:
    now_free = dict(zip(CELLS, (1, 1, 1, 0), strict=False))
    assert openings(now_free, CELLS[:3], [10], 10) == CELLS[:3]


@given(seats=st.lists(st.integers(0, 2), min_size=8, max_size=8), first=st.integers(0, 6))
def test_whatever_is_offered_uses_freed_seats_and_fits(seats: list[int], first: int) -> None:
    now_free = dict(zip(CELLS, seats, strict=True))
    freed = CELLS[first : first + 2]
    for at in openings(now_free, freed, [20], 10):
        taken = [at, at + timedelta(minutes=10)]
        assert all(now_free.get(cell, 0) >= 1 for cell in taken)
        assert set(taken) & set(freed)


def test_seats_are_counted_once_and_shares_are_left() -> None:
    now_free, freed = dict.fromkeys(CELLS[:2], 1), {CELLS[0]: 1}
    assert list(with_freed(now_free, freed, kept=0, already=False).values()) == [2, 1]
    assert list(with_freed(now_free, freed, kept=0, already=True).values()) == [1, 1]
    assert list(with_freed(now_free, freed, kept=1, already=False).values()) == [1, 0]


@given(first=days, last=days)
def test_some_day_can_be_booked_or_the_wish_is_refused(first: date, last: date) -> None:
    opens, closes = date(2026, 4, 3), date(2026, 4, 7)
    possible = first <= last and last >= opens and first <= closes
    if possible:
        check_days(first, last, opens, closes)
    else:
        with pytest.raises(WishRefused):
            check_days(first, last, opens, closes)
