"""Closing, shrinking and suspending while everybody books, moves, answers and cancels.

Nobody waits in a circle, no cell is oversold, and nobody has two bookings or loses one.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.reservation.domain.alternatives import Seat
from services.reservation.domain.closure import Answer, ClosureKind
from services.reservation.domain.national_system import Policy
from services.reservation.handlers import (
    answers,
    bookings,
    closing,
    closures,
    fresh_seats,
    holds,
    moves,
    offering,
    offers,
    site_life,
    sites,
    suspensions,
    waitlist,
    withdrawing,
)
from services.reservation.handlers.answers import Said
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.moves import Target
from services.reservation.handlers.sites import Displaced
from services.reservation.handlers.suspensions import Order
from services.reservation.store import alternatives, cells
from services.reservation.store import bookings as store
from services.reservation.store.alternatives import Wish
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.preparation import CardVoided, VoidReason
from shared.contracts.site import SuspensionReason
from shared.db import Connection, Database
from shared.errors import Problem
from shared.ids import BookingId, CaseId, SiteId
from shared.unit import Unit
from tests.reservation.life import ROOM, SUPERVISOR, book, kept, work
from tests.reservation.support import (
    MORNING,
    OTHER_SITE,
    RULES,
    SITE,
    case,
    citizen,
    counts,
    hear,
    invite,
    make_site,
    open_site,
    tokyo,
    told,
    units,
)
from tests.support.sizes import proof_size
from tests.support.waits import who_waits

CITIZENS = proof_size(36, 120)
TURNS = proof_size(6, 30)
CASES = [case("crowd", number) for number in range(CITIZENS)]
DAYS = (date(2026, 4, 9), date(2026, 4, 10))
THIRD = SiteId("third")
SITES = (SITE, OTHER_SITE, THIRD)


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """Three sites with three counters, and citizens with bookings at the first."""
    database = await room_database("reservation")
    for number, site_id in enumerate(SITES):
        await open_site(database, sized(site_id, 3, number))
    await invite(database, *CASES)
    seats = [tokyo(day, hour, minute) for day in DAYS for hour in (9, 10) for minute in (0, 20, 40)]
    for number, case_id in enumerate(CASES[: 3 * len(seats)]):
        await book(database, case_id, at=seats[number // 3])
    return database


def sized(site_id: SiteId, counters: int, number: int = 0) -> Any:
    """A site with so many counters."""
    return make_site(site_id, counters=counters, terminals=counters, latitude=35.5 + number / 50)


Act = Callable[[Unit], Coroutine[Any, Any, object]]


async def refusable(database: Database, who: Any, act: Act, at: FixedClock) -> None:
    """A refusal is an answer; anything else, a deadlock above all, is a failure."""
    try:
        async with units(database, at).begin(who) as unit:
            await act(unit)
    except Problem:
        await asyncio.sleep(0)


async def booking_of(unit: Unit, case_id: CaseId) -> BookingId | None:
    """What the case has booked."""
    found = await unit.conn.fetchval(
        "SELECT booking_id FROM booking WHERE case_id = $1 AND state = 'active'", case_id
    )
    return BookingId(found) if found else None


def one_act(case_id: CaseId, choose: random.Random) -> Act:
    """Something that a citizen does."""
    site_id, day = choose.choice(SITES), choose.choice(DAYS)
    at = tokyo(day, choose.choice((9, 10, 11)), choose.choice((0, 10, 20)))
    what = choose.choice(("book", "hold", "move", "accept", "choose", "cancel", "wait"))

    async def act(unit: Unit) -> None:
        booking_id = await booking_of(unit, case_id)
        if what == "wait":
            await waitlist.join(unit, waitlist.Wish((case_id,), SITES, *DAYS), RULES)
        elif booking_id is None and what == "hold":
            hold = await holds.place(unit, Request((case_id,), site_id, at), RULES)
            await holds.confirm(unit, hold.hold_id, RULES)
        elif booking_id is None:
            await bookings.book(unit, Request((case_id,), site_id, at), RULES)
        elif what == "move":
            await moves.move(unit, booking_id, Target(site_id, at), RULES, lambda _: None)
        elif what == "cancel":
            await bookings.cancel(unit, booking_id, RULES, lambda _: None)
        elif what in ("accept", "choose"):
            said = Said(Answer(what), site_id, at)
            await answers.answer(unit, booking_id, said, RULES)

    return act


async def citizens(database: Database, number: int, at: FixedClock) -> None:
    """One after the other of a group does something."""
    choose = random.Random(number)
    for _ in range(TURNS):
        case_id = choose.choice(CASES)
        await refusable(database, citizen(case_id), one_act(case_id, choose), at)


async def planner(database: Database, at: FixedClock) -> None:
    """Sites shrink and grow."""
    for turn in range(TURNS):
        site_id, counters = SITES[turn % 3], 1 + turn % 3
        changed = sized(site_id, counters, turn % 3)

        async def act(unit: Unit, changed: Any = changed) -> object:
            return await sites.put(unit, changed, RULES, lambda _: None, policy=Displaced.MOVE)

        await refusable(database, SUPERVISOR, act, at)


async def changes_of_mind(database: Database, at: FixedClock) -> None:
    """Closures are taken back, of changes and of suspensions."""
    for turn in range(1 + TURNS // 6):
        # Seldom enough that some closures come to an end of their own.
        await asyncio.sleep(0.3)

        async def act(unit: Unit, turn: int = turn) -> object:
            running = await closures.page(unit, None, None, 100, running_only=True)
            one = running[turn % len(running)].closure if running else None
            return await withdrawing.withdraw(unit, one.closure_id, RULES) if one else None

        await refusable(database, SUPERVISOR, act, at)


async def outages(database: Database, at: FixedClock) -> None:
    """The national system stops and comes back, at one site or all."""
    for turn in range(TURNS // 2):
        start = tokyo(DAYS[turn % 2], 9)
        order = Order(
            None if turn % 2 else (SITE,), frozenset(Procedure), start,
            start + timedelta(hours=1), SuspensionReason.OUTAGE, Policy.MOVE,
        )  # fmt: skip

        async def begin(unit: Unit, order: Order = order) -> object:
            return await suspensions.suspend(unit, order, RULES)

        async def end(unit: Unit) -> object:
            running = await suspensions.page(unit, None, 500, running_only=True)
            if not running:  # whoever changed their mind has ended it already
                return None
            return await suspensions.resume(unit, running[-1][0].suspension_id, None, RULES)

        await refusable(database, SUPERVISOR, begin, at)
        await asyncio.sleep(0.05)
        await refusable(database, SUPERVISOR, end, at)


async def preparation(database: Database) -> None:
    """Some cards are withdrawn meanwhile."""
    for number, case_id in enumerate(CASES[::9]):
        event = CardVoided(case_id=case_id, reason=VoidReason.WITHDRAWN)
        await hear(database, told(event, 10 + number))


async def closer(database: Database, at: FixedClock, stop: asyncio.Event) -> None:
    """One of the processes that work closures off."""
    works = (closing.work(RULES), offers.work(RULES), fresh_seats.opened(RULES))
    while not stop.is_set():
        done = 0
        for step in works:
            async with units(database, at).begin(ROOM) as unit:
                done += await step(unit)
        if not done:
            await asyncio.sleep(0.02)


@pytest.mark.proof
@pytest.mark.timeout(900)
async def test_everybody_at_once_loses_no_seat_and_waits_in_no_circle(
    room: Database, caplog: pytest.LogCaptureFixture
) -> None:
    at, stop = FixedClock(MORNING), asyncio.Event()
    closers = [asyncio.create_task(closer(room, at, stop)) for _ in range(2)]
    await asyncio.gather(
        *(citizens(room, number, at) for number in range(8)),
        planner(room, at),
        outages(room, at),
        changes_of_mind(room, at),
        preparation(room),
    )
    stop.set()
    await asyncio.gather(*closers)
    await work(room, at)
    assert not [record for record in caplog.records if "cannot go on" in record.message]
    assert all(booked == accounted for booked, accounted in await counts(room))
    async with room.reader() as conn:
        twice = "SELECT case_id FROM booking WHERE state = 'active' GROUP BY 1 HAVING count(*) > 1"
        assert await conn.fetch(twice) == []
        over = "SELECT count(*) FROM cell WHERE booked > capacity"
        assert await conn.fetchval(over) == 0
    await all_ends_well(room, at)


async def all_ends_well(database: Database, at: FixedClock) -> None:
    """Let every closure run to its end: nothing is kept for anybody any more.

    Only now is it sure that some search has ended: how many were asked while everybody was at it,
    and how many of them answered, is the machine's choice.
    """
    for site_id in SITES[:1]:

        async def act(unit: Unit, site_id: SiteId = site_id) -> object:
            return await site_life.wind_down(unit, site_id, DAYS[0], RULES, lambda _: None)

        await refusable(database, SUPERVISOR, act, at)
    for _ in range(8):
        at.advance(timedelta(days=1))
        await work(database, at)
    assert await kept(database) == set()
    assert all(booked == accounted for booked, accounted in await counts(database))
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM displaced WHERE ended_at IS NOT NULL") > 0


@pytest.mark.parametrize("order", ["as everybody", "the other way round"])
async def test_seats_taken_party_by_party_are_locked_in_one_order(
    room: Database, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """Where one of many seats is gone, the rest are tried one by one; a calendar is made anew."""
    if order == "the other way round":
        monkeypatch.setattr(offering, "_place", lambda seat: -seat.starts_at.timestamp())
    claim, tries, one_is_taken = alternatives.claim, 0, asyncio.Event()

    async def all_at_once_fails(conn: Connection, wishes: Sequence[Wish], now: datetime) -> bool:
        nonlocal tries
        tries += 1
        taken = tries > 1 and await claim(conn, wishes, now)
        if taken and not one_is_taken.is_set():
            one_is_taken.set()
            await who_waits(room)
        return taken

    async def remake() -> None:
        await one_is_taken.wait()
        async with room.transaction() as conn:
            await cells.lock_range(conn, THIRD, tokyo(DAYS[0], 9), tokyo(DAYS[1], 9), MORNING)

    monkeypatch.setattr(alternatives, "claim", all_at_once_fails)
    ends = await asyncio.gather(keep_two_seats(room), remake(), return_exceptions=True)
    circles = [one for one in ends if isinstance(one, asyncpg.DeadlockDetectedError)]
    assert len(circles) == (0 if order == "as everybody" else 1)


async def keep_two_seats(database: Database) -> None:
    """Keep a seat at nine and one at eleven for two citizens."""
    async with units(database).begin(SUPERVISOR) as unit:
        both = await store.active(unit.conn, CASES[:2])
        closure = await closures.start(unit, SITE, ClosureKind.WIND_DOWN, last_day=DAYS[0])
        hours = zip(both, (9, 11), strict=True)
        seats = {b.booking_id: Seat(THIRD, tokyo(DAYS[0], hour)) for b, hour in hours}
        assert len(await offering._claim(unit, closure, both, seats, RULES)) == 2
