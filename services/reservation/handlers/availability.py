"""Free seats by site and day, as they stand when asked; booking checks again.

Every rule that booking asks is asked here: acceptance, the horizon and shares of the site,
suspensions, and for a citizen's own case the days on which it may be served.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeAlias

from services.reservation.domain.availability import (
    NEVER,
    Question,
    SeatDay,
    Way,
    free_on,
)
from services.reservation.domain.case import CaseFacts, urgent, window
from services.reservation.domain.cells import midnight
from services.reservation.domain.distance import kilometres
from services.reservation.domain.national_system import NationalSystem, stops_at
from services.reservation.domain.opening import accepts, ever_accepts
from services.reservation.domain.rules import Audience, Rules
from services.reservation.handlers.board import Asked, Board, Known, Plan, SiteDays, Telling, Told
from services.reservation.store import cases, holds
from services.reservation.store.sites import StoredSite
from shared.calendar import TOKYO, business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.ids import CaseId, SiteId
from shared.unit import Unit

AT_A_TIME = 10
"""Days worked out without letting others have a turn: some milliseconds where none is known."""
WHILE_SUSPENDED = timedelta(minutes=1)
"""How long an answer holds at a site that is suspended: until when, nobody may know."""


Write: TypeAlias = Callable[[Question, Sequence[SiteDays]], Awaitable[tuple[str, bytes]]]
"""Writes an answer down: its version, and the whole of it."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: for a case of theirs, or in general; and the seats that they hold by site."""

    by_staff: bool = False
    case: CaseFacts | None = None
    held: Mapping[SiteId, Mapping[datetime, int]] = field(default_factory=dict)


ANYBODY = Asker()


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question of one asker at one moment; ``keys`` say when two have the same answer."""

    board: Board
    question: Question
    by: Asker
    now: datetime
    today: date
    keys: Mapping[Procedure, Asked]

    @classmethod
    def of(cls, board: Board, question: Question, by: Asker) -> "_Asking":
        now = board.now()
        today = business_date(now)
        hours = (question.after, question.before)
        days = (question.first, question.last)
        keys = {
            procedure: Asked(
                procedure, question.wards, *days, question.party, hours, by.by_staff, today
            )
            for procedure in question.procedures
        }
        return cls(board, question, by, now, today, keys)

    @property
    def is_plain(self) -> bool:
        """Whether others who ask the same get the same answer."""
        return self.by.case is None and not self.by.held


async def asker(unit: Unit, case_id: CaseId | None, rules: Rules) -> Asker:
    """Who asks, with what they hold; ``case_id`` narrows the answer to where it may be served.

    Raises ``CaseForbidden``.
    """
    principal = unit.principal
    case = None
    if case_id is not None:
        principal.require_case(case_id)
        case = next(iter(await cases.read(unit.conn, [case_id])), CaseFacts(case_id))
    held: dict[SiteId, Mapping[datetime, int]] = {}
    own = await holds.own(unit.conn, principal.subject)
    if own is not None and own.expires_at > unit.now:
        held[own.site_id] = own.cells(rules.cell_minutes)
    return Asker(principal.is_staff, case, held)


async def find(board: Board, question: Question, by: Asker = ANYBODY) -> list[SiteDays]:
    """Sites that serve the wards with a procedure, and their free seats; nearest first, or by id.

    One entry for each site and procedure.
    """
    await board.fresh()
    return await _find(board, question, by)


async def tell(board: Board, question: Question, write: Write) -> Told:
    """What ``find`` finds for anybody, as ``write`` writes it down; written again once it changes.

    Equal writers write the same.
    """
    telling = Telling(question, write)
    again = partial(_tell, board, telling, write)
    board.lately.note(telling, again)
    await board.fresh()
    return await again()


def nothing_for(question: Question, entries: Sequence[SiteDays]) -> frozenset[Procedure]:
    """The procedures asked for of which no site has a seat."""
    return frozenset(question.procedures) - {one.procedure for one in entries if one.days}


async def _tell(board: Board, telling: Telling, write: Write) -> Told:
    async def find_out() -> Told:
        entries = await _find(board, telling.question, ANYBODY)
        version, body = await write(telling.question, entries)
        until = min((one.until for one in entries), default=NEVER)
        return Told(version, body, until, nothing_for(telling.question, entries))

    return await board.told.ask(telling, board.now(), find_out)


async def _find(board: Board, question: Question, by: Asker) -> list[SiteDays]:
    asking = _Asking.of(board, question, by)
    asked = _asked(await board.sites(), question)
    short = [one for one in asked if _is_short(one.stored, question.last)]
    if [one for one in short if await board.extend(one.stored, _last(one, asking))]:
        await board.fresh()
        asked = _asked(await board.sites(), question)
    return [entry for known in asked for entry in await _of_site(asking, known)]


def distance(site: Site, question: Question) -> float | None:
    """Kilometres from where was asked; none where no place was named."""
    return None if question.near is None else kilometres(site, question.near)


def _asked(known: Mapping[SiteId, Known], question: Question) -> list[Known]:
    found = [one for one in known.values() if _is_asked(one.stored.site, question)]
    if question.near is None:
        return found
    far = {one.stored.site.site_id: kilometres(one.stored.site, question.near) for one in found}
    limit = question.within_km
    near = [one for one in found if limit is None or far[one.stored.site.site_id] <= limit]
    return sorted(near, key=lambda one: far[one.stored.site.site_id])


def _is_asked(site: Site, question: Question) -> bool:
    if question.site_ids is not None and site.site_id not in question.site_ids:
        return False
    return any(_ever(site, procedure, question) for procedure in question.procedures)


def _ever(site: Site, procedure: Procedure, question: Question) -> bool:
    return all(ever_accepts(site, procedure, ward) for ward in question.wards or (None,))


def _is_short(stored: StoredSite, last: date) -> bool:
    return stored.made_until is None or stored.made_until < last


def _last(known: Known, asking: _Asking) -> date:
    """The last day for which cells are needed."""
    own = known.rules(asking.board.rules, asking.now)
    horizon = max(own.of(procedure).last_day(asking.today) for procedure in Procedure)
    return min(asking.question.last, horizon)


async def _of_site(asking: _Asking, known: Known) -> list[SiteDays]:
    site = known.stored.site
    served = [one for one in asking.question.procedures if _ever(site, one, asking.question)]
    return [await _of_procedure(asking, known, one) for one in served]


async def _of_procedure(asking: _Asking, known: Known, procedure: Procedure) -> SiteDays:
    if not asking.is_plain:
        return await _answer(asking, known, _plan(asking, known, procedure))
    asked = asking.keys[procedure]

    async def find_out() -> SiteDays:
        plan = known.plan(asked, asking.now)
        if plan is None:
            plan = _plan(asking, known, procedure)
            known.settle(asked, plan)
        return await _answer(asking, known, plan)

    return await known.answers.ask(asked, asking.now, find_out)


def _plan(asking: _Asking, known: Known, procedure: Procedure) -> Plan:
    site, today, by, question = known.stored.site, asking.today, asking.by, asking.question
    rules = known.rules(asking.board.rules, asking.now).of(procedure)
    first, last = rules.calendar.next_business_day(today), rules.last_day(today)
    if by.case is not None:
        own = window(by.case, site.site_id, today, rules, by_staff=by.by_staff)
        first, last = own.first, own.last
    first, last = max(first, question.first), min(last, question.last)
    wards, audience = question.wards or (None,), _audience(asking, rules)
    ways = {
        day: Way(
            count=rules.cells(procedure),
            party=question.party,
            kept=rules.kept(day, today, audience),
            after=question.after,
            before=question.before,
            extra=by.held.get(site.site_id),
        )
        for day in (first + timedelta(days=number) for number in range((last - first).days + 1))
        if all(accepts(site, procedure, ward, day) for ward in wards)
    }
    return Plan(procedure, rules, ways, _clock_until(asking, known, rules))


async def _answer(asking: _Asking, known: Known, plan: Plan) -> SiteDays:
    site = known.stored.site
    seats = await asking.board.seats([(site.site_id, day) for day in plan.ways])
    cell = timedelta(minutes=plan.rules.cell_minutes)
    found = []
    for number, (day, way) in enumerate(plan.ways.items()):
        if number % AT_A_TIME == 0:
            await asyncio.sleep(0)
        usable = _usable(asking, known, plan, seats[site.site_id, day])
        found.append(free_on(day, usable, way, cell, asking.now))
    until = min((day.until for day in found), default=NEVER)
    days = tuple(day for day in found if day.starts)
    return SiteDays(site, known.stored.version, plan.procedure, days, min(until, plan.until))


def _audience(asking: _Asking, rules: Rules) -> Audience:
    if asking.by.case is not None and urgent(asking.by.case, asking.today, rules):
        return Audience.URGENT
    return Audience.STAFF if asking.by.by_staff else Audience.CITIZEN


def _usable(asking: _Asking, known: Known, plan: Plan, seats: SeatDay) -> SeatDay:
    """The seats of the day at which the national system can be used."""
    if not seats.cells:
        return seats
    site_id, minutes = known.stored.site.site_id, plan.rules.cell_minutes
    closes = seats.cells[-1].starts_at + timedelta(minutes=minutes)
    if not known.suspensions and closes <= stops_at(business_date(closes), plan.rules):
        return seats
    system = NationalSystem({site_id: known.suspensions}, asking.now, plan.rules)
    return SeatDay(
        tuple(
            one
            for one in seats.cells
            if system.serves(site_id, plan.procedure, one.starts_at, minutes)
        )
    )


def _clock_until(asking: _Asking, known: Known, rules: Rules) -> datetime:
    """When the answer becomes another by the clock alone."""
    ends = [midnight(asking.today + timedelta(days=1))]
    released = datetime.combine(asking.today, rules.released_at, TOKYO)
    if released > asking.now:
        ends.append(released)
    if known.suspensions:
        ends.append(asking.now + WHILE_SUSPENDED)
    return min(ends)
