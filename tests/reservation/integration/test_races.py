"""Many at once: one winner for the last seat, one booking per case, and nobody waits in a circle.

Each guard is also taken away, to see that the test would notice.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.reservation.domain.booking import AlreadyBooked, CaseBusy, SlotTaken
from services.reservation.domain.case import CaseFacts
from services.reservation.handlers import bookings, holds, sites, together
from services.reservation.handlers.bookings import Request
from services.reservation.store import cases, cells
from shared.contracts.preparation import CardVoided, VoidReason
from shared.db import Connection, Database
from shared.errors import Problem
from shared.ids import BookingId, CaseId, SiteId
from tests.reservation.support import (
    MORNING,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
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

RACERS = 24
NINE = tokyo(THURSDAY, 9)
CASES = [case("racer", number) for number in range(RACERS)]


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A room with one seat at a time and as many cases as racers."""
    database = await room_database("reservation")
    await open_site(database, make_site(counters=1))
    await invite(database, *CASES)
    return database


async def book(database: Database, *case_ids: CaseId, at: datetime = NINE) -> None:
    """Book the cases together."""
    async with units(database).begin(citizen(*case_ids)) as unit:
        await bookings.book(unit, Request(case_ids, SITE, at), RULES)


async def race(runs: Sequence[Coroutine[Any, Any, None]]) -> Counter[str]:
    """Run all at once; how many ended how."""
    ends = await asyncio.gather(*runs, return_exceptions=True)
    return Counter(type(end).__name__ if end else "won" for end in ends)


async def drop(database: Database, statement: str) -> None:
    """Take a guard away."""
    async with database.reader() as conn:
        await conn.execute(statement)


NO_CHECK = "ALTER TABLE cell DROP CONSTRAINT never_oversold"


def share_without_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody in line gets a seat, whether one is left or not."""
    monkeypatch.setattr(together, "share_out", lambda line, _: [True] * len(line))


def claim_without_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim takes a seat whether one is left or not."""
    guard = (
        "    AND cell.booked + back.wanted - back.seats <= least(cell.capacity, cell.target) - $5\n"
    )
    assert guard in cells._CLAIM
    monkeypatch.setattr(cells, "_CLAIM", cells._CLAIM.replace(guard, "    AND $5 = 0\n"))


async def hold(database: Database, case_id: CaseId) -> None:
    """Hold a seat for the case."""
    holder = replace(citizen(case_id), subject=f"case:{case_id}")
    async with units(database).begin(holder) as unit:
        await holds.place(unit, Request((case_id,), SITE, NINE), RULES)


async def test_twenty_four_racers_for_the_last_seat_have_one_winner(room: Database) -> None:
    ends = await race([book(room, case_id) for case_id in CASES])
    assert ends == {"won": 1, SlotTaken.__name__: RACERS - 1}
    assert all(booked == accounted <= 1 for booked, accounted in await counts(room))


async def test_the_constraint_alone_keeps_the_last_seat(
    room: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_without_looking(monkeypatch)
    ends = await race([book(room, case_id) for case_id in CASES])
    assert ends == {"won": 1, asyncpg.CheckViolationError.__name__: RACERS - 1}
    assert all(booked == accounted <= 1 for booked, accounted in await counts(room))


async def test_without_any_guard_the_last_seat_is_oversold(
    room: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_without_looking(monkeypatch)
    await drop(room, NO_CHECK)
    ends = await race([book(room, case_id) for case_id in CASES])
    assert ends == {"won": RACERS}
    assert max(booked for booked, _ in await counts(room)) == RACERS


@pytest.mark.parametrize("lock", ["kept", "taken away"])
async def test_looking_without_the_lock_oversells(
    room: Database, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    await drop(room, NO_CHECK)
    if lock == "taken away":
        unlocked = cells._LOCK_ALL.replace("    FOR NO KEY UPDATE OF c\n", "")
        assert unlocked != cells._LOCK_ALL
        everybody_has_looked = asyncio.Barrier(8)

        async def look(
            conn: Connection, wanted: Collection[tuple[SiteId, datetime]], now: datetime
        ) -> dict[tuple[SiteId, datetime], int]:
            rows = await conn.fetch(unlocked, *zip(*sorted(wanted), strict=True), now)
            await everybody_has_looked.wait()
            return {(SiteId(row["site_id"]), row["starts_at"]): row["seats"] for row in rows}

        monkeypatch.setattr(cells, "lock_all", look)
    ends = await race([book(room, case_id) for case_id in CASES[:8]])
    assert ends["won"] == (1 if lock == "kept" else 8)


@pytest.mark.parametrize("guards", ["both", "constraint", "none"])
async def test_holders_race_for_the_last_seat_under_the_same_guards(
    room: Database, monkeypatch: pytest.MonkeyPatch, guards: str
) -> None:
    if guards != "both":
        claim_without_looking(monkeypatch)
    if guards == "none":
        await drop(room, NO_CHECK)
    ends = await race([hold(room, case_id) for case_id in CASES])
    assert ends["won"] == (RACERS if guards == "none" else 1)


async def test_racers_for_one_case_make_one_booking(room: Database) -> None:
    times = [NINE + timedelta(days=number % 2, minutes=10 * (number % 12)) for number in range(24)]
    ends = await race([book(room, CASES[0], at=at) for at in times])
    assert ends["won"] == 1
    assert set(ends) <= {"won", CaseBusy.__name__, AlreadyBooked.__name__, SlotTaken.__name__}
    assert await active_bookings(room) == 1


@pytest.mark.parametrize("index", ["kept", "dropped"])
async def test_the_index_alone_keeps_a_case_to_one_booking(
    room: Database, monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    everybody_has_looked = asyncio.Barrier(8)

    async def look_only(conn: Connection, case_ids: Sequence[CaseId]) -> list[CaseFacts]:
        unlocked = cases._LOCK.replace("FOR NO KEY UPDATE SKIP LOCKED", "")
        rows = [cases._facts(row) for row in await conn.fetch(unlocked, case_ids)]
        await everybody_has_looked.wait()
        return rows

    monkeypatch.setattr(cases, "lock_free", look_only)
    if index == "dropped":
        await drop(room, "DROP INDEX one_active_booking_per_case")
    times = [NINE + timedelta(minutes=20 * number) for number in range(8)]
    ends = await race([book(room, CASES[0], at=at) for at in times])
    assert ends["won"] == await active_bookings(room) == (1 if index == "kept" else 8)


async def active_bookings(database: Database) -> int:
    """How many active bookings there are."""
    async with database.reader() as conn:
        found: int = await conn.fetchval("SELECT count(*) FROM booking WHERE state = 'active'")
    return found


CELLS = [NINE + timedelta(minutes=10 * number) for number in range(6)]


async def test_cells_named_in_opposite_order_are_locked_in_one(room: Database) -> None:
    async def claim(starts: Sequence[datetime]) -> None:
        async with room.transaction() as conn:
            await cells.claim(conn, SITE, dict.fromkeys(starts, 0), MORNING)

    for _ in range(10):
        orders = [CELLS if number % 2 else CELLS[::-1] for number in range(RACERS)]
        assert await race([claim(order) for order in orders]) == {"won": RACERS}


async def test_cells_locked_one_by_one_as_named_end_in_a_circle(room: Database) -> None:
    both_hold_one = asyncio.Barrier(2)

    async def claim(starts: Sequence[datetime]) -> None:
        async with room.transaction() as conn:
            await cells.claim(conn, SITE, dict.fromkeys(starts[:1], 0), MORNING)
            await both_hold_one.wait()
            await cells.claim(conn, SITE, dict.fromkeys(starts[1:2], 0), MORNING)

    ends = await race([claim(CELLS[:2]), claim(CELLS[1::-1])])
    assert ends == {"won": 1, asyncpg.DeadlockDetectedError.__name__: 1}


async def test_booking_cancelling_voiding_and_remaking_at_once(room: Database) -> None:
    """Parties, cancellations, events and calendar changes side by side, in no order at all."""
    choose = random.Random(7)
    party = [CASES[:3], CASES[2::-1], CASES[3:5], CASES[4:2:-1], *([one] for one in CASES[5:])]

    async def citizens(number: int) -> None:
        for turn in range(6):
            members = party[(number + turn) % len(party)]
            at = CELLS[choose.randrange(len(CELLS))]
            await refusable(book(room, *members, at=at))
            await refusable(cancel(room, members[0]))

    async def planner() -> None:
        for turn in range(8):
            counters = 2 + turn % 2
            await refusable(put(room, counters))

    async def preparation() -> None:
        for number, case_id in enumerate(CASES[::4]):
            event = CardVoided(case_id=case_id, reason=VoidReason.WITHDRAWN)
            await hear(room, told(event, 10 + number))

    await refusable(put(room, 3))
    ends = await race([*(citizens(number) for number in range(12)), planner(), preparation()])
    assert ends == {"won": 14}
    assert all(booked == accounted <= 3 for booked, accounted in await counts(room))
    assert await twice_booked(room) == 0
    async with room.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM booking") > RACERS / 4


async def refusable(work: Coroutine[Any, Any, None]) -> None:
    """A refusal is an answer; anything else, a deadlock above all, is a failure."""
    try:
        await work
    except Problem:
        await asyncio.sleep(0)


async def put(database: Database, counters: int) -> None:
    """Change the number of counters."""
    site = make_site(counters=counters, terminals=counters)
    async with units(database).begin(PEOPLE["planner"]) as unit:
        await sites.put(unit, site, RULES, lambda _: None)


async def cancel(database: Database, case_id: CaseId) -> None:
    """Cancel what the case has booked, if anything."""
    async with units(database).begin(citizen(case_id)) as unit:
        found = await unit.conn.fetchval(
            "SELECT booking_id FROM booking WHERE case_id = $1 AND state = 'active'", case_id
        )
        if found is not None:
            await bookings.cancel(unit, BookingId(found), RULES, lambda _: None)


async def twice_booked(database: Database) -> int:
    """How many cases have more than one active booking."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT case_id FROM booking WHERE state = 'active' GROUP BY 1 HAVING count(*) > 1"
        )
    return len(rows)
