"""Free seats by site and day, as they stand when asked; booking checks again.

Every rule that booking asks is asked here: acceptance, the horizon and shares of the site,
suspensions, and for a citizen's own case the days on which it may be served.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from services.reservation.domain.availability import (
    NEVER,
    Day,
    DayKey,
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
from services.reservation.handlers.board import Asked, Board, Known, SiteDays
from services.reservation.store import cases, holds
from shared.calendar import TOKYO, business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.ids import CaseId, SiteId
from shared.security.principal import Principal
from shared.unit import Unit

WHILE_SUSPENDED = timedelta(minutes=1)
"""How long an answer holds at a site that is suspended: until when, nobody may know."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: for a case of theirs, or in general; and the seats that they hold by site."""

    by_staff: bool = False
    case: CaseFacts | None = None
    held: Mapping[SiteId, Mapping[datetime, int]] = field(default_factory=dict)


ANYBODY = Asker()


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question of one asker at one moment."""

    board: Board
    question: Question
    by: Asker
    now: datetime

    @property
    def today(self) -> date:
        return business_date(self.now)

    @property
    def is_plain(self) -> bool:
        """Whether others who ask the same get the same answer."""
        return self.by.case is None and not self.by.held

    def key(self, procedure: Procedure) -> Asked:
        question = self.question
        return Asked(
            procedure,
            question.wards,
            question.first,
            question.last,
            question.party,
            (question.after, question.before),
            self.by.by_staff,
            self.today,
        )


@dataclass(frozen=True, slots=True)
class _At:
    """One site and procedure, and the days on which it may be booked there."""

    known: Known
    procedure: Procedure
    rules: Rules
    days: tuple[date, ...]

    @property
    def site(self) -> Site:
        return self.known.stored.site


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


def is_known(principal: Principal) -> bool:
    """Whether the answer may depend on who asks; then ``asker`` tells how."""
    return not principal.is_anonymous


async def find(board: Board, question: Question, by: Asker = ANYBODY) -> list[SiteDays]:
    """Sites that serve the wards with a procedure, and their free seats; nearest first, or by id.

    One entry for each site and procedure.
    """
    await board.fresh()
    asking = _Asking(board, question, by, board.now())
    asked = _asked(await board.sites(), question)
    if [one for one in asked if await board.extend(one.stored, _last(one, asking))]:
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


def _last(known: Known, asking: _Asking) -> date:
    """The last day for which cells are needed."""
    own = known.rules(asking.board.rules, asking.now)
    horizon = max(own.of(procedure).last_day(asking.today) for procedure in Procedure)
    return min(asking.question.last, horizon)


async def _of_site(asking: _Asking, known: Known) -> list[SiteDays]:
    served = [
        procedure
        for procedure in asking.question.procedures
        if _ever(known.stored.site, procedure, asking.question)
    ]
    found = {one: kept for one in served if (kept := _remembered(asking, known, one)) is not None}
    if missing := [_at(asking, known, one) for one in served if one not in found]:
        site_id = known.stored.site.site_id
        revision = known.revision
        seats = await asking.board.seats({(site_id, day) for at in missing for day in at.days})
        for at in missing:
            found[at.procedure] = _answer(asking, at, seats)
            if asking.is_plain:
                known.remember(asking.key(at.procedure), found[at.procedure], revision)
    return [found[procedure] for procedure in served]


def _remembered(asking: _Asking, known: Known, procedure: Procedure) -> SiteDays | None:
    kept = known.answers.get(asking.key(procedure)) if asking.is_plain else None
    return kept if kept is not None and asking.now < kept.until else None


def _at(asking: _Asking, known: Known, procedure: Procedure) -> _At:
    site, today, by = known.stored.site, asking.today, asking.by
    rules = known.rules(asking.board.rules, asking.now).of(procedure)
    first, last = rules.calendar.next_business_day(today), rules.last_day(today)
    if by.case is not None:
        own = window(by.case, site.site_id, today, rules, by_staff=by.by_staff)
        first, last = own.first, own.last
    first, last = max(first, asking.question.first), min(last, asking.question.last)
    wards = asking.question.wards or (None,)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return _At(
        known,
        procedure,
        rules,
        tuple(day for day in days if all(accepts(site, procedure, ward, day) for ward in wards)),
    )


def _answer(asking: _Asking, at: _At, seats: Mapping[DayKey, SeatDay]) -> SiteDays:
    found = list(_days(asking, at, seats))
    until = min((day.until for day in found), default=NEVER)
    return SiteDays(
        site=at.site,
        version=at.known.stored.version,
        procedure=at.procedure,
        days=tuple(day for day in found if day.starts),
        until=min(until, _clock_until(asking, at)),
    )


def _days(asking: _Asking, at: _At, seats: Mapping[DayKey, SeatDay]) -> Iterator[Day]:
    rules, question, site_id = at.rules, asking.question, at.site.site_id
    cell = timedelta(minutes=rules.cell_minutes)
    audience = _audience(asking, rules)
    for day in at.days:
        way = Way(
            count=rules.cells(at.procedure),
            party=question.party,
            kept=rules.kept(day, asking.today, audience),
            after=question.after,
            before=question.before,
            extra=asking.by.held.get(site_id),
        )
        usable = _usable(asking, at, day, seats[site_id, day])
        yield free_on(day, usable, way, cell, asking.now)


def _audience(asking: _Asking, rules: Rules) -> Audience:
    if asking.by.case is not None and urgent(asking.by.case, asking.today, rules):
        return Audience.URGENT
    return Audience.STAFF if asking.by.by_staff else Audience.CITIZEN


def _usable(asking: _Asking, at: _At, day: date, seats: SeatDay) -> SeatDay:
    """The seats of the day at which the national system can be used."""
    rules, site_id = at.rules, at.site.site_id
    stops = stops_at(day, rules)
    late = (
        bool(seats.cells)
        and seats.cells[-1].starts_at + timedelta(minutes=rules.cell_minutes) > stops
    )
    if not late and not at.known.suspensions:
        return seats
    system = NationalSystem({site_id: at.known.suspensions}, asking.now, rules)
    return SeatDay(
        tuple(
            one
            for one in seats.cells
            if system.serves(site_id, at.procedure, one.starts_at, rules.cell_minutes)
        )
    )


def _clock_until(asking: _Asking, at: _At) -> datetime:
    """When the answer becomes another by the clock alone."""
    ends = [midnight(asking.today + timedelta(days=1))]
    released = datetime.combine(asking.today, at.rules.released_at, TOKYO)
    if released > asking.now:
        ends.append(released)
    if at.known.suspensions:
        ends.append(asking.now + WHILE_SUSPENDED)
    return min(ends)
