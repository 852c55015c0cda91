"""Many at once for one session, one hold, one freed seat: one of each is left, and it is told once.

The guard of sessions is also taken away, to see that the test would notice.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

import pytest

from services.reservation.domain.hold import HoldBusy
from services.reservation.domain.waitlist import Entry
from services.reservation.handlers import bookings, holds, offers, waitlist
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.waitlist import Wish
from services.reservation.store import holds as hold_store
from shared.clock import FixedClock
from shared.db import Connection, Database
from shared.ids import CaseId
from shared.security.principal import Principal, Role
from tests.reservation.support import (
    MORNING,
    RULES,
    SITE,
    THURSDAY,
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

RACERS = 12
NINE = tokyo(THURSDAY, 9)
CASES = [case("racer", number) for number in range(RACERS)]
SESSION = Principal("citizen:one", frozenset({Role.CITIZEN}), cases=frozenset(CASES))
SYSTEM = Principal.system("reservation")
AFTER_CANCELLING = FixedClock(MORNING + timedelta(seconds=5))


@pytest.fixture
async def room(database: Database) -> Database:
    """A room with two seats at a time."""
    await open_site(database, make_site(counters=2))
    await invite(database, *CASES)
    return database


async def race(runs: Sequence[Coroutine[Any, Any, Any]]) -> Counter[str]:
    """Run all at once; how many ended how."""
    ends = await asyncio.gather(*runs, return_exceptions=True)
    return Counter(type(end).__name__ if isinstance(end, Exception) else "done" for end in ends)


async def number(database: Database, statement: str) -> int:
    """One number of the database."""
    async with database.reader() as conn:
        found: int = await conn.fetchval(statement)
    return found


async def hold(database: Database, case_id: CaseId, minutes: int) -> None:
    """Hold a seat, all in one session."""
    wish = Request((case_id,), SITE, NINE + timedelta(minutes=minutes))
    async with units(database).begin(SESSION) as unit:
        await holds.place(unit, wish, RULES)


@pytest.mark.parametrize("guard", ["kept", "dropped"])
async def test_a_session_ends_with_one_hold(
    room: Database, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    everybody_has_looked = asyncio.Barrier(4)

    async def look_only(conn: Connection, holder: str) -> None:
        assert await hold_store.own(conn, holder) is None
        await everybody_has_looked.wait()

    monkeypatch.setattr(hold_store, "lock_own", look_only)
    if guard == "dropped":
        async with room.reader() as conn:
            await conn.execute("DROP INDEX one_hold_per_holder")
    ends = await race([hold(room, CASES[n], 20 * n) for n in range(4)])
    held = await number(room, "SELECT count(*) FROM hold WHERE state = 'held'")
    assert ends["done"] == held == (1 if guard == "kept" else 4)
    assert ends[HoldBusy.__name__] == 4 - held
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_hold_confirmed_many_times_at_once_is_booked_once(room: Database) -> None:
    async with units(room).begin(SESSION) as unit:
        held = await holds.place(unit, Request((CASES[0],), SITE, NINE), RULES)

    async def confirm() -> None:
        async with units(room).begin(SESSION) as unit:
            await holds.confirm(unit, held.hold_id, RULES)

    ends = await race([confirm() for _ in range(RACERS)])
    assert set(ends) <= {"done", "CaseBusy"}
    assert await number(room, "SELECT count(*) FROM booking") == 1
    assert types(await events_of(room, CASES[0]), "booking") == ["booking.confirmed.v1"]
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_confirming_and_giving_up_at_once_is_one_of_both(room: Database) -> None:
    for turn in range(6):
        wish = Request((CASES[turn],), SITE, NINE + timedelta(minutes=20 * turn))
        async with units(room).begin(SESSION) as unit:
            held = await holds.place(unit, wish, RULES)

        async def confirm(hold_id: Any = held.hold_id) -> None:
            async with units(room).begin(SESSION) as unit:
                await holds.confirm(unit, hold_id, RULES)

        async def give_up(hold_id: Any = held.hold_id) -> None:
            async with units(room).begin(SESSION) as unit:
                await holds.release(unit, hold_id, RULES)

        ends = await race([confirm(), give_up()])
        assert set(ends) <= {"done", "HoldEnded"}
    assert await number(room, "SELECT count(*) FROM hold WHERE state = 'held'") == 0
    assert all(booked == accounted for booked, accounted in await counts(room))


async def waiting(room: Database) -> Entry:
    """Somebody waits, and a seat comes back."""
    async with units(room).begin(citizen(CASES[0])) as unit:
        (gone,) = await bookings.book(unit, Request((CASES[0],), SITE, NINE), RULES)
    async with units(room).begin(citizen(CASES[1])) as unit:
        entry = await waitlist.join(unit, Wish((CASES[1],), (SITE,), THURSDAY, THURSDAY), RULES)
    async with units(room).begin(citizen(CASES[0])) as unit:
        await bookings.cancel(unit, gone.booking_id, RULES, lambda _: None)
    return entry


async def due(room: Database, clock: FixedClock = AFTER_CANCELLING) -> None:
    """What a consume process does for the waiting list."""
    for work in (offers.lapse, offers.work(RULES)):
        async with units(room, clock).begin(SYSTEM) as unit:
            await work(unit)


async def test_many_consume_processes_offer_a_freed_seat_once(room: Database) -> None:
    await waiting(room)
    assert await race([due(room) for _ in range(RACERS)]) == {"done": RACERS}
    told = types(await events_of(room, CASES[1]), "waitlist")
    assert told == ["waitlist.offered.v1"]
    assert await number(room, "SELECT count(*) FROM hold WHERE state = 'held'") == 1
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_an_offer_accepted_many_times_at_once_is_booked_once(room: Database) -> None:
    entry = await waiting(room)
    await due(room)

    async def accept() -> None:
        async with units(room, AFTER_CANCELLING).begin(citizen(CASES[1])) as unit:
            await waitlist.accept(unit, entry.entry_id, RULES)

    ends = await race([accept() for _ in range(RACERS)])
    assert set(ends) <= {"done", "CaseBusy"}
    assert await number(room, "SELECT count(*) FROM booking WHERE state = 'active'") == 1


async def test_an_offer_is_accepted_or_lapses_and_never_both(room: Database) -> None:
    entry = await waiting(room)
    await due(room)
    just_before = FixedClock(AFTER_CANCELLING.now() + RULES.offer_for - timedelta(seconds=1))
    just_after = FixedClock(AFTER_CANCELLING.now() + RULES.offer_for)

    async def accept() -> None:
        async with units(room, just_before).begin(citizen(CASES[1])) as unit:
            await waitlist.accept(unit, entry.entry_id, RULES)

    await race([accept(), *(due(room, just_after) for _ in range(4))])
    booked = await number(room, "SELECT count(*) FROM booking WHERE state = 'active'")
    served = await number(room, "SELECT count(*) FROM waitlist_entry WHERE state = 'served'")
    accepted = await number(room, "SELECT count(*) FROM waitlist_offer WHERE state = 'accepted'")
    assert booked == served == accepted
    assert all(booked == accounted for booked, accounted in await counts(room))
