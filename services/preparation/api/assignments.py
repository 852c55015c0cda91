"""Assignments: who works on which card now."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api.parts import (
    CASE,
    Results,
    TellingDep,
    ToolsDep,
    Which,
)
from services.preparation.handlers import assignments
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.ids import CaseId

router = APIRouter(prefix="/v1/assignments", tags=["assignments"])


class WhichLong(Which):
    """The cards to work on; without ``minutes``, for the usual time."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"case_ids": [CASE], "minutes": 30}]}
    )

    minutes: int | None = Field(None, ge=1, le=24 * 60, description="Until it expires by itself.")


class AssignmentOut(BaseModel):
    """A card in somebody's hands."""

    model_config = ConfigDict(from_attributes=True)

    case_id: CaseId = Field(examples=[CASE])
    operator: str = Field(description="The subject of the operator's token.")
    assigned_at: datetime
    expires_at: datetime


@router.post("", response_model=Results)
async def take(call: CallDep, tools: ToolsDep, body: WhichLong, telling: TellingDep) -> Response:
    """Take cards for yourself. What is yours already is prolonged; asked twice, it does no harm."""
    minutes = body.minutes or tools.settings.assignment_minutes
    async with call.unit() as unit:
        found = await assignments.take(unit, body.selection, minutes)
    return telling.answer(found)


@router.post("/returns", response_model=Results)
async def give_back(call: CallDep, body: Which, telling: TellingDep) -> Response:
    """Give cards back: your own, or as a supervisor anybody's."""
    async with call.unit() as unit:
        found = await assignments.give_back(unit, body.selection)
    return telling.answer(found)


@router.get("")
async def list_assignments(
    call: CallDep,
    page: PageDep,
    mine: Annotated[bool, Query(description="Only your own.")] = False,
) -> Page[AssignmentOut]:
    """Assignments that stand now, in the order of their cases."""
    after = page.after(tuple[UUID])
    operator = call.principal.subject if mine else None
    async with call.unit() as unit:
        found = await assignments.listed(unit, operator, after[0] if after else None, page.fetch)
    return page.page(found, key=lambda a: (a.case_id,), item=AssignmentOut.model_validate)
