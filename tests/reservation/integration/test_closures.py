"""A site that closes or shrinks finds another seat for everybody before it takes one away."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import pytest

from services.reservation.domain.booking import (
    ChangeTooLate,
    NoSuchSlot,
    SiteDoesNotAccept,
    SlotTaken,
)
from services.reservation.domain.closure import (
    AlreadyAnswered,
    Answer,
    ClosureRunning,
    ClosureState,
    LastDayRefused,
)
from services.reservation.handlers import (
    bookings,
    closing,
    daily,
    moves,
    offering,
    site_life,
    sites,
)
from services.reservation.handlers.answers import Said
from services.reservation.handlers.calendar import BookingsInTheWay
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, SiteState
from shared.db import Database
from shared.ids import SiteId
from shared.security.principal import Principal
from tests.reservation.life import (
    ROOM,
    SUPERVISOR,
    answer,
    book,
    change,
    kept,
    named,
    progress,
    reachable,
    seats,
    standing,
    wind_down,
    work,
)
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    OTHER_WARD,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    TODAY,
    case,
    citizen,
    counts,
    events_of,
    invite,
    make_site,
    open_site,
    tokyo,
    types,
    units,
)

NEXT_WEEK = date(2026, 4, 9)
FAR = SiteId("far-away")
A, B, C, D = (case(name) for name in "abcd")


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A site, another near by, and one far away; four cases."""
    database = await room_database("reservation")
    await open_site(database)
    await open_site(database, make_site(OTHER_SITE, latitude=35.51))
    await open_site(database, make_site(FAR, latitude=36.5))
    await invite(database, A, B, C, D)
    return database


async def test_a_site_that_winds_down_sells_and_serves_to_its_last_day(room: Database) -> None:
    await book(room, A, at=tokyo(THURSDAY, 9))
    await wind_down(room)
    await book(room, B, at=tokyo(FRIDAY, 9))
    with pytest.raises(NoSuchSlot):
        await book(room, C, at=tokyo(NEXT_WEEK, 9))
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert standing(await progress(room)) == {}
    assert await seats(room, [A, B]) == [(SITE, tokyo(THURSDAY, 9)), (SITE, tokyo(FRIDAY, 9))]
    assert "site.closed.v1" not in await events_of(room, SITE)
    clock.advance(timedelta(days=3))
    await work(room, clock)
    assert types(await events_of(room, SITE), "site.") == [
        "site.planned.v1",
        "site.opened.v1",
        "site.wind_down_started.v1",
        "site.closed.v1",
    ]
    assert (await progress(room)).closure.state is ClosureState.DONE


async def test_its_planner_may_stop_selling_at_once(room: Database) -> None:
    await book(room, A, at=tokyo(THURSDAY, 9))
    await wind_down(room, selling=False)
    with pytest.raises(SiteDoesNotAccept):
        await book(room, B, at=tokyo(FRIDAY, 9))
    await work(room, FixedClock(MORNING))
    assert standing(await progress(room)) == {}
    assert await seats(room, [A]) == [(SITE, tokyo(THURSDAY, 9))]


async def test_whoever_comes_later_is_offered_the_nearest_seat_and_is_asked(
    room: Database,
) -> None:
    at = tokyo(NEXT_WEEK, 9)
    party = await book(room, A, B, at=at)
    await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert standing(await progress(room)) == {"phone_list": 2}
    assert await seats(room, [A, B]) == [(SITE, at), (SITE, at)]
    assert await kept(room) == {(OTHER_SITE, at)}
    await answer(room, party[0], Said(Answer.ACCEPT), clock, citizen(A, B))
    assert await seats(room, [A, B]) == [(OTHER_SITE, at)] * 2
    assert types(await events_of(room, A), "booking.") == [
        "booking.confirmed.v1",
        "booking.moved.v1",
    ]
    assert standing(await progress(room)) == {"moved": 2}
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_one_of_a_party_may_answer_for_themselves_alone(room: Database) -> None:
    at = tokyo(NEXT_WEEK, 9)
    first, second = await book(room, A, B, at=at)
    await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    await answer(room, first, Said(Answer.ACCEPT), clock, citizen(A))
    assert await seats(room, [A, B]) == [(OTHER_SITE, at), (SITE, at)]
    await answer(room, second, Said(Answer.CANCEL), clock, citizen(B))
    assert standing(await progress(room)) == {"moved": 1, "cancelled": 1}
    assert await kept(room) == set()
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_whoever_chooses_gets_that_seat_and_the_kept_one_is_free_again(
    room: Database,
) -> None:
    (booking,) = await book(room, A, at=tokyo(NEXT_WEEK, 9))
    await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    said = Said(Answer.CHOOSE, FAR, tokyo(NEXT_WEEK, 11))
    await answer(room, booking, said, clock, SUPERVISOR)
    assert await seats(room, [A]) == [(FAR, tokyo(NEXT_WEEK, 11))]
    assert standing(await progress(room)) == {"chosen": 1}
    assert await kept(room) == set()
    with pytest.raises(AlreadyAnswered):
        await answer(room, booking, Said(Answer.ACCEPT), clock, citizen(A))


async def test_moving_or_cancelling_the_booking_is_an_answer_too(room: Database) -> None:
    (mover,) = await book(room, A, at=tokyo(NEXT_WEEK, 9))
    (leaver,) = await book(room, B, at=tokyo(NEXT_WEEK, 9))
    await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    async with units(room, clock).begin(citizen(B)) as unit:
        await bookings.cancel(unit, leaver.booking_id, RULES, lambda _: None)
    async with units(room, clock).begin(citizen(A)) as unit:
        target = moves.Target(FAR, tokyo(NEXT_WEEK, 10))
        await moves.move(unit, mover.booking_id, target, RULES, lambda _: None)
    clock.advance(closing.LOOK_EVERY)
    await work(room, clock)
    assert standing(await progress(room)) == {"chosen": 1, "cancelled": 1}
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_whoever_does_not_answer_has_the_other_seat_and_is_called(room: Database) -> None:
    await book(room, A, at=tokyo(NEXT_WEEK, 9))
    await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    clock.advance(timedelta(days=RULES.answer_days))
    await work(room, clock)
    assert await seats(room, [A]) == [(OTHER_SITE, tokyo(NEXT_WEEK, 9))]
    found = await progress(room)
    assert standing(found) == {"phone_list": 1}
    assert found.closure.state is ClosureState.DONE
    async with room.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM phone_entry") > 0
    (booking,) = await named(room, A)
    await answer(room, booking, Said(Answer.ACCEPT), clock, SUPERVISOR)
    assert standing(await progress(room)) == {"moved": 1}


async def test_once_moved_by_the_city_the_ordinary_deadline_holds(room: Database) -> None:
    await book(room, A, at=tokyo(NEXT_WEEK, 9))
    await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    clock.advance(timedelta(days=RULES.answer_days))
    await work(room, clock)
    (booking,) = await named(room, A)
    clock = FixedClock(tokyo(NEXT_WEEK, 8))
    with pytest.raises(ChangeTooLate):
        await answer(room, booking, Said(Answer.CANCEL), clock, citizen(A))
    await answer(room, booking, Said(Answer.CANCEL), clock, SUPERVISOR)
    assert standing(await progress(room)) == {"cancelled": 1}


async def test_nobody_is_reminded_of_a_visit_that_cannot_be(room: Database) -> None:
    await book(room, A, at=tokyo(NEXT_WEEK, 9))
    await reachable(room, A)
    await wind_down(room, date(2026, 4, 7))
    clock = FixedClock(tokyo(date(2026, 4, 8), 10))
    await work(room, FixedClock(clock.now() - timedelta(hours=2)))
    remind = daily.reminders(datetime.min.time())
    async with units(room, clock).begin(ROOM) as unit:
        assert await remind(unit) == 0


async def test_a_smaller_site_keeps_whom_it_can_and_first_come_stays(room: Database) -> None:
    at = tokyo(NEXT_WEEK, 9)
    await book(room, A, at=at)
    await book(room, B, at=at)
    with pytest.raises(BookingsInTheWay):
        async with units(room).begin(PEOPLE["planner"]) as unit:
            await sites.put(unit, make_site(counters=1), RULES, lambda _: None)
    settled = await change(room, make_site(counters=1))
    assert settled.closure_id is not None
    with pytest.raises(SlotTaken):
        await book(room, C, at=at)
    with pytest.raises(ClosureRunning):
        await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert await kept(room) == {(SITE, at + timedelta(minutes=20))}
    (booking,) = await named(room, B)
    await answer(room, booking, Said(Answer.ACCEPT), clock, citizen(B))
    await work(room, clock)
    assert await seats(room, [A, B]) == [(SITE, at), (SITE, at + timedelta(minutes=20))]
    assert (await progress(room)).closure.state is ClosureState.DONE
    async with room.reader() as conn:
        assert await conn.fetchval("SELECT max(booked) FROM cell WHERE site_id = $1", SITE) == 1
        assert await conn.fetchval("SELECT count(*) FROM cell WHERE target IS NOT NULL") == 0
    await change(room, make_site(counters=3, terminals=3))


async def test_an_acceptance_that_ends_displaces_whom_it_concerned(room: Database) -> None:
    await book(room, A, at=tokyo(NEXT_WEEK, 9))
    stranger = make_site(
        acceptance=(Acceptance(procedure=Procedure.CARD_ISSUANCE, wards=(OTHER_WARD,)),)
    )
    with pytest.raises(BookingsInTheWay):
        async with units(room).begin(PEOPLE["planner"]) as unit:
            await sites.put(unit, stranger, RULES, lambda _: None)
    await change(room, stranger)
    await work(room, FixedClock(MORNING))
    assert await kept(room) == {(OTHER_SITE, tokyo(NEXT_WEEK, 9))}


async def test_a_change_that_displaces_nobody_starts_no_closure(room: Database) -> None:
    await book(room, A, at=tokyo(NEXT_WEEK, 9))
    settled = await change(room, make_site(counters=1))
    assert settled.closure_id is None


async def test_nobody_takes_in_and_the_booking_stays_until_somebody_does(room: Database) -> None:
    at = tokyo(NEXT_WEEK, 9)
    await book(room, A, at=at)
    for other in (OTHER_SITE, FAR):
        await change(room, make_site(other, latitude=35.51, counters=0))
    await wind_down(room, selling=False)
    clock = FixedClock(MORNING)
    await work(room, clock)
    found = await progress(room)
    assert (standing(found), found.without_alternative, found.open) == ({"phone_list": 1}, 1, 1)
    assert await seats(room, [A]) == [(SITE, at)]
    clock.advance(timedelta(days=3))
    await work(room, clock)
    async with units(room, clock).begin(PEOPLE["planner"]) as unit:
        assert (await sites.read(unit, SITE)).site.state is SiteState.WINDING_DOWN
        await sites.put(unit, make_site(OTHER_SITE), RULES, lambda _: None)
    clock.advance(offering.SEARCH_EVERY)
    await work(room, clock)
    assert await kept(room) == {(OTHER_SITE, at)}
    clock.advance(timedelta(days=4, hours=9))
    await work(room, clock)
    assert await seats(room, [A]) == [(OTHER_SITE, at)]
    async with units(room, clock).begin(PEOPLE["planner"]) as unit:
        assert (await sites.read(unit, SITE)).site.state is SiteState.CLOSED


async def test_a_seat_kept_at_a_site_that_closes_too_is_looked_for_again(room: Database) -> None:
    at = tokyo(NEXT_WEEK, 9)
    await book(room, A, at=at)
    await wind_down(room, selling=False)
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert await kept(room) == {(OTHER_SITE, at)}
    async with units(room).begin(PEOPLE["planner"]) as unit:
        await site_life.wind_down(unit, OTHER_SITE, FRIDAY, RULES, lambda _: None, selling=False)
    await work(room, clock)
    assert await kept(room) == {(FAR, at)}
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_last_day_lies_ahead_and_within_the_period(room: Database) -> None:
    with pytest.raises(LastDayRefused):
        await wind_down(room, TODAY - timedelta(days=1))


async def test_a_window_whose_period_ends_is_closed_by_itself(room: Database) -> None:
    window = SiteId("window")
    await open_site(room, make_site(window, closes_on=FRIDAY))
    with pytest.raises(NoSuchSlot):
        await book(room, A, at=tokyo(NEXT_WEEK, 9), site_id=window)
    clock = FixedClock(MORNING + timedelta(days=3))
    work_ = site_life.periods(RULES)
    async with units(room, clock).begin(Principal.system("reservation")) as unit:
        assert await work_(unit) == 1
    async with units(room, clock).begin(Principal.system("reservation")) as unit:
        assert await work_(unit) == 0
    await work(room, clock)
    assert types(await events_of(room, window), "site.")[-2:] == [
        "site.wind_down_started.v1",
        "site.closed.v1",
    ]


async def test_ends_of_days_are_told_once_and_only_of_days_of_service(room: Database) -> None:
    clock = FixedClock(MORNING + timedelta(days=6))
    work_, steps = site_life.day_ends(RULES), 0
    while True:
        async with units(room, clock).begin(Principal.system("reservation")) as unit:
            if not await work_(unit):
                break
        steps += 1
    told = Counter(await events_of(room, SITE))["day.closed.v1"]
    assert (steps, told) == (3, 4)
