"""Where is my card? For citizens, in their words."""

from datetime import date, datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.preparation.api.parts import CASE, LanguageDep, as_json
from services.preparation.domain.progress import Progress
from services.preparation.handlers import reads
from services.preparation.store.progress import CaseView
from shared.contracts.base import CaseKind, Procedure
from shared.errors import Language
from shared.http.call import CallDep
from shared.ids import CaseId, SiteId, WardCode

router = APIRouter(prefix="/v1/status", tags=["status"])


class BookedVisit(BaseModel):
    """The visit that is booked."""

    site_id: SiteId = Field(examples=["kawasaki-ward-office"])
    starts_at: datetime


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


class Status(BaseModel):
    """All cases of the citizen."""

    cases: list[CaseStatus]


@router.get("", response_model=Status)
async def own_status(call: CallDep, language: LanguageDep) -> Response:
    """The citizen's own cases and what to do next."""
    async with call.unit() as unit:
        found = await reads.own_progress(unit)
    cases = [_case_status(view, where, language) for view, where in found]
    headers = {"Content-Language": language, "Cache-Control": "private, no-store"}
    return as_json(Status(cases=cases), headers={**headers, "Vary": "Accept-Language"})


def _case_status(view: CaseView, where: Progress, language: Language) -> CaseStatus:
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
    )


def _booked(view: CaseView, where: Progress) -> BookedVisit | None:
    if where is not Progress.BOOKED or view.booked_site_id is None or view.booked_at is None:
        return None
    return BookedVisit(site_id=view.booked_site_id, starts_at=view.booked_at)
