"""The checklist's own steps at the counter: a proxy, the old card, the receipt."""

from fastapi import APIRouter, Depends

from services.issuance.api.desk import refuse_query
from services.issuance.api.step_bodies import OldCardSeen, ProxyShown, ReceiptSigned
from services.issuance.api.views import VisitView
from services.issuance.handlers import steps
from shared.http.call import CallDep
from shared.ids import CaseId, VisitId

router = APIRouter(
    prefix="/v1/visits/{visit_id}/cases/{case_id}",
    tags=["counter"],
    dependencies=[Depends(refuse_query)],
)


@router.post("/proxy", summary="Somebody comes for the citizen")
async def proxy(visit_id: VisitId, case_id: CaseId, body: ProxyShown, call: CallDep) -> VisitView:
    """With the reason, documents of identity and papers; what is lacking stays missing.

    An empty body says that the citizen is here after all.
    """
    async with call.unit() as unit:
        return VisitView.of(await steps.note_proxy(unit, visit_id, case_id, body.to_domain()))


@router.post("/old-card", summary="The old card or notification card")
async def old_card(
    visit_id: VisitId, case_id: CaseId, body: OldCardSeen, call: CallDep
) -> VisitView:
    """Returned or declared lost; required where the card is known to replace another."""
    async with call.unit() as unit:
        return VisitView.of(await steps.note_old_card(unit, visit_id, case_id, body.result))


@router.post("/receipt", summary="The citizen has signed the receipt")
async def receipt(
    visit_id: VisitId, case_id: CaseId, body: ReceiptSigned, call: CallDep
) -> VisitView:
    """Only that it was signed; the sheet itself is at ``GET …/receipt``."""
    async with call.unit() as unit:
        return VisitView.of(await steps.note_receipt(unit, visit_id, case_id))
