"""What a visit that is over has to say: the events that its single commands would have said, each
at the moment at which it happened.
"""

from collections.abc import Mapping, Set
from typing import assert_never

from services.issuance.domain.case_file import CaseFile, CaseUnknown
from services.issuance.domain.visit import CaseState, Visit, VisitCase
from services.issuance.handlers.arrivals import say_arrival
from services.issuance.handlers.deferring import abandonment, deferral
from shared.contracts.base import Certificate, Procedure
from shared.contracts.issuance import (
    AbandonReason,
    CardIssued,
    CertificateRenewed,
    DeferReason,
    VisitCalled,
    VisitCompleted,
)
from shared.ids import CaseId
from shared.unit import Unit


def say_served(
    unit: Unit,
    came: Visit,
    visit: Visit,
    written: Mapping[CaseId, Set[Certificate]],
    files: Mapping[CaseId, CaseFile],
) -> None:
    """Say all of ``visit``, that ``came`` as it did, and audit each of its cases once.

    ``written`` are the certificates of each renewal, those of an earlier visit among them.
    """
    say_arrival(unit, came)
    for before, case in zip(came.cases, visit.cases, strict=True):
        if before.state is CaseState.OPEN:
            _say_call(unit, visit, case)
            _say_end(unit, visit, case, written[case.case_id], files[case.case_id])
        unit.audit(
            "visit.serve",
            subject=str(case.case_id),
            site_id=visit.site_id,
            visit=str(visit.visit_id),
            outcome=case.state,
        )


def _say_call(unit: Unit, visit: Visit, case: VisitCase) -> None:
    if visit.called_at is not None and visit.counter is not None:
        event = VisitCalled(
            case_id=case.case_id,
            site_id=visit.site_id,
            visit_id=visit.visit_id,
            counter=visit.counter,
        )
        unit.emit(event, time=visit.called_at)


def _say_end(
    unit: Unit,
    visit: Visit,
    case: VisitCase,
    written: Set[Certificate],
    file: CaseFile,
) -> None:
    at = visit.ended_at
    about = {"case_id": case.case_id, "site_id": visit.site_id, "visit_id": visit.visit_id}
    match case.state:
        case CaseState.DONE:
            unit.emit(_ended(visit, case, written, file), time=at)
            unit.emit(VisitCompleted(**about, procedure=case.procedure), time=at)
        case CaseState.DEFERRED:
            reason = DeferReason(case.reason or DeferReason.OTHER)
            unit.emit(deferral(visit, case, reason), time=at)
        case CaseState.ABANDONED:
            unit.emit(abandonment(visit, case, AbandonReason.LEFT), time=at)
        case CaseState.OPEN:
            raise ValueError("a visit that is over has no open case")
        case _:
            assert_never(case.state)


def _ended(
    visit: Visit, case: VisitCase, written: Set[Certificate], file: CaseFile
) -> CardIssued | CertificateRenewed:
    if file.kind is None or file.ward is None:
        raise CaseUnknown
    about = {
        "case_id": case.case_id,
        "site_id": visit.site_id,
        "visit_id": visit.visit_id,
        "booking_id": case.booking_id,
        "procedure": case.procedure,
        "kind": file.kind,
        "ward": file.ward,
    }
    if case.procedure is Procedure.CARD_ISSUANCE:
        return CardIssued(**about)
    return CertificateRenewed(**about, certificates=tuple(sorted(written)))
