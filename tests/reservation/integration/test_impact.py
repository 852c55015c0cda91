"""What the preview says a change would do to bookings is what the change then does."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest

from services.reservation.domain.national_system import Policy
from services.reservation.handlers import impact, site_life, sites, suspensions
from services.reservation.handlers.impact import Impact
from services.reservation.handlers.sites import Displaced
from services.reservation.handlers.suspensions import Order
from shared.calendar import business_date
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, HoursException
from shared.contracts.site import SuspensionReason
from shared.db import Database
from shared.errors import Problem
from shared.ids import SiteId
from shared.unit import Unit
from tests.reservation.life import SUPERVISOR, book, progress, work
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    OTHER_WARD,
    RULES,
    SITE,
    THURSDAY,
    case,
    counts,
    invite,
    make_site,
    open_site,
    tokyo,
    units,
)
from tests.support.state import state_hash

NEXT_WEEK = date(2026, 4, 9)
DAYS = (THURSDAY, FRIDAY, NEXT_WEEK)
CARDS = Procedure.CARD_ISSUANCE
CASES = [case("somebody", number) for number in range(40)]

CHANGES = {
    "one counter": make_site(counters=1),
    "no Thursday": make_site(exceptions=(HoursException(business_date=NEXT_WEEK),)),
    "another ward": make_site(acceptance=(Acceptance(procedure=CARDS, wards=(OTHER_WARD,)),)),
    "until Friday": make_site(closes_on=FRIDAY),
    "more counters": make_site(counters=3, terminals=3),
    "wards of both": make_site(acceptance=(Acceptance(procedure=CARDS),)),
}
ORDER = Order(
    (SITE,),
    frozenset(Procedure),
    tokyo(THURSDAY, 9),
    tokyo(FRIDAY, 10),
    SuspensionReason.SCHEDULED,
    Policy.MOVE,
)


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A site with parties here and there, and another with little room."""
    database = await room_database("reservation")
    await open_site(database)
    await open_site(database, make_site(OTHER_SITE, latitude=35.51, counters=1))
    await invite(database, *CASES)
    choose = random.Random(4)
    waiting = list(CASES)
    while waiting:
        party = [waiting.pop() for _ in range(min(choose.choice((1, 1, 2)), len(waiting)))]
        site_id = choose.choice((SITE, SITE, OTHER_SITE))
        hour, minute = choose.choice((9, 10, 11)), choose.choice((0, 10, 20, 30, 40))
        day = choose.choice(DAYS[1:] if site_id == OTHER_SITE else DAYS)
        try:
            await book(database, *party, at=tokyo(day, hour, minute), site_id=site_id)
        except Problem:
            continue
    return database


async def happened(database: Database) -> tuple[int, Counter[date], Counter[SiteId]]:
    """How many lost their seats, on which days they were, and where seats are kept for them."""
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT starts_at, to_site_id FROM displaced")
    days = Counter(business_date(row["starts_at"]) for row in rows)
    return len(rows), days, Counter(SiteId(r["to_site_id"]) for r in rows if r["to_site_id"])


async def compare(
    database: Database,
    preview: Callable[[Unit], Awaitable[Impact]],
    change: Callable[[Unit], Awaitable[object]],
) -> Impact:
    """Preview, see that it changed nothing, change, and see that it was right."""
    async with database.reader() as conn:
        before = await state_hash(conn)
    async with units(database).begin(SUPERVISOR) as unit:
        said = await preview(unit)
    async with database.reader() as conn:
        assert await state_hash(conn) == before
    async with units(database).begin(SUPERVISOR) as unit:
        await change(unit)
    await work(database, FixedClock(MORNING))
    done, days, offered = await happened(database)
    assert (said.bookings, Counter(said.by_day)) == (done, days)
    assert Counter(said.offered_at) == offered
    assert said.without_alternative == said.bookings - offered.total()
    assert all(booked == accounted for booked, accounted in await counts(database))
    return said


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_does_what_was_said(room: Database, name: str) -> None:
    site = CHANGES[name]

    async def change(unit: Unit) -> None:
        await sites.put(unit, site, RULES, lambda _: None, policy=Displaced.MOVE)

    said = await compare(room, lambda unit: impact.of_change(unit, site, RULES), change)
    harmless = name in ("more counters", "wards of both")
    assert (said.bookings == 0) is harmless


@pytest.mark.parametrize("last_day", [THURSDAY, FRIDAY])
async def test_winding_down_does_what_was_said(room: Database, last_day: date) -> None:
    async def change(unit: Unit) -> None:
        await site_life.wind_down(unit, SITE, last_day, RULES, lambda _: None)

    said = await compare(
        room, lambda unit: impact.of_wind_down(unit, SITE, last_day, RULES), change
    )
    assert said.bookings > 0
    assert said.first is not None
    assert said.first > tokyo(last_day, 12)
    assert (await progress(room)).total == said.bookings


async def test_a_suspension_does_what_was_said(room: Database) -> None:
    async def change(unit: Unit) -> None:
        await suspensions.suspend(unit, ORDER, RULES)

    said = await compare(room, lambda unit: impact.of_suspension(unit, SITE, ORDER, RULES), change)
    assert said.bookings > 0
    assert said.last is not None
    assert said.last < ORDER.starts_at + timedelta(days=1, hours=1)


async def test_a_seat_kept_for_another_site_counts_as_lost_too(room: Database) -> None:
    async with units(room).begin(SUPERVISOR) as unit:
        await site_life.wind_down(unit, SITE, THURSDAY, RULES, lambda _: None)
    await work(room, FixedClock(MORNING))
    async with units(room).begin(SUPERVISOR) as unit:
        said = await impact.of_wind_down(unit, OTHER_SITE, FRIDAY, RULES)
    async with room.reader() as conn:
        kept = await conn.fetchval(
            "SELECT count(*) FROM displaced WHERE seat_held AND to_starts_at > $1",
            tokyo(FRIDAY, 23),
        )
    assert said.alternatives_lost == kept > 0
