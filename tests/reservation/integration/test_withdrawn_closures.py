"""A closure is taken back: nobody who still has a seat loses it, and who has moved stays there."""

from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta

import pytest

from services.reservation.domain.closure import Answer, ClosureRunning, ClosureState
from services.reservation.domain.withdrawal import NotWithdrawable
from services.reservation.handlers import moves, sites
from services.reservation.handlers.answers import Said
from services.reservation.handlers.calendar import BookingsInTheWay
from services.reservation.handlers.moves import Target
from services.reservation.handlers.sites import Settled
from shared.clock import FixedClock
from shared.contracts.place import HoursException, Site, SiteState
from shared.db import Database
from tests.reservation.life import (
    answer,
    book,
    change,
    kept,
    progress,
    reachable,
    seats,
    standing,
    wind_down,
    withdraw,
    work,
)
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    PEOPLE,
    RULES,
    SITE,
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
AT = tokyo(NEXT_WEEK, 9)
A, B, C, D = (case(name) for name in "abcd")


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A site, another near by; four cases."""
    database = await room_database("reservation")
    await open_site(database)
    await open_site(database, make_site(OTHER_SITE, latitude=35.51))
    await invite(database, A, B, C, D)
    return database


async def put(database: Database, site: Site) -> Settled:
    """Change the site, refusing what would take a seat away."""
    async with units(database).begin(PEOPLE["planner"]) as unit:
        return await sites.put(unit, site, RULES, lambda _: None)


async def stored(database: Database) -> Site:
    """The site as it is."""
    async with units(database).begin(PEOPLE["planner"]) as unit:
        return (await sites.read(unit, SITE)).site


async def test_a_wind_down_is_taken_back_and_each_booking_is_where_it_should_be(
    room: Database,
) -> None:
    (mover,) = await book(room, A, at=AT)
    await book(room, B, at=AT)
    await reachable(room, B)
    await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    await answer(room, mover, Said(Answer.ACCEPT), clock, citizen(A))
    assert len(await kept(room)) == 1
    found = await withdraw(room, clock)
    assert standing(found) == {"moved": 1, "kept": 1}
    assert (found.closure.state, found.closure.withdrawn_at) == (ClosureState.DONE, MORNING)
    assert await seats(room, [A, B]) == [(OTHER_SITE, AT), (SITE, AT)]
    assert await kept(room) == set()
    assert all(booked == accounted for booked, accounted in await counts(room))
    site = await stored(room)
    assert (site.state, site.closes_on) == (SiteState.OPEN, None)
    assert types(await events_of(room, SITE), "site.")[-2:] == [
        "site.wind_down_started.v1",
        "site.changed.v1",
    ]
    await book(room, C, at=AT)
    async with room.reader() as conn:
        told = await conn.fetch("SELECT kind FROM message WHERE case_id = $1 ORDER BY 1", B)
        audited = await conn.fetchval(
            "SELECT count(*) FROM audit_entry WHERE action = 'closure.withdrawn'"
        )
    assert ([row["kind"] for row in told], audited) == (
        ["alternative", "confirmed"],
        1,
    )


async def test_a_shrink_is_taken_back_unless_the_site_was_changed_since(room: Database) -> None:
    await book(room, A, at=AT)
    await book(room, B, at=AT)
    await change(room, make_site(counters=1))
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert len(await kept(room)) == 1
    found = await withdraw(room, clock)
    assert (standing(found), found.closure.state) == ({"kept": 1}, ClosureState.DONE)
    assert (await stored(room)).counters == 2
    assert all(booked == accounted for booked, accounted in await counts(room))

    await change(room, make_site(counters=1))
    await work(room, clock)
    await put(room, make_site(counters=1, terminals=3))
    with pytest.raises(NotWithdrawable, match=r".*"):
        await withdraw(room, clock)


async def test_what_is_done_cannot_be_taken_back(room: Database) -> None:
    await wind_down(room)
    clock = FixedClock(MORNING + timedelta(days=3))
    await work(room, clock)
    with pytest.raises(NotWithdrawable):
        await withdraw(room, clock)


async def test_before_anybody_was_listed_nobody_is(room: Database) -> None:
    await book(room, A, at=AT)
    await wind_down(room)
    found = await withdraw(room, FixedClock(MORNING))
    assert (standing(found), found.closure.state) == ({}, ClosureState.DONE)
    assert await seats(room, [A]) == [(SITE, AT)]


async def test_what_is_added_while_a_closure_runs_gives_seats_back(room: Database) -> None:
    for one in (A, B, C):
        await put(room, make_site(counters=3, terminals=3))
        await book(room, one, at=AT)
    await change(room, make_site(counters=1))
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert standing(await progress(room)) == {"phone_list": 2}
    await put(room, make_site(counters=2))
    await work(room, clock)
    assert standing(await progress(room)) == {"phone_list": 1, "kept": 1}
    assert await seats(room, [A, B, C]) == [(SITE, AT)] * 3
    await put(room, make_site(counters=3, terminals=3))
    await work(room, clock)
    found = await progress(room)
    assert (standing(found), found.closure.state) == ({"kept": 2}, ClosureState.DONE)
    assert await kept(room) == set()
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_site_that_winds_down_may_open_longer_until_then(room: Database) -> None:
    await wind_down(room)
    clock = FixedClock(MORNING)
    await work(room, clock)
    evening = HoursException(business_date=FRIDAY, opens=time(9), closes=time(18))
    site = make_site(closes_on=FRIDAY, exceptions=(evening,))
    await put(room, site)
    await book(room, A, at=tokyo(FRIDAY, 17))
    with pytest.raises(ClosureRunning):
        await put(room, make_site(closes_on=None))
    with pytest.raises(BookingsInTheWay):
        await put(room, make_site(closes_on=FRIDAY))
    await change(room, make_site(closes_on=FRIDAY))
    await work(room, clock)
    assert standing(await progress(room)) == {"phone_list": 1}
    found = await withdraw(room, clock)
    assert standing(found) == {"phone_list": 1}
    assert (await stored(room)).exceptions == ()


async def test_a_change_whose_new_seats_are_booked_is_not_taken_back(room: Database) -> None:
    await book(room, A, at=AT)
    await book(room, B, at=AT)
    evening = HoursException(business_date=FRIDAY, opens=time(9), closes=time(18))
    await change(room, make_site(counters=1, exceptions=(evening,)))
    clock = FixedClock(MORNING)
    await work(room, clock)
    await book(room, C, at=tokyo(FRIDAY, 17))
    with pytest.raises(BookingsInTheWay):
        await withdraw(room, clock)
    assert (await stored(room)).counters == 1


async def test_seats_kept_in_hours_that_go_again_are_in_nobodys_way(room: Database) -> None:
    await book(room, A, at=AT)
    await book(room, B, at=AT)
    await change(room, make_site(OTHER_SITE, latitude=35.51, counters=0))
    hours = tuple(
        HoursException(business_date=NEXT_WEEK, opens=opens, closes=closes)
        for opens, closes in ((time(9), time(9, 20)), (time(13), time(18)))
    )
    await change(room, make_site(counters=1, hours=(), exceptions=hours))
    clock = FixedClock(MORNING)
    await work(room, clock)
    assert await kept(room) == {(SITE, tokyo(NEXT_WEEK, 13))}
    found = await withdraw(room, clock)
    assert standing(found) == {"kept": 1}
    assert await seats(room, [A, B]) == [(SITE, AT)] * 2
    assert await kept(room) == set()


async def test_who_moved_into_hours_that_go_again_is_in_the_way_before_the_closure_knows(
    room: Database,
) -> None:
    await book(room, A, at=AT)
    (booking,) = await book(room, B, at=AT)
    evening = HoursException(business_date=FRIDAY, opens=time(9), closes=time(18))
    await change(room, make_site(counters=1, exceptions=(evening,)))
    clock = FixedClock(MORNING)
    await work(room, clock)
    async with units(room, clock).begin(citizen(B)) as unit:
        target = Target(SITE, tokyo(FRIDAY, 17))
        await moves.move(unit, booking.booking_id, target, RULES, lambda _: None)
    with pytest.raises(BookingsInTheWay):
        await withdraw(room, clock)
