"""What a party that has come has to say: one event per case."""

from services.issuance.domain.visit import CaseState, Visit
from services.issuance.handlers.deferring import deferral
from shared.contracts.issuance import DeferReason, VisitCheckedIn
from shared.unit import Unit


def tell_arrival(unit: Unit, visit: Visit) -> None:
    """Say who has come, and audit it."""
    say_arrival(unit, visit)
    for case in visit.cases:
        unit.audit(
            "visit.check_in",
            subject=str(case.case_id),
            site_id=visit.site_id,
            visit=str(visit.visit_id),
        )


def say_arrival(unit: Unit, visit: Visit) -> None:
    """Say who has come, and what cannot be done for whom."""
    at = visit.checked_in_at
    about = {"site_id": visit.site_id, "visit_id": visit.visit_id}
    for case in visit.cases:
        event = VisitCheckedIn(
            case_id=case.case_id,
            booking_id=case.booking_id,
            procedure=case.procedure,
            arrival=visit.arrival,
            **about,
        )
        unit.emit(event, time=at)
        if case.state is CaseState.DEFERRED and case.reason is not None:
            unit.emit(deferral(visit, case, DeferReason(case.reason)), time=at)
