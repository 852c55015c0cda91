"""Holds, moves, offers, expiry and calendars side by side: nobody waits in a circle."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.reservation.domain.hold import HoldId
from services.reservation.handlers import bookings, holds, moves, offers, sites, waitlist
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.moves import Target
from services.reservation.handlers.waitlist import Wish
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance
from shared.db import Database
from shared.errors import Problem
from shared.ids import BookingId, CaseId, SiteId
from shared.security.principal import Principal, Role
from shared.unit import Unit
from tests.reservation.support import (
    FRIDAY,
    OTHER_SITE,
    PEOPLE,
    RULES,
    SITE,
    case,
    counts,
    invite,
    make_site,
    open_site,
    tokyo,
    units,
)

SITES = (SITE, OTHER_SITE)
CASES = [case("at once", number) for number in range(16)]
STARTS = [tokyo(FRIDAY, 9, minute) for minute in (0, 10, 20, 30)]
ANYBODY = Acceptance(procedure=Procedure.CARD_ISSUANCE, wards=None)


@pytest.fixture
async def room(database: Database) -> Database:
    """Two sites with two seats at a time."""
    for site_id in SITES:
        await open_site(database, make_site(site_id, acceptance=(ANYBODY,)))
    await invite(database, *CASES)
    return database


class Crowd:
    """Citizens, due work and planners over one database and one clock."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database, self.clock, self.choose = database, clock, random.Random(3)
        self.done = 0

    async def act(self, who: Principal, command: Callable[[Unit], Awaitable[Any]]) -> Any:
        """What the command returns; a refusal is an answer, anything else is a failure."""
        try:
            async with units(self.database, self.clock).begin(who) as unit:
                made = await command(unit)
        except Problem:
            await asyncio.sleep(0)
            return None
        self.done += 1
        return made

    def somewhere(self) -> tuple[SiteId, datetime]:
        """One of a few seats."""
        return self.choose.choice(SITES), self.choose.choice(STARTS)

    async def citizen(self, number: int) -> None:
        """Holds, books, moves, cancels, waits and answers."""
        case_id = CASES[number % len(CASES)]
        who = Principal(f"citizen:{number}", frozenset({Role.CITIZEN}), cases=frozenset({case_id}))
        for _ in range(6):
            wish = Request((case_id,), *self.somewhere())
            held = await self.act(who, partial(holds.place, request=wish, rules=RULES))
            if held is not None and self.choose.random() < 0.7:
                await self._use(who, held.hold_id)
            elif held is not None:
                give_up = partial(holds.release, hold_id=held.hold_id, rules=RULES)
                await self.act(who, give_up)
            else:
                await self._wait(who, case_id)

    async def _use(self, who: Principal, hold_id: HoldId) -> None:
        confirmed = await self.act(who, lambda unit: holds.confirm(unit, hold_id, RULES))
        if confirmed is None:
            return
        booking_id: BookingId = confirmed.bookings[0].booking_id
        target = Target(*self.somewhere())
        await self.act(
            who, lambda unit: moves.move(unit, booking_id, target, RULES, lambda _: None)
        )
        await self.act(who, lambda unit: bookings.cancel(unit, booking_id, RULES, lambda _: None))

    async def _wait(self, who: Principal, case_id: CaseId) -> None:
        wish = Wish((case_id,), SITES, FRIDAY, FRIDAY)
        entry = await self.act(who, lambda unit: waitlist.join(unit, wish, RULES))
        if entry is None:
            return
        await asyncio.sleep(0.1)
        answer = self.choose.choice((waitlist.accept, waitlist.decline, waitlist.withdraw))
        await self.act(who, lambda unit: answer(unit, entry.entry_id, RULES))
        await self.act(who, lambda unit: waitlist.withdraw(unit, entry.entry_id, RULES))

    async def due(self) -> None:
        """What the consume process does, and time that passes."""
        system = Principal.system("reservation")
        for _ in range(25):
            for work in (offers.lapse, offers.work(RULES), holds.tidy):
                await self.act(system, work)
            self.clock.advance(timedelta(seconds=20))
            await asyncio.sleep(0)

    async def planner(self, site_id: SiteId) -> None:
        """More counters and fewer."""
        for turn in range(12):
            counters = 1 + turn % 3
            site = make_site(site_id, acceptance=(ANYBODY,), counters=counters, terminals=counters)
            put = partial(sites.put, described=site, rules=RULES, require=lambda _: None)
            await self.act(PEOPLE["planner"], put)


async def test_everything_at_once_ends_without_a_circle_and_with_right_counts(
    room: Database, clock: FixedClock
) -> None:
    crowd = Crowd(room, clock)
    runs: list[Coroutine[Any, Any, None]] = [
        *(crowd.citizen(number) for number in range(24)),
        crowd.due(),
        crowd.due(),
        *(crowd.planner(site_id) for site_id in SITES),
    ]
    ends = await asyncio.gather(*runs, return_exceptions=True)
    assert [end for end in ends if end is not None] == []
    assert crowd.done > 100
    assert all(booked == accounted <= 3 for booked, accounted in await counts(room))
    async with room.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM outbox WHERE type LIKE 'waitlist%'")
