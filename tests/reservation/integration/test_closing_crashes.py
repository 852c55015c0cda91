"""A closure that crashes at any statement of any step goes on as if nothing had been.

The crash is a statement that fails, one after the other, through the whole of a closure. Where a
step is not one transaction, the same crashes leave seats that belong to nobody.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from services.reservation.domain.closure import ClosureState
from services.reservation.handlers import closing, withdrawing
from shared.clock import FixedClock
from shared.db import Connection, Database
from shared.unit import Unit
from tests.reservation.life import ROOM, book, progress, seats, standing, wind_down
from tests.reservation.support import (
    MORNING,
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

CASES = [case("crash", number) for number in range(6)]
DAY = date(2026, 4, 9)


class PowerCutError(BaseException):
    """Nothing handles it, as nothing handles a power cut."""


@dataclass
class Countdown:
    """Cuts the power before the statement of this number; ``cut``: whether it has."""

    left: int
    cut: bool = field(default=False)

    def count(self) -> None:
        """One more statement is about to be sent."""
        if self.left == 0:
            self.cut = True
            raise PowerCutError
        self.left -= 1


class Fragile:
    """A connection that fails when its countdown has run down."""

    def __init__(self, conn: Connection, countdown: Countdown) -> None:
        self._conn = conn
        self._countdown = countdown

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._conn, name)
        if name not in ("execute", "fetch", "fetchrow", "fetchval", "executemany"):
            return found

        async def counted(*values: Any, **named: Any) -> Any:
            self._countdown.count()
            return await found(*values, **named)

        return counted


Begin = Callable[[Database, FixedClock, Countdown], Any]


@asynccontextmanager
async def one_transaction(
    database: Database, clock: FixedClock, countdown: Countdown
) -> AsyncIterator[Unit]:
    """A unit as it is."""
    async with units(database, clock).begin(ROOM) as unit:
        unit.conn = Fragile(unit.conn, countdown)  # type: ignore[assignment]
        yield unit


@asynccontextmanager
async def none_at_all(
    database: Database, clock: FixedClock, countdown: Countdown
) -> AsyncIterator[Unit]:
    """A unit whose statements each commit by themselves: the guard is gone."""
    async with database.reader() as conn:
        unit = Unit(
            conn, room="reservation", source="/141305/reservation", now=clock.now(),
            principal=ROOM, traceparent=None,
        )  # fmt: skip
        fragile = Fragile(conn, countdown)
        fragile.transaction = Nothing  # type: ignore[attr-defined]
        unit.conn = fragile  # type: ignore[assignment]
        yield unit
        await unit.flush()


class Nothing:
    """A transaction that is none."""

    async def start(self) -> None:
        """Nothing begins."""

    async def commit(self) -> None:
        """Nothing is kept back."""

    rollback = commit

    async def __aenter__(self) -> None:
        """Nothing begins."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing ends."""


async def steps(database: Database, clock: FixedClock, begin: Begin) -> int:
    """Take each step again and again, a statement farther each time; how many cuts there were."""
    step, cuts, reach = closing.work(RULES), 0, 0
    while True:
        countdown = Countdown(reach)
        try:
            async with begin(database, clock, countdown) as unit:
                done = await step(unit)
        except PowerCutError:
            cuts, reach = cuts + 1, reach + 1
            continue
        if not done:
            return cuts
        reach = 0


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A site that winds down with a few parties, and one that takes them in."""
    database = await room_database("reservation")
    await open_site(database)
    await open_site(database, make_site(OTHER_SITE, latitude=35.51))
    await invite(database, *CASES)
    await book(database, *CASES[:2], at=tokyo(DAY, 9))
    for case_id in CASES[2:]:
        await book(database, case_id, at=tokyo(DAY, 10 + CASES.index(case_id) % 2))
    await wind_down(database)
    return database


async def close(database: Database, begin: Begin) -> int:
    """Close the site with nobody answering; how many power cuts that took."""
    clock = FixedClock(MORNING)
    cuts = await steps(database, clock, begin)
    clock.advance(timedelta(days=RULES.answer_days))
    return cuts + await steps(database, clock, begin)


async def test_power_cuts_at_every_statement_change_nothing(room: Database) -> None:
    cuts = await close(room, one_transaction)
    assert cuts > 50
    found = await progress(room)
    assert (standing(found), found.closure.state) == ({"phone_list": 6}, ClosureState.DONE)
    assert {site for site, _ in await seats(room, CASES)} == {OTHER_SITE}
    assert all(booked == accounted for booked, accounted in await counts(room))
    async with room.reader() as conn:
        moved = "SELECT count(*) FROM outbox WHERE type = 'booking.moved.v1'"
        assert await conn.fetchval(moved) == len(CASES)
        assert await conn.fetchval("SELECT count(*) FROM message WHERE kind = 'alternative'") == 6


async def test_power_cuts_lose_no_seat_of_a_closure_that_is_taken_back(room: Database) -> None:
    clock = FixedClock(MORNING)
    await steps(room, clock, one_transaction)
    closure = (await progress(room)).closure
    async with units(room, clock).begin(PEOPLE["planner"]) as unit:
        await withdrawing.withdraw(unit, closure.closure_id, RULES)
    assert await steps(room, clock, one_transaction) > 10
    found = await progress(room)
    assert (standing(found), found.closure.state) == ({"kept": 6}, ClosureState.DONE)
    assert {site for site, _ in await seats(room, CASES)} == {SITE}
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_without_one_transaction_per_step_they_lose_seats_or_news(room: Database) -> None:
    await close(room, none_at_all)
    async with room.reader() as conn:
        moved = "SELECT count(*) FROM outbox WHERE type = 'booking.moved.v1'"
        told = await conn.fetchval(moved)
    right = all(booked == accounted for booked, accounted in await counts(room))
    assert not (right and told == len(CASES))
