"""Seats that are new are offered to who waits before anybody else can take them."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest

from services.reservation.domain.booking import SlotTaken
from services.reservation.domain.national_system import Policy
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import Overrides
from services.reservation.domain.waitlist import Entry, EntryState
from services.reservation.handlers import (
    bookings,
    free_now,
    fresh_seats,
    offers,
    ruling,
    sites,
    suspensions,
    waitlist,
)
from services.reservation.handlers.suspensions import Order
from services.reservation.handlers.waitlist import Wish
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.site import SuspensionReason
from shared.db import Database
from shared.ids import CaseId
from shared.unit import Unit
from tests.reservation.life import ROOM, SUPERVISOR
from tests.reservation.support import (
    FRIDAY,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    case,
    citizen,
    counts,
    invite,
    make_site,
    open_site,
    tokyo,
    units,
)

NINE = tokyo(THURSDAY, 9)
TAKEN = [case("taken", number) for number in range(9)]
ANNA, BEN, EVA = case("anna"), case("ben"), case("eva")


@pytest.fixture
async def room(database: Database) -> Database:
    """A room with one seat at a time, all of Thursday booked."""
    await open_site(database, make_site(counters=1))
    await invite(database, ANNA, BEN, EVA, *TAKEN)
    for number, one in enumerate(TAKEN):
        await book(database, one, at=NINE + timedelta(minutes=20 * number))
    return database


async def book(
    database: Database, *cases: CaseId, at: datetime, clock: FixedClock | None = None
) -> None:
    """Book as citizens."""
    async with units(database, clock).begin(citizen(*cases)) as unit:
        await bookings.book(unit, bookings.Request(cases, SITE, at), RULES)


async def join(
    database: Database, case_id: CaseId, first: date = THURSDAY, last: date = THURSDAY
) -> Entry:
    """Wait for any time on these days."""
    async with units(database).begin(citizen(case_id)) as unit:
        return await waitlist.join(unit, Wish((case_id,), (SITE,), first, last), RULES)


async def due(database: Database, clock: FixedClock, rules: Rules = RULES) -> None:
    """Everything that is due now."""
    for work in (fresh_seats.opened(rules), offers.work(rules)):
        while True:
            async with units(database, clock).begin(ROOM) as unit:
                if not await work(unit):
                    break


async def states(database: Database, entries: Sequence[Entry]) -> list[EntryState]:
    """Where parties stand."""
    async with units(database).begin(PEOPLE["clerk"]) as unit:
        return [(await waitlist.find(unit, one.entry_id)).state for one in entries]


async def test_a_larger_calendar_is_offered_first_and_sold_to_all_a_minute_later(
    room: Database, clock: FixedClock
) -> None:
    entries = [await join(room, ANNA), await join(room, BEN)]
    await due(room, clock)
    assert await states(room, entries) == ["waiting", "waiting"]
    async with units(room, clock).begin(PEOPLE["planner"]) as unit:
        await sites.put(unit, make_site(counters=2), RULES, lambda _: None)
    with pytest.raises(SlotTaken):
        await book(room, EVA, at=NINE)
    await due(room, clock)
    assert await states(room, entries) == ["offered", "offered"]
    clock.advance(timedelta(minutes=1))
    await book(room, EVA, at=tokyo(THURSDAY, 10), clock=clock)
    assert all(booked == accounted <= 2 for booked, accounted in await counts(room))


async def test_where_nobody_waits_new_seats_can_be_booked_at_once(room: Database) -> None:
    await join(room, ANNA, FRIDAY, FRIDAY)
    async with units(room).begin(PEOPLE["planner"]) as unit:
        await sites.put(unit, make_site(counters=2), RULES, lambda _: None)
    await book(room, EVA, at=NINE)


async def test_what_a_resumption_gives_back_is_offered(
    database: Database, clock: FixedClock
) -> None:
    await open_site(database, make_site(counters=1))
    await invite(database, ANNA)
    order = Order(
        (SITE,), frozenset(Procedure), tokyo(THURSDAY, 8), None, SuspensionReason.OUTAGE,
        Policy.MOVE,
    )  # fmt: skip
    async with units(database, clock).begin(SUPERVISOR) as unit:
        (one,) = await suspensions.suspend(unit, order, RULES)
    entry = await join(database, ANNA)
    await due(database, clock)
    assert await states(database, [entry]) == ["waiting"]
    async with units(database, clock).begin(SUPERVISOR) as unit:
        await suspensions.resume(unit, one.suspension_id, None, RULES)
    await due(database, clock)
    assert await states(database, [entry]) == ["offered"]


async def decide(unit: Unit, own: Overrides) -> None:
    """Let the site decide for cards."""
    await ruling.put(unit, SITE, Procedure.CARD_ISSUANCE, own, lambda _: None, rules=RULES)


async def test_a_share_that_is_released_is_offered(database: Database, clock: FixedClock) -> None:
    await open_site(database, make_site(counters=1))
    await invite(database, ANNA)
    async with units(database, clock).begin(PEOPLE["planner"]) as unit:
        await decide(unit, Overrides(kept_call_centre=1, call_centre_released_days=1))
    entry = await join(database, ANNA, FRIDAY, FRIDAY)
    await due(database, clock)
    assert await states(database, [entry]) == ["waiting"]
    clock.advance(timedelta(days=1))
    await due(database, clock)
    assert await states(database, [entry]) == ["offered"]


async def test_a_day_that_opens_is_offered(database: Database, clock: FixedClock) -> None:
    await open_site(database, make_site(counters=1))
    await invite(database, ANNA)
    async with units(database, clock).begin(PEOPLE["planner"]) as unit:
        await decide(unit, Overrides(horizon_days=5, released_at=time(9)))
    monday = date(2026, 4, 6)
    entry = await join(database, ANNA, monday + timedelta(days=1), monday + timedelta(days=1))
    await due(database, clock)
    clock.advance(timedelta(hours=23))
    await due(database, clock)
    assert await states(database, [entry]) == ["waiting"]
    clock.advance(timedelta(hours=1))
    await due(database, clock)
    assert await states(database, [entry]) == ["offered"]


async def test_who_joins_hears_what_is_free_unless_it_is_later_than_what_they_have(
    room: Database,
) -> None:
    friday = tokyo(FRIDAY, 9)
    await book(room, BEN, at=friday)
    for one, expected in ((ANNA, [friday + timedelta(minutes=20)]), (BEN, [])):
        entry = await join(room, one, THURSDAY, FRIDAY)
        async with units(room).begin(citizen(one)) as unit:
            free = await free_now.find(unit, entry, RULES)
        assert [seat.starts_at for seat in free] == expected
