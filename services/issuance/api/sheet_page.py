"""The sheet printed for a case, in both languages: a receipt, or what to bring next time."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from services.issuance.api.bodies import CounterName
from services.issuance.api.pages import load
from services.issuance.api.step_views import BringView
from services.issuance.api.words import WORDS
from services.issuance.domain.sheet import reference
from services.issuance.domain.visit import CaseState, VisitUnknown, case_of
from services.issuance.handlers.reading import read_visit
from shared.calendar import TOKYO
from shared.contracts.base import Procedure, SiteRef
from shared.contracts.issuance import DeferReason
from shared.http.call import CallDep
from shared.ids import CaseId, VisitId

Name = Annotated[CounterName, Path(description="As the counter's sign says.")]


def add_sheet(router: APIRouter) -> None:
    """Add the route of the sheet."""
    page = load("sheet.html", "sheet.css")

    @router.get(
        "/{site_id}/{counter}/sheets/{visit_id}/{case_id}",
        summary="The sheet of a case, to print",
        response_class=Response,
    )
    async def sheet(
        site_id: SiteRef, counter: Name, visit_id: VisitId, case_id: CaseId, call: CallDep
    ) -> Response:
        """A receipt to sign, or what to bring; a reference and no personal data."""
        async with call.unit() as unit:
            visit = await read_visit(unit, visit_id)
        if visit.site_id != site_id:
            raise VisitUnknown
        case = case_of(visit, case_id)
        done_at = case.closed_at if case.state is CaseState.DONE else None
        return page.answer(
            reference=reference(visit, case),
            site_id=visit.site_id,
            date=visit.business_date.isoformat(),
            procedure=WORDS[case.procedure],
            is_card=case.procedure is Procedure.CARD_ISSUANCE,
            done_at=f"{done_at.astimezone(TOKYO):%H:%M}" if done_at else None,
            is_deferred=case.state is CaseState.DEFERRED,
            is_outage=case.reason == DeferReason.NATIONAL_SYSTEM,
            bring=BringView.all_of(case),
        )
