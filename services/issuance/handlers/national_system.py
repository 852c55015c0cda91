"""What the national system allows now, and what becomes of visits that its stop has caught.

``require_up`` is asked by the doors at which something is done now; what is told afterwards has
happened, and is not asked.
"""

from collections.abc import Sequence
from datetime import datetime

from services.issuance.domain.national_system import (
    NationalRules,
    Standing,
    Suspension,
    SystemNotStopped,
    Then,
    require_running,
    standing,
)
from services.issuance.domain.visit import CaseState, Visit, VisitCase, VisitState
from services.issuance.handlers import counter, queue
from services.issuance.handlers.deferring import pause
from services.issuance.store import national_system, visits
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.issuance import DeferReason
from shared.db import Connection
from shared.ids import CaseId, SiteId, VisitId
from shared.unit import Unit


async def read(conn: Connection, site_id: SiteId, now: datetime, rules: NationalRules) -> Standing:
    """What stands still at a site."""
    return standing(site_id, await national_system.of_site(conn, site_id), now, rules)


async def ahead(unit: Unit, site_id: SiteId) -> Sequence[Suspension]:
    """The suspensions of a site that are announced or go on."""
    return await national_system.of_site(unit.conn, site_id)


async def require_up(unit: Unit, visit_id: VisitId, case_id: CaseId, rules: NationalRules) -> None:
    """Raise ``SystemStopped`` where the open case cannot go on now; of others nothing is said."""
    found = await national_system.of_case(unit.conn, visit_id, case_id)
    if found is not None:
        site_id, procedure, suspensions = found
        require_running(standing(site_id, suspensions, unit.now, rules), procedure)


async def interrupt(unit: Unit, visit_id: VisitId, then: Then, rules: NationalRules) -> Visit:
    """Let a visit that the stop has caught wait, or its cases be rebooked.

    Raises ``VisitUnknown``, ``Forbidden`` (site) and ``SystemNotStopped``.
    """
    visit = await counter.locked(unit, visit_id)
    stopped = await read(unit.conn, visit.site_id, unit.now, rules)
    if not _caught(visit, stopped):
        raise SystemNotStopped
    return await _interrupt(unit, visit, then, stopped)


async def interrupt_site(
    unit: Unit, site_id: SiteId, then: Then, rules: NationalRules
) -> list[Visit]:
    """The same for every visit of today at a site; those that it has caught.

    Raises ``SystemNotStopped`` where nothing stands still.
    """
    stopped = await read(unit.conn, site_id, unit.now, rules)
    if not stopped.stops:
        raise SystemNotStopped
    today = business_date(unit.now)
    unfinished = await visits.lock_unfinished(unit.conn, site_id, today)
    return [
        await _interrupt(unit, visit, then, stopped)
        for visit in unfinished
        if _caught(visit, stopped)
    ]


def _caught(visit: Visit, stopped: Standing) -> list[VisitCase]:
    return [
        case
        for case in visit.cases
        if case.state is CaseState.OPEN and Procedure(case.procedure) in stopped.stops
    ]


async def _interrupt(unit: Unit, visit: Visit, then: Then, stopped: Standing) -> Visit:
    caught = _caught(visit, stopped)
    if then is Then.WAIT:
        for case in caught:
            unit.emit(pause(visit, case))
        if visit.state is VisitState.CALLED:
            return await queue.transfer(unit, visit.visit_id, None)
        return visit
    for case in caught:
        visit = await counter.defer(unit, visit.visit_id, case.case_id, DeferReason.NATIONAL_SYSTEM)
    return visit
