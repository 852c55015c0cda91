"""Each free seat is given once, to who was invited first; desks are staffed by what is known."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preparation.domain.desks import DEFAULT_MINUTES, Desk, Desks, Extra, Period
from services.preparation.domain.flow import Notified
from services.preparation.domain.seating import SeatDay, Seating, SeatSource
from services.preparation.domain.staffing import Basis, staffed
from services.preparation.domain.working_days import WorkingDays
from shared.calendar import BusinessCalendar
from shared.ids import SiteId, WardCode

TUESDAY = date(2026, 4, 14)
WORKING = WorkingDays(BusinessCalendar(), date(2026, 4, 1), date(2026, 6, 30))
A, B = WardCode("141313"), WardCode("141321")


def days(*seats: tuple[int, int]) -> list[SeatDay]:
    """Days from Wednesday on, each with free and total seats."""
    return [SeatDay(TUESDAY + timedelta(days=n), *s) for n, s in enumerate(seats, start=1)]


def invited(ward: WardCode, cards: float, on: date = TUESDAY) -> Notified:
    """Cards received on the day of their notice."""
    return Notified(ward, on, on, cards)


def test_the_first_invited_have_the_first_seats() -> None:
    office = SeatSource(SiteId("a"), frozenset({A}), days((0, 9), (3, 9), (9, 9)))
    seated = Seating([office], WORKING).seat([invited(A, 2), invited(A, 3)])
    assert [(one.on, one.cards) for one in seated] == [
        (date(2026, 4, 16), 2),
        (date(2026, 4, 16), 1),
        (date(2026, 4, 17), 2),
    ]


def test_nobody_sits_where_the_ward_is_not_served() -> None:
    office = SeatSource(SiteId("a"), frozenset({A}), days((9, 9)))
    center = SeatSource(SiteId("c"), None, days((0, 9), (9, 9)))
    (seated,) = Seating([office, center], WORKING).seat([invited(B, 2)])
    assert seated.on == date(2026, 4, 16)


def test_without_any_seats_known_the_next_business_day() -> None:
    friday = date(2026, 4, 17)
    (seated,) = Seating([], WORKING).seat([invited(A, 5, friday)])
    assert seated.on == date(2026, 4, 20)


def test_behind_what_is_published_weeks_are_taken_to_be_alike() -> None:
    office = SeatSource(
        SiteId("a"), None, days((0, 4), (0, 2), (0, 0), (0, 0), (0, 0), (0, 6), (0, 5))
    )
    seated = Seating([office], WORKING).seat([invited(A, 7)])
    wednesday = TUESDAY + timedelta(days=8)
    assert [(one.on, one.cards) for one in seated] == [
        (wednesday, 4),
        (wednesday + timedelta(days=1), 2),
        (wednesday + timedelta(days=5), 1),
    ]


@given(
    free=st.lists(st.integers(0, 9), min_size=1, max_size=20),
    groups=st.lists(st.tuples(st.sampled_from([A, B]), st.integers(1, 20), st.integers(0, 9))),
)
def test_no_seat_is_given_twice_and_nobody_is_lost(
    free: list[int], groups: list[tuple[WardCode, int, int]]
) -> None:
    sources = [
        SeatSource(SiteId("a"), frozenset({A}), days(*((n, n) for n in free))),
        SeatSource(SiteId("c"), None, days(*((n // 2, n // 2) for n in free))),
    ]
    wanted = sorted(
        (invited(ward, cards, TUESDAY + timedelta(days=n)) for ward, cards, n in groups),
        key=lambda one: one.on,
    )
    seated = Seating(sources, WORKING).seat(wanted)
    assert sum(one.cards for one in seated) == pytest.approx(sum(one.cards for one in wanted))
    for number, seats in enumerate(free, start=1):
        day = TUESDAY + timedelta(days=number)
        here = [one for one in seated if one.on == day]
        assert sum(one.cards for one in here) <= seats + seats // 2 + 1e-6
        assert sum(one.cards for one in here if one.ward == B) <= seats // 2 + 1e-6
    assert all(one.on is None or one.on > one.received_on for one in seated)


def test_people_are_as_planned_and_else_as_measured_on_busy_days() -> None:
    planned = [Period(Desk.PRESET, TUESDAY, 2)]
    done = {Desk.INSPECTED: [900] * 8 + [450] * 12, Desk.PRESET: [9999]}
    found = staffed(DEFAULT_MINUTES, 450, planned, done, TUESDAY)
    assert found.desks.people(Desk.INSPECTED, TUESDAY) == 2
    assert found.desks.people(Desk.PRESET, TUESDAY) == 2
    assert found.desks.capacity(Desk.PRESET, TUESDAY) == 225
    assert found.basis[Desk.PRESET] is Basis.PLANNED
    assert found.basis[Desk.INSPECTED] is Basis.MEASURED
    assert found.basis[Desk.NOTIFIED] is Basis.ASSUMED


def test_periods_follow_each_other_and_extras_come_and_go() -> None:
    later = TUESDAY + timedelta(days=7)
    desks = Desks(
        DEFAULT_MINUTES, 450, [Period(Desk.PRESET, later, 5), Period(Desk.PRESET, TUESDAY, 2)]
    )
    assert [desks.people(Desk.PRESET, day) for day in (TUESDAY, later)] == [2, 5]
    more = desks.with_extra(Extra(Desk.PRESET, -3, TUESDAY, TUESDAY))
    assert [more.people(Desk.PRESET, day) for day in (TUESDAY, later)] == [0, 5]
