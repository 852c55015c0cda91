"""How a case leaves a visit without its end, or waits in it: what is said of it everywhere."""

from services.issuance.domain.bring import to_bring
from services.issuance.domain.visit import Visit, VisitCase
from shared.contracts.issuance import (
    AbandonReason,
    DeferReason,
    VisitAbandoned,
    VisitDeferred,
    VisitPaused,
)


def deferral(visit: Visit, case: VisitCase, reason: DeferReason) -> VisitDeferred:
    """The citizen comes again, with what was lacking."""
    return VisitDeferred(
        case_id=case.case_id,
        site_id=visit.site_id,
        visit_id=visit.visit_id,
        reason=reason,
        booking_id=case.booking_id,
        bring=to_bring(case, reason),
    )


def abandonment(visit: Visit, case: VisitCase, reason: AbandonReason) -> VisitAbandoned:
    """Nothing was done."""
    return VisitAbandoned(
        case_id=case.case_id,
        site_id=visit.site_id,
        visit_id=visit.visit_id,
        reason=reason,
        booking_id=case.booking_id,
    )


def pause(visit: Visit, case: VisitCase) -> VisitPaused:
    """The citizen waits here until the national system goes on."""
    return VisitPaused(
        case_id=case.case_id,
        site_id=visit.site_id,
        visit_id=visit.visit_id,
        booking_id=case.booking_id,
    )
