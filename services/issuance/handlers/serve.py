"""Whole visits told of when they are over, many in one unit: read together, judged one by one by
the rules of single commands, written together.

Days are shared and files locked as at the door, in the same order, so that a sign-off and news of
a card wait for the whole or come before it. A visit that is refused leaves nothing. Counters are
not asked: what is told has happened there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.issuance.domain.booking import Booking, BookingUnknown, require_expected
from services.issuance.domain.case_file import CaseFile
from services.issuance.domain.certificates import LetterState
from services.issuance.domain.checklist import Checklist, Paper, Step
from services.issuance.domain.day import DaySignedOff
from services.issuance.domain.moments import VisitExists
from services.issuance.domain.notice import NoticeUnknown
from services.issuance.domain.satellite import SiteAway
from services.issuance.domain.serving import (
    Before,
    Served,
    asks_letter,
    finished,
    require_moments,
)
from services.issuance.domain.ticket import purposes_of
from services.issuance.domain.visit import AlreadyCheckedIn, CaseState, Visit
from services.issuance.handlers.arriving import Party, arrived
from services.issuance.handlers.check_in import renewal_opened
from services.issuance.handlers.served_events import say_served
from services.issuance.handlers.steps import ResultNotAccepted
from services.issuance.store import case_files, days, satellites, serving, serving_renewals
from services.issuance.store.serving import Over
from services.issuance.store.serving_renewals import Told
from shared.calendar import business_date
from shared.contracts.base import CaseOpened, Certificate, Procedure
from shared.errors import Problem
from shared.ids import CaseId, SiteId, VisitId, new_id
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class DoorRules:
    """How late still counts as in time, and within how many days a card has to expire."""

    grace: timedelta
    soon_days: int


@dataclass(slots=True)
class _Known:
    """What the rules ask, read once and kept up to date from row to row."""

    named: Mapping[int, CaseId | None]
    parties: Mapping[int, Sequence[Booking]]
    files: dict[CaseId, CaseFile]
    open_visits: Mapping[CaseId, VisitId]
    away: set[SiteId]
    closed_days: set[tuple[SiteId, date]]
    checklists: Mapping[date, Checklist]
    visits: set[VisitId]
    written: Mapping[CaseId, frozenset[Certificate]]
    letters: dict[CaseId, LetterState]


async def serve(unit: Unit, rows: Sequence[Served], rules: DoorRules) -> list[Visit | Problem]:
    """What became of each visit, in their order: the visit as it was when it was over, or why it
    is refused, as the single commands would have refused it.
    """
    begun = {n: _begun(row) for n, row in enumerate(rows) if row.ward is not None}
    known = await _read(unit, rows, begun)
    ends: list[Visit | Problem] = []
    over: list[Over] = []
    renewals: list[Told] = []
    opened: list[CaseOpened] = []
    for number, row in enumerate(rows):
        try:
            came, one = _judge(unit, number, row, known, rules)
        except Problem as problem:
            ends.append(problem)
            continue
        if number in begun:
            opened.append(begun[number])
            unit.emit(begun[number], time=row.checked_in_at)
        written = {
            case.case_id: known.written.get(case.case_id, frozenset()) | set(row.certificates)
            for case in came.cases
        }
        say_served(unit, came, one.visit, written, known.files)
        told = _renewals(row, one.visit, known)
        _note(known, one.visit, told)
        over.append(one)
        renewals += told
        ends.append(one.visit)
    if opened:
        await case_files.opened(unit.conn, [case_files.Opened.by(event) for event in opened])
    if over:
        await serving.write(unit.conn, over)
        await serving_renewals.write(unit.conn, renewals)
    return ends


def _begun(row: Served) -> CaseOpened:
    if row.ward is None:
        raise ValueError("only a walk-in's renewal begins here")
    return renewal_opened(row.case_id or CaseId(new_id()), row.ward)


async def _read(unit: Unit, rows: Sequence[Served], begun: Mapping[int, CaseOpened]) -> _Known:
    conn = unit.conn
    named = await _named(unit, rows)
    parties = await _parties(unit, rows, named)
    on = {_day(row) for row in rows}
    away = await satellites.away(conn, {site_id for site_id, _ in on})
    await days.share(conn, on)
    cases = {case_id for case_id in named.values() if case_id}
    cases |= {one.case_id for party in parties.values() for one in party}
    files = await case_files.lock(conn, cases)
    files |= {event.case_id: _file(event) for event in begun.values()}
    return _Known(
        named={**named, **{number: event.case_id for number, event in begun.items()}},
        parties=parties,
        files=files,
        away=away,
        open_visits=await serving.open_visits(conn, cases),
        closed_days=await serving.signed_off(conn, on),
        checklists=await serving.by_day(conn, {day for _, day in on}),
        visits=await serving.known_visits(conn, [row.visit_id for row in rows]),
        written=await serving.written_before(conn, cases),
        letters=(
            await serving_renewals.letters(conn, cases) if any(row.proxy for row in rows) else {}
        ),
    )


async def _named(unit: Unit, rows: Sequence[Served]) -> dict[int, CaseId | None]:
    """The case of each row that names one by itself or by its notice number."""
    keys = [key for row in rows for key in row.keys]
    of_notice = await serving.cases_of_notices(unit.conn, keys)
    named: dict[int, CaseId | None] = {}
    for number, row in enumerate(rows):
        if row.ward is None and row.booking_id is None:
            found = (of_notice.get((key.key_id, key.value)) for key in row.keys)
            named[number] = row.case_id or next(filter(None, found), None)
    return named


async def _parties(
    unit: Unit, rows: Sequence[Served], named: Mapping[int, CaseId | None]
) -> dict[int, Sequence[Booking]]:
    """The bookings that come together in each row, the one it names first; none for a walk-in."""
    spots = {n: (case_id, *_day(rows[n])) for n, case_id in named.items() if case_id}
    booked = await serving.booked_here(unit.conn, sorted(set(spots.values())))
    wanted = {n: row.booking_id for n, row in enumerate(rows) if row.booking_id}
    wanted |= {n: booked[spot] for n, spot in spots.items() if spot in booked}
    found = await serving.parties(unit.conn, set(wanted.values()))
    return {n: found[one] for n, one in wanted.items() if one in found}


def _day(row: Served) -> tuple[SiteId, date]:
    return row.site_id, business_date(row.checked_in_at)


def _file(event: CaseOpened) -> CaseFile:
    return CaseFile(event.case_id, event.procedure, event.kind, event.ward)


def _judge(
    unit: Unit, number: int, row: Served, known: _Known, rules: DoorRules
) -> tuple[Visit, Over]:
    """The visit of a row as it came, and when it was over.

    Raises what the single commands raise, and what ``finished`` raises.
    """
    unit.principal.require_site(row.site_id)
    require_moments(row, unit.now)
    if row.visit_id in known.visits:
        raise VisitExists
    if row.site_id in known.away:
        raise SiteAway
    if _day(row) in known.closed_days:
        raise DaySignedOff
    party = _party(number, row, known, rules)
    come = unit.part(unit.principal, unit.traceparent, now=row.checked_in_at)
    visit = arrived(come, row.site_id, party, known.files, rules.grace, visit_id=row.visit_id)
    open_cases = [case for case in visit.cases if case.state is CaseState.OPEN]
    for case in open_cases:
        if (other := known.open_visits.get(case.case_id)) is not None:
            raise AlreadyCheckedIn(extras={"visit_id": str(other)})
    purposes = purposes_of(case.procedure for case in open_cases)
    files = [known.files[case_id] for case_id in party.bookings]
    replacing = {file.case_id for file in files if file.old_card_expires_on is not None}
    before = Before(replacing, known.letters)
    over = finished(visit, row, known.checklists[visit.business_date], before)
    _require_accepted(over)
    return visit, Over(over, purposes, row.need, party.starts_at)


def _require_accepted(visit: Visit) -> None:
    """Raise ``ResultNotAccepted`` for a result that the checklist of its case does not take."""
    for case in visit.cases:
        for one in case.checklist.requirements:
            # What a proxy's step accepts are papers: these are judged as lacking or not.
            noted = None if one.step is Step.PROXY else case.checklist.done.get(one.step)
            if noted is not None and one.accepts and noted.result not in one.accepts:
                raise ResultNotAccepted(extras={"accepts": list(one.accepts)})


def _party(number: int, row: Served, known: _Known, rules: DoorRules) -> Party:
    booked = known.parties.get(number)
    if booked:
        require_expected(booked[0], *_day(row))
        return Party(booked[0].case_id, {one.case_id: one for one in booked})
    if row.booking_id is not None:
        raise BookingUnknown
    case_id = known.named[number]
    if case_id is None:
        raise NoticeUnknown
    return Party(case_id, {case_id: None}, rules.soon_days)


def _renewals(row: Served, visit: Visit, known: _Known) -> list[Told]:
    """What the visit leaves of renewals that a proxy came for, or whose states were told."""
    return [
        Told(
            case_id=case.case_id,
            visit_id=visit.visit_id,
            site_id=visit.site_id,
            ward=known.files[case.case_id].ward,
            at=row.ended_at,
            states=row.states if Step.CERTIFICATES in case.checklist.done else {},
            asks_letter=asks_letter(row, case),
            brings_reply=Paper.SEALED_REPLY in come.papers if come else False,
        )
        for case in visit.cases
        if (come := case.checklist.done.get(Step.PROXY)) or Step.CERTIFICATES in case.checklist.done
        if case.procedure is Procedure.CERTIFICATE_RENEWAL
    ]


def _note(known: _Known, visit: Visit, told: Sequence[Told]) -> None:
    known.visits.add(visit.visit_id)
    known.letters |= {one.case_id: LetterState.TO_MAIL for one in told if one.asks_letter}
    for case in visit.cases:
        if case.state is CaseState.DONE:
            known.files[case.case_id] = replace(known.files[case.case_id], is_done=True)
