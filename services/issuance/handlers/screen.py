"""What a counter's screen shows: the counter, the party at it, who waits, and what stands still."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.issuance.domain.board import Board
from services.issuance.domain.certificates import Renewal
from services.issuance.domain.counter import Counter, CounterState
from services.issuance.domain.identity import Accepted
from services.issuance.domain.national_system import NationalRules, Standing
from services.issuance.domain.ticket import Need
from services.issuance.domain.visit import CaseState, Visit
from services.issuance.handlers import certificates, national_system
from services.issuance.handlers.queue import read_ticket
from services.issuance.handlers.reading import read_visit
from services.issuance.store import checklists, counters, last_turn
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.ids import CaseId, SiteId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Screen:
    """The screen of the counter ``name``; ``others`` are those a party can be sent to.

    ``last`` is the party that was served here before, while nobody is here; ``accepted`` are the
    documents that count for each open case, ``renewals`` the certificates of each that has some.
    """

    site_id: SiteId
    name: str
    counter: Counter | None
    visit: Visit | None
    last: Visit | None
    need: Need | None
    others: tuple[str, ...]
    board: Board
    national: Standing
    accepted: Mapping[CaseId, Accepted] = field(default_factory=dict)
    renewals: Mapping[CaseId, Renewal] = field(default_factory=dict)


async def read_screen(
    unit: Unit, site_id: SiteId, name: str, board: Board, rules: NationalRules
) -> Screen:
    """The screen of a counter, known or not; looking at its party is audited."""
    counter = await counters.find(unit.conn, site_id, name)
    at_it = counter.visit_id if counter else None
    visit = await read_visit(unit, at_it) if at_it else None
    need = (await read_ticket(unit, at_it)).need if at_it else None
    known = await counters.of_site(unit.conn, site_id)
    others = tuple(
        one.counter for one in known if one.counter != name and one.state is not CounterState.CLOSED
    )
    return Screen(
        site_id=site_id,
        name=name,
        counter=counter,
        visit=visit,
        last=None if visit else await _last(unit, site_id, name),
        need=need,
        others=others,
        board=board,
        national=await national_system.read(unit.conn, site_id, unit.now, rules),
        accepted=await _accepted(unit, visit) if visit else {},
        renewals=await _renewals(unit, visit) if visit else {},
    )


async def _last(unit: Unit, site_id: SiteId, name: str) -> Visit | None:
    visit_id = await last_turn.ended_at(unit.conn, site_id, name, business_date(unit.now))
    return await read_visit(unit, visit_id) if visit_id else None


async def _accepted(unit: Unit, visit: Visit) -> dict[CaseId, Accepted]:
    return {
        case.case_id: await checklists.accepted(unit.conn, visit.visit_id, case.case_id)
        for case in visit.cases
        if case.state is CaseState.OPEN
    }


async def _renewals(unit: Unit, visit: Visit) -> dict[CaseId, Renewal]:
    return {
        case.case_id: await certificates.of_case(unit, visit, case)
        for case in visit.cases
        if case.procedure is Procedure.CERTIFICATE_RENEWAL and case.state is CaseState.OPEN
    }
