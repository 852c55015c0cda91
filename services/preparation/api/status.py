"""Where is my card? For citizens, in their words."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.api.parts import CASE, LanguageDep, ToolsDep, as_json
from services.preparation.domain.desks import Desk
from services.preparation.domain.journey import Mark, journey
from services.preparation.domain.progress import Progress
from services.preparation.domain.stages import Stage
from services.preparation.handlers import reads
from services.preparation.handlers.expectations import Expectations, Expected
from services.preparation.store.progress import CaseView
from shared.contracts.base import CaseKind, Procedure
from shared.errors import Language
from shared.http.call import CallDep
from shared.ids import CaseId, SiteId, WardCode

router = APIRouter(prefix="/v1/status", tags=["status"])


def _expectations(request: Request) -> Expectations:
    kept: Expectations = request.app.state.expectations
    return kept


ExpectationsDep = Annotated[Expectations, Depends(_expectations)]


class BookedVisit(BaseModel):
    """The visit that is booked."""

    site_id: SiteId = Field(examples=["kawasaki-ward-office"])
    starts_at: datetime


class Step(BaseModel):
    """A mark on the way of the card."""

    step: Mark
    title: str
    reached: bool
    on: date | None = Field(description="The day, where it is known.")


class CaseStatus(BaseModel):
    """One case of the citizen."""

    case_id: CaseId = Field(examples=[CASE])
    procedure: Procedure
    kind: CaseKind
    ward: WardCode
    progress: Progress
    since: datetime = Field(description="When the card came to where it is now.")
    title: str
    next_step: str
    applied_on: date
    pickup_deadline: date | None = Field(description="Last day to collect; none before notice.")
    booking: BookedVisit | None
    expected_from: date | None = Field(
        description="While it is prepared: from when a visit can probably be booked. No promise."
    )
    steps: list[Step] = Field(description="The whole way of the card, in order.")


class Status(BaseModel):
    """All cases of the citizen."""

    cases: list[CaseStatus]


@router.get("", response_model=Status)
async def own_status(
    call: CallDep, tools: ToolsDep, language: LanguageDep, expectations: ExpectationsDep
) -> Response:
    """The citizen's own cases: where each stands, what to do next, and the way in full."""
    async with call.unit() as unit:
        found = await reads.own_progress(unit)
        waiting = any(where is Progress.PREPARING for _, where in found)
        expected = await expectations.get(unit, tools) if waiting else {}
    cases = [_case_status(view, where, expected, language) for view, where in found]
    headers = {"Content-Language": language, "Cache-Control": "private, no-store"}
    return as_json(Status(cases=cases), headers={**headers, "Vary": "Accept-Language"})


def _case_status(
    view: CaseView, where: Progress, expected: Expected, language: Language
) -> CaseStatus:
    return CaseStatus(
        case_id=view.case_id,
        procedure=Procedure.CARD_ISSUANCE,
        kind=view.kind,
        ward=view.ward,
        progress=where,
        since=view.stage_since,
        title=where.headline.to(language),
        next_step=where.next_step.to(language),
        applied_on=view.applied_on,
        pickup_deadline=view.pickup_deadline,
        booking=_booked(view, where),
        expected_from=_expected(view, where, expected),
        steps=_steps(view, language),
    )


def _expected(view: CaseView, where: Progress, expected: Expected) -> date | None:
    received = view.stages.get(Stage.RECEIVED)
    if where is not Progress.PREPARING or view.held or received is None:
        return None
    return expected.get((view.ward, received)) if Desk.for_stage(view.stage) else None


def _steps(view: CaseView, language: Language) -> list[Step]:
    found = journey(
        view.stage,
        applied_on=view.applied_on,
        shipped_on=view.shipped_on,
        stages=view.stages,
        booked=view.booked_at is not None,
    )
    return [
        Step(step=one.mark, title=one.mark.headline.to(language), reached=one.reached, on=one.on)
        for one in found
    ]


def _booked(view: CaseView, where: Progress) -> BookedVisit | None:
    if where is not Progress.BOOKED or view.booked_site_id is None or view.booked_at is None:
        return None
    return BookedVisit(site_id=view.booked_site_id, starts_at=view.booked_at)
