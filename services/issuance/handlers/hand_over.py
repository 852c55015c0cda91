"""A procedure ends exactly once per case: ``procedure_ended`` is claimed before anything is said.

The case's file is locked while it is judged, so a card voided or held in the same moment is either
refused here or was handed over before the news was taken in.
"""

from dataclasses import replace

from services.issuance.domain.case_file import AlreadyDone, CaseFile, CaseUnknown, require_servable
from services.issuance.domain.certificates import recorded, wrote
from services.issuance.domain.checklist import Step
from services.issuance.domain.visit import CaseState, Visit, VisitCase
from services.issuance.handlers.certificates import keep_answer, of_case
from services.issuance.handlers.counter import (
    end_if_nothing_is_left,
    locked_case,
    record,
    written,
)
from services.issuance.handlers.satellites import is_decided, require_here
from services.issuance.store import case_files, visits
from shared.calendar import business_date
from shared.contracts.base import CaseKind, Certificate
from shared.contracts.issuance import CardIssued, CertificateRenewed
from shared.ids import CaseId, VisitId, WardCode
from shared.unit import Unit


async def issue(unit: Unit, visit_id: VisitId, case_id: CaseId) -> Visit:
    """The card is put into the citizen's hand.

    Raises ``VisitUnknown``, ``Forbidden`` (site), what ``open_case`` and ``require_step`` raise,
    and an ``Unservable``: the card was voided, held, taken away or issued before.
    """
    visit, case = await locked_case(unit, visit_id, case_id, Step.ISSUE)
    kind, ward = await _finish(unit, visit, case)
    closed = replace(case, state=CaseState.DONE, closed_at=unit.now)
    unit.emit(
        CardIssued(
            case_id=case_id,
            site_id=visit.site_id,
            visit_id=visit_id,
            booking_id=case.booking_id,
            procedure=case.procedure,
            kind=kind,
            ward=ward,
        )
    )
    record(unit, "card.issue", visit, case)
    return await end_if_nothing_is_left(unit, written(visit, closed))


async def renew(
    unit: Unit, visit_id: VisitId, case_id: CaseId, certificates: tuple[Certificate, ...]
) -> Visit:
    """New certificates were written to the citizen's card, some of them perhaps before a failure.

    Raises as ``issue`` and ``require_writable`` do.
    """
    visit, case = await locked_case(unit, visit_id, case_id, Step.RENEW)
    before, which = await of_case(unit, visit, case), frozenset(certificates)
    renewal = recorded(before, which) if is_decided(unit) else wrote(before, which)
    await keep_answer(unit, case_id, renewal)
    kind, ward = await _finish(unit, visit, case)
    closed = replace(case, state=CaseState.DONE, closed_at=unit.now)
    unit.emit(
        CertificateRenewed(
            case_id=case_id,
            site_id=visit.site_id,
            visit_id=visit_id,
            booking_id=case.booking_id,
            procedure=case.procedure,
            kind=kind,
            ward=ward,
            certificates=tuple(sorted(renewal.written)),
        )
    )
    record(unit, "certificate.renew", visit, case)
    return await end_if_nothing_is_left(unit, written(visit, closed))


async def _finish(unit: Unit, visit: Visit, case: VisitCase) -> tuple[CaseKind, WardCode]:
    file = (await case_files.lock(unit.conn, [case.case_id]))[case.case_id]
    await require_here(unit, visit.site_id)
    if not is_decided(unit):
        require_servable(file, visit.site_id, business_date(unit.now))
    ended = await visits.end_procedure(
        unit.conn, visit.visit_id, case.case_id, visit.site_id, unit.now
    )
    if not ended:
        raise AlreadyDone
    await visits.close_case(unit.conn, visit.visit_id, case.case_id, CaseState.DONE, at=unit.now)
    return _counted_as(file)


def _counted_as(file: CaseFile) -> tuple[CaseKind, WardCode]:
    """Kind and ward of residence on the day: what the city counts."""
    if file.kind is None or file.ward is None:
        raise CaseUnknown
    return file.kind, file.ward
