"""At the counter: the party is called, and each case goes step by step.

Every command takes the visit's row first, so that two clerks at one visit act one after the other.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.issuance.domain.checklist import Step
from services.issuance.domain.counter import require_free, require_open
from services.issuance.domain.identity import Document, require_proof
from services.issuance.domain.satellite import AtSatellite
from services.issuance.domain.visit import (
    CaseState,
    Visit,
    VisitCase,
    VisitState,
    VisitUnknown,
    open_case,
    require_running,
    require_step,
)
from services.issuance.handlers.deferring import deferral
from services.issuance.handlers.satellites import is_decided
from services.issuance.store import checklists, counters, turns, visits
from shared.contracts.issuance import DeferReason, VisitCalled, VisitCompleted
from shared.ids import CaseId, VisitId
from shared.unit import Unit


async def call(unit: Unit, visit_id: VisitId, counter: str) -> Visit:
    """Call the party to ``counter``; calling it there again changes nothing.

    A counter that is known here has to be open and free; those of a satellite that tells of it
    afterwards are its own. Raises ``VisitUnknown``, ``Forbidden``
    (site), ``VisitEnded``, ``CounterNotOpen`` and ``CounterBusy``.
    """
    site_id = await visits.site_of(unit.conn, visit_id)
    if site_id is None:
        raise VisitUnknown
    unit.principal.require_site(site_id)
    told = isinstance(unit.principal, AtSatellite)
    known = None if told else await counters.lock(unit.conn, site_id, counter)
    visit = await locked(unit, visit_id)
    require_running(visit)
    if visit.state is VisitState.CALLED and visit.counter == counter:
        return visit
    if known is not None:
        require_open(known)
        require_free(known, but=visit_id)
    return await called(unit, visit, counter)


async def called(unit: Unit, visit: Visit, counter: str) -> Visit:
    """Put a locked visit to a locked counter, and say so."""
    visit_id = visit.visit_id
    await visits.called(unit.conn, visit_id, counter, unit.now)
    told = isinstance(unit.principal, AtSatellite)
    await turns.begin(unit.conn, visit, counter, unit.now, is_here=not told)
    for case in visit.cases:
        if case.state is CaseState.OPEN:
            unit.emit(
                VisitCalled(
                    case_id=case.case_id, site_id=visit.site_id, visit_id=visit_id, counter=counter
                )
            )
            record(unit, "visit.call", visit, case)
    return replace(
        visit,
        state=VisitState.CALLED,
        counter=counter,
        called_at=unit.now,
        version=visit.version + 1,
    )


async def verify_identity(
    unit: Unit, visit_id: VisitId, case_id: CaseId, documents: Sequence[Document]
) -> Visit:
    """Note that identity was proved by these documents; only their types are kept.

    Raises ``VisitUnknown``, ``Forbidden`` (site), what ``open_case``, ``require_step`` and
    ``require_proof`` raise.
    """
    visit, case = await locked_case(unit, visit_id, case_id, Step.IDENTITY)
    require_proof(documents, await checklists.accepted(unit.conn, visit_id, case_id))
    types = sorted({document.type for document in documents})
    if case.identified_at is None or case.documents != tuple(types):
        await visits.identified(unit.conn, visit_id, case_id, types, unit.now)
        record(unit, "case.verify_identity", visit, case)
        return written(visit, replace(case, documents=tuple(types), identified_at=unit.now))
    return visit


async def confirm_pin(unit: Unit, visit_id: VisitId, case_id: CaseId) -> Visit:
    """Note that the citizen has set the PIN, which nobody here ever sees.

    Raises ``VisitUnknown``, ``Forbidden`` (site), and what ``open_case`` and ``require_step``
    raise.
    """
    visit, case = await locked_case(unit, visit_id, case_id, Step.PIN_SET)
    if case.pin_set_at is None:
        await visits.pin_set(unit.conn, visit_id, case_id, unit.now)
        record(unit, "case.confirm_pin", visit, case)
        return written(visit, replace(case, pin_set_at=unit.now))
    return visit


async def defer(unit: Unit, visit_id: VisitId, case_id: CaseId, reason: DeferReason) -> Visit:
    """Let the citizen come again for this case.

    Raises ``VisitUnknown``, ``Forbidden`` (site) and what ``open_case`` raises.
    """
    visit = await locked(unit, visit_id)
    case = open_case(visit, case_id)
    state = CaseState.DEFERRED
    await visits.close_case(unit.conn, visit_id, case_id, state, reason=reason, at=unit.now)
    unit.emit(deferral(visit, case, reason))
    record(unit, "case.defer", visit, case)
    closed = replace(case, state=state, reason=reason, closed_at=unit.now)
    return await end_if_nothing_is_left(unit, written(visit, closed))


async def locked_case(
    unit: Unit, visit_id: VisitId, case_id: CaseId, step: Step
) -> tuple[Visit, VisitCase]:
    """The locked visit and its case, if ``step`` may be done now."""
    visit = await locked(unit, visit_id)
    case = open_case(visit, case_id)
    if not is_decided(unit):
        require_step(visit, case, step)
    return visit, case


async def locked(unit: Unit, visit_id: VisitId) -> Visit:
    """The visit, locked, if the caller may act at its site."""
    visit = await visits.lock(unit.conn, visit_id)
    if visit is None:
        raise VisitUnknown
    unit.principal.require_site(visit.site_id)
    return visit


def written(visit: Visit, case: VisitCase) -> Visit:
    """The locked visit as it is now that ``case`` was written: nobody else can have changed it."""
    cases = tuple(case if one.case_id == case.case_id else one for one in visit.cases)
    return replace(visit, version=visit.version + 1, cases=cases)


async def reread(unit: Unit, visit_id: VisitId) -> Visit:
    """The visit as it is now in this unit."""
    visit = await visits.find(unit.conn, visit_id)
    if visit is None:
        raise VisitUnknown
    return visit


async def end_if_nothing_is_left(unit: Unit, visit: Visit) -> Visit:
    """End the locked visit once none of its cases is open; say so for each case that was done."""
    if any(case.state is CaseState.OPEN for case in visit.cases):
        return visit
    await visits.end(unit.conn, visit.visit_id, unit.now)
    tell_completed(unit, visit)
    version = visit.version + 1
    return replace(visit, state=VisitState.ENDED, ended_at=unit.now, version=version)


def tell_completed(unit: Unit, visit: Visit) -> None:
    """Say for each case that was done that its visit is completed."""
    for case in visit.cases:
        if case.state is CaseState.DONE:
            unit.emit(
                VisitCompleted(
                    case_id=case.case_id,
                    site_id=visit.site_id,
                    visit_id=visit.visit_id,
                    procedure=case.procedure,
                )
            )


def record(unit: Unit, action: str, visit: Visit, case: VisitCase, **references: str | int) -> None:
    """Audit an act on one case of a visit."""
    visit_id = str(visit.visit_id)
    unit.audit(
        action, subject=str(case.case_id), site_id=visit.site_id, visit=visit_id, **references
    )
