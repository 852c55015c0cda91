"""At the counter, case by case: identity, PIN set, hand-over or renewal, or come again."""

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from services.issuance.api.bodies import Deferral, Identity, Nothing, PinSet, Renewal
from services.issuance.api.desk import DeskDep, refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import VisitView
from services.issuance.handlers import counter, hand_over, national_system
from shared.http.call import OnceDep
from shared.ids import CaseId, VisitId
from shared.unit import Unit

router = APIRouter(
    prefix="/v1/visits/{visit_id}/cases/{case_id}",
    tags=["counter"],
    dependencies=[Depends(refuse_query)],
)


@router.post("/identity", response_model=VisitView, summary="Identity was proved")
async def identity(visit_id: VisitId, case_id: CaseId, body: Identity, call: StepDep) -> Response:
    """One document of class A or two different ones of class B; only the types are kept."""
    documents = [shown.to_domain() for shown in body.documents]

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await counter.verify_identity(unit, visit_id, case_id, documents))

    return await step(call, body, command)


@router.post("/pin-set", response_model=VisitView, summary="The citizen has set the PIN")
async def pin_set(
    visit_id: VisitId, case_id: CaseId, body: PinSet, call: StepDep, desk: DeskDep
) -> Response:
    """Only that it was done. A PIN sent here is refused and appears nowhere."""

    async def command(unit: Unit) -> VisitView:
        await national_system.require_up(unit, visit_id, case_id, desk.national)
        return VisitView.of(await counter.confirm_pin(unit, visit_id, case_id))

    return await step(call, body, command)


@router.post("/issue", response_model=VisitView, summary="The card is in the citizen's hand")
async def issue(
    visit_id: VisitId,
    case_id: CaseId,
    call: OnceDep,
    desk: DeskDep,
    body: Nothing | None = None,
) -> Response:
    """Exactly once per case, whatever is clicked twice or on two terminals."""

    async def command(unit: Unit) -> VisitView:
        await national_system.require_up(unit, visit_id, case_id, desk.national)
        return VisitView.of(await hand_over.issue(unit, visit_id, case_id))

    return await call.once(b"", command, status=200)


@router.post("/renew", response_model=VisitView, summary="Certificates were written")
async def renew(
    visit_id: VisitId, case_id: CaseId, body: Renewal, call: OnceDep, desk: DeskDep
) -> Response:
    """Exactly once per case; for the procedure ``certificate_renewal``."""

    async def command(unit: Unit) -> VisitView:
        await national_system.require_up(unit, visit_id, case_id, desk.national)
        return VisitView.of(await hand_over.renew(unit, visit_id, case_id, body.certificates))

    return await call.once(body, command, status=200)


@router.post("/defer", response_model=VisitView, summary="The citizen comes again")
async def defer(visit_id: VisitId, case_id: CaseId, body: Deferral, call: StepDep) -> Response:
    """Closes the case in this visit; its booking is used up by the visit."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await counter.defer(unit, visit_id, case_id, body.reason))

    return await step(call, body, command)
