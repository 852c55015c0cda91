"""Arbitrary commands against the real room, beside the model that says what has to come out."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.reservation.domain.booking import Booking
from services.reservation.domain.closure import ClosureId
from services.reservation.domain.hold import Hold, HoldId
from services.reservation.handlers import bookings, closing, holds, moves, sites, withdrawing
from services.reservation.handlers.moves import Target
from services.reservation.handlers.parties import Request
from services.reservation.handlers.sites import Displaced
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, OpeningHours, Site, Weekday
from shared.db import Database
from shared.errors import Problem
from shared.ids import BookingId, CaseId, SiteId
from shared.security.principal import Principal, Role
from shared.unit import Unit
from tests.reservation.model import CELL, Cell, Held, Model, Seat, taken
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    PEOPLE,
    RULES,
    SITE,
    case,
    invite,
    make_site,
    open_site,
    tokyo,
    units,
)

R = TypeVar("R")
AT_ONCE = replace(RULES, return_within=timedelta(0), horizon_days=4, made_ahead_days=1)
"""Seats come back without a delay, so that the model can say when."""
CASES = [case("model", number) for number in range(6)]
SITES = (SITE, OTHER_SITE)
SESSIONS = ("one", "two", "three")
STARTS = [tokyo(FRIDAY, 9, minute) for minute in (0, 10, 20, 30)]
_TABLES = (
    "displaced, closure, suspension, seat_return, hold, waitlist_case, waitlist_offer, "
    "waitlist_entry, booking, cell, site_rule, site, case_facts, inbox, message, phone_entry"
)
_EVERY = frozenset(CASES)

parties = st.lists(st.sampled_from(CASES), min_size=1, max_size=4, unique=True).map(tuple)
some_site = st.sampled_from(SITES)
some_start = st.sampled_from(STARTS)


def session(name: str) -> Principal:
    """A citizen who may speak for every case."""
    return Principal(f"session:{name}", frozenset({Role.CITIZEN}), cases=_EVERY)


def described(site_id: SiteId, counters: int, closes: int) -> Site:
    """A site with so many counters, open until ``closes`` tens of minutes past nine."""
    weekdays = tuple(Weekday)[:5]
    end = time(9 + closes // 6, closes % 6 * 10)
    return make_site(
        site_id,
        counters=counters,
        terminals=counters,
        hours=tuple(OpeningHours(weekday=day, opens=time(9), closes=end) for day in weekdays),
        acceptance=(Acceptance(procedure=Procedure.CARD_ISSUANCE, wards=None),),
    )


def cells_of(site_id: SiteId, counters: int, closes: int) -> dict[Cell, int]:
    """The seats on Friday of such a site."""
    start = tokyo(FRIDAY, 9)
    return {(site_id, start + number * CELL): counters for number in range(closes)}


class Seats(RuleBasedStateMachine):
    """Holds, bookings, moves, cancels, groups, expiry, calendars and closures in any order."""

    run: Callable[[Awaitable[Any]], Any]
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.clock = FixedClock(MORNING)
        self.model = Model()
        self.closing = False
        self.former: tuple[SiteId, dict[Cell, int]] = (SITE, {})

    @initialize()
    def begin(self) -> None:
        """Two open sites with two counters, and nobody there."""
        self.run(self._begin())
        for site_id in SITES:
            self.model.capacity |= cells_of(site_id, 2, 5)

    @rule(who=st.sampled_from(SESSIONS), cases=parties, site_id=some_site, at=some_start)
    def hold(self, who: str, cases: tuple[CaseId, ...], site_id: SiteId, at: datetime) -> None:
        """Hold seats: those the session does not hold already are free."""
        own = self.model.live(self.clock.now()).get(who)
        same = own is not None and (sorted(own.cases), own.site_id, own.starts_at) == (
            sorted(cases), site_id, at
        )  # fmt: skip
        fits = self.model.fits(
            taken(site_id, at, len(cases)) - self.model.has(who, site_id, self.clock.now()),
            self.clock.now(),
        )
        made = self.act(
            session(who), lambda unit: holds.place(unit, Request(cases, site_id, at), AT_ONCE)
        )
        assert (made is not None) == (same or fits)
        if made is not None:
            assert not same or (own is not None and made.hold_id == own.hold_id)
            self.model.holds[who] = _held(made)

    @rule(who=st.sampled_from(SESSIONS))
    def confirm(self, who: str) -> None:
        """Book what is held: it has not run out, and nobody of the party is booked."""
        held = self.model.holds.get(who)
        if held is None:
            return
        alive = who in self.model.live(self.clock.now())
        free = not any(case_id in self.model.bookings for case_id in held.cases)
        confirmed = self.act(
            session(who), lambda unit: holds.confirm(unit, HoldId(held.hold_id), AT_ONCE)
        )
        assert (confirmed is not None) == (alive and free)
        if confirmed is not None:
            del self.model.holds[who]
            self.model.booked(_seat(one) for one in confirmed.bookings)

    @rule(who=st.sampled_from(SESSIONS))
    def release(self, who: str) -> None:
        """Give a hold up."""
        held = self.model.holds.pop(who, None)
        if held is not None:
            self.act(session(who), lambda unit: holds.release(unit, HoldId(held.hold_id), AT_ONCE))

    @rule(cases=parties, site_id=some_site, at=some_start)
    def book(self, cases: tuple[CaseId, ...], site_id: SiteId, at: datetime) -> None:
        """Book a party: its seats are free, and nobody of it is booked."""
        fits = self.model.fits(taken(site_id, at, len(cases)), self.clock.now())
        free = not any(case_id in self.model.bookings for case_id in cases)
        made = self.act(
            session("book"), lambda unit: bookings.book(unit, Request(cases, site_id, at), AT_ONCE)
        )
        assert (made is not None) == (fits and free)
        self.model.booked(_seat(one) for one in made or [])

    @precondition(lambda self: self.model.bookings)
    @rule(data=st.data(), site_id=some_site, at=some_start, together=st.booleans())
    def move(self, data: st.DataObject, site_id: SiteId, at: datetime, *, together: bool) -> None:
        """Move a party, or one of it: the seats it lacks are free."""
        case_id = data.draw(st.sampled_from(sorted(self.model.bookings)))
        movers = self.model.movers(case_id, together=together)
        there = all((one.site_id, one.starts_at) == (site_id, at) for one in movers)
        lacking = self.model.lacking(movers, site_id, at)
        fits = there or self.model.fits(lacking, self.clock.now())
        named = self.model.bookings[case_id].booking_id
        target = Target(site_id, at, together=together)
        made = self.act(
            session("move"),
            lambda unit: moves.move(unit, named, target, AT_ONCE, lambda _: None),
        )
        assert (made is not None) == fits
        if made is not None:
            assert {one.case_id for one in made} == {one.case_id for one in movers}
            self.model.moved(movers, site_id, at)

    @precondition(lambda self: self.model.bookings)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Cancel a booking."""
        case_id = data.draw(st.sampled_from(sorted(self.model.bookings)))
        named = self.model.bookings.pop(case_id).booking_id
        made = self.act(
            session("cancel"), lambda unit: bookings.cancel(unit, named, AT_ONCE, lambda _: None)
        )
        assert made is not None

    @rule(minutes=st.integers(1, 11))
    def wait(self, minutes: int) -> None:
        """Time passes; what has run out is written down."""
        self.clock.advance(timedelta(minutes=minutes))
        self.act(Principal.system("reservation"), holds.tidy)

    @rule(site_id=some_site, counters=st.integers(1, 3), closes=st.integers(2, 6))
    def remake(self, site_id: SiteId, counters: int, closes: int) -> None:
        """Change a calendar; where bookings would lose their seat, it is refused."""
        site = described(site_id, counters, closes)
        made = self.act(
            PEOPLE["planner"], lambda unit: sites.put(unit, site, AT_ONCE, lambda _: None)
        )
        wanted = cells_of(site_id, counters, closes)
        if self.closing:
            # Who is leaving may stay again; the model only learns what came of it.
            if made is not None:
                self.model.remade(site_id, wanted, self.clock.now(), strict=False)
            self.settle()
            return
        taken_over = self.model.remade(site_id, wanted, self.clock.now(), strict=True)
        assert (made is not None) == taken_over

    @precondition(lambda self: len(self.model.bookings) > 1 and not self.closing)
    @rule(site_id=some_site, counters=st.integers(1, 2), closes=st.integers(2, 6))
    def close(self, site_id: SiteId, counters: int, closes: int) -> None:
        """Take seats away although they are booked: everybody is offered another."""
        site = described(site_id, counters, closes)
        before = {cell: n for cell, n in self.model.capacity.items() if cell[0] == site_id}
        made = self.act(
            PEOPLE["planner"],
            lambda unit: sites.put(unit, site, AT_ONCE, lambda _: None, policy=Displaced.MOVE),
        )
        if made is not None:
            wanted = cells_of(site_id, counters, closes)
            self.model.remade(site_id, wanted, self.clock.now(), strict=False)
            self.former = (site_id, before)
        self.settle()

    @precondition(lambda self: self.closing)
    @rule()
    def withdraw(self) -> None:
        """Take the closure back: the site is as before, and who has not moved stays."""
        site_id, before = self.former
        rows = self.run(self._rows("SELECT closure_id FROM closure WHERE state <> 'done'"))
        closure_id = ClosureId(rows[0]["closure_id"])
        made = self.act(
            PEOPLE["planner"], lambda unit: withdrawing.withdraw(unit, closure_id, AT_ONCE)
        )
        if made is not None:
            self.model.remade(site_id, before, self.clock.now(), strict=False)
        self.settle()

    def settle(self) -> None:
        """Let closures do what they can at this moment, and learn what came of it."""
        while self.act(Principal.system("reservation"), closing.work(AT_ONCE)):
            pass
        self.run(self._look())

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        """Each booking sits where it should, and no case has two."""
        found = self.run(self._rows("SELECT * FROM booking WHERE state = 'active'"))
        seats = {row["case_id"]: (row["site_id"], row["starts_at"]) for row in found}
        assert len(found) == len(seats)
        assert seats == {
            case_id: (one.site_id, one.starts_at) for case_id, one in self.model.bookings.items()
        }

    @invariant()
    def counts_equal_rows_and_no_seat_is_sold_twice(self) -> None:
        """What cells count is what bookings, holds and returns account for."""
        rows = self.run(self._rows(_COUNTS))
        assert all(row["booked"] == row["accounted"] <= row["capacity"] for row in rows)
        free = {(row["site_id"], row["starts_at"]): row["free"] for row in self.run(self._free())}
        used = self.model.used(self.clock.now())
        expected = {cell: max(0, seats - used[cell]) for cell, seats in self.model.capacity.items()}
        assert {cell: seats for cell, seats in free.items() if seats} == {
            cell: seats for cell, seats in expected.items() if seats
        }

    @invariant()
    def no_hold_has_leaked(self) -> None:
        """Every seat that is held is somebody's live hold, or kept by a closure."""
        rows = self.run(self._rows(_LEAKED, self.clock.now()))
        assert rows == []

    def act(self, who: Principal, command: Callable[[Unit], Awaitable[R]]) -> R | None:
        """What the command returns, or none where it is refused."""
        return self.run(self._act(who, command))  # type: ignore[no-any-return]

    async def _act(self, who: Principal, command: Callable[[Unit], Awaitable[R]]) -> R | None:
        try:
            async with units(self.database, self.clock).begin(who) as unit:
                return await command(unit)
        except Problem:
            return None

    async def _begin(self) -> None:
        async with self.database.reader() as conn:
            await conn.execute(f"TRUNCATE {_TABLES} CASCADE")
        for site_id in SITES:
            await open_site(self.database, described(site_id, 2, 5), AT_ONCE)
        await invite(self.database, *CASES)

    async def _look(self) -> None:
        """What the room did by itself; nobody may have lost a booking."""
        rows = await self._rows("SELECT * FROM booking WHERE state = 'active'")
        assert {row["case_id"] for row in rows} == set(self.model.bookings)
        for row in rows:
            self.model.bookings[row["case_id"]] = Seat(
                row["booking_id"], row["case_id"], row["party_id"], row["site_id"],
                row["starts_at"],
            )  # fmt: skip
        self.model.alternatives = Counter()
        for row in await self._rows("SELECT * FROM displaced WHERE seat_held"):
            self.model.alternatives += taken(row["to_site_id"], row["to_starts_at"], 1)
        self.closing = bool(await self._rows("SELECT FROM closure WHERE state <> 'done'"))

    async def _rows(self, statement: str, *values: object) -> Sequence[Any]:
        async with self.database.reader() as conn:
            return await conn.fetch(statement, *values)

    async def _free(self) -> Sequence[Any]:
        return await self._rows(_FREE, self.clock.now(), tokyo(FRIDAY, 0), tokyo(FRIDAY, 23))


_COUNTS = """
SELECT booked, capacity, (
    SELECT count(*) FROM booking b WHERE b.site_id = c.site_id
        AND b.state <> 'cancelled' AND c.starts_at >= b.starts_at
        AND c.starts_at < b.starts_at + make_interval(mins => b.minutes)
) + (
    SELECT coalesce(sum(seats), 0) FROM seat_return r
    WHERE r.site_id = c.site_id AND r.starts_at = c.starts_at
) AS accounted
FROM cell c
"""
_FREE = """
SELECT site_id, starts_at, least(capacity, target) - booked + coalesce((
    SELECT sum(seats) FROM seat_return r
    WHERE r.site_id = c.site_id AND r.starts_at = c.starts_at AND r.due_at <= $1), 0) AS free
FROM cell c WHERE starts_at >= $2 AND starts_at < $3
    AND least(capacity, target) > booked - coalesce((
        SELECT sum(seats) FROM seat_return r
        WHERE r.site_id = c.site_id AND r.starts_at = c.starts_at AND r.due_at <= $1), 0)
"""
_LEAKED = """
SELECT r.return_id FROM seat_return r
WHERE r.held_until > $1 AND r.held_until < 'infinity' AND NOT EXISTS (
    SELECT FROM hold h WHERE h.hold_id = r.return_id AND h.state = 'held' AND h.expires_at > $1)
"""


def _held(hold: Hold) -> Held:
    return Held(hold.hold_id, hold.case_ids, hold.site_id, hold.starts_at, hold.expires_at)


def _seat(one: Booking) -> Seat:
    return Seat(BookingId(one.booking_id), one.case_id, one.party_id, one.site_id, one.starts_at)


def in_a_thread(url: str, machine: type[Seats], check: Callable[[type[Seats]], None]) -> None:
    """Run ``check`` with a loop and a pool of its own: the rules are called without a loop."""
    with asyncio.Runner() as runner:
        database = runner.run(Database.connect(url, application="model", max_size=3))

        class Connected(machine):  # type: ignore[misc,valid-type]
            """The machine on this database."""

        Connected.run = staticmethod(runner.run)
        Connected.database = database
        try:
            check(Connected)
        finally:
            runner.run(database.close())
