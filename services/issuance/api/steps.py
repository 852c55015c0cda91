"""The checklist's own steps at the counter: a proxy, the old card, the receipt."""

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from services.issuance.api.desk import refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.step_bodies import OldCardSeen, ProxyShown, ReceiptSigned
from services.issuance.api.views import VisitView
from services.issuance.handlers import steps
from shared.ids import CaseId, VisitId
from shared.unit import Unit

router = APIRouter(
    prefix="/v1/visits/{visit_id}/cases/{case_id}",
    tags=["counter"],
    dependencies=[Depends(refuse_query)],
)


@router.post("/proxy", response_model=VisitView, summary="Somebody comes for the citizen")
async def proxy(visit_id: VisitId, case_id: CaseId, body: ProxyShown, call: StepDep) -> Response:
    """With the reason, documents of identity and papers; what is lacking stays missing.

    An empty body says that the citizen is here after all.
    """

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await steps.note_proxy(unit, visit_id, case_id, body.to_domain()))

    return await step(call, body, command)


@router.post("/old-card", response_model=VisitView, summary="The old card or notification card")
async def old_card(
    visit_id: VisitId, case_id: CaseId, body: OldCardSeen, call: StepDep
) -> Response:
    """Returned or declared lost; required where the card is known to replace another."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await steps.note_old_card(unit, visit_id, case_id, body.result))

    return await step(call, body, command)


@router.post("/receipt", response_model=VisitView, summary="The citizen has signed the receipt")
async def receipt(
    visit_id: VisitId, case_id: CaseId, body: ReceiptSigned, call: StepDep
) -> Response:
    """Only that it was signed; the sheet itself is at ``GET …/receipt``."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await steps.note_receipt(unit, visit_id, case_id))

    return await step(call, body, command)
