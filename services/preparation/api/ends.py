"""Ends beside the way: cards that go back to J-LIS, and cases that end without their card."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from services.preparation.api.cards import CardOut, changed
from services.preparation.api.parts import (
    CASE,
    IfMatchVersion,
    Results,
    TellingDep,
    Which,
    version_check,
)
from services.preparation.handlers import ends, one
from services.preparation.handlers.selection import CardResult, Selection
from shared.contracts.preparation import RejectReason, VoidReason
from shared.http.call import CallDep
from shared.ids import CaseId
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["stages"])


class Defect(BaseModel):
    """What is wrong with the card."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "unreadable"}]}
    )

    reason: RejectReason


class WhichDefect(Defect, Which):
    """The cards that go back."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"case_ids": [CASE], "reason": "unreadable"}]},
    )


class End(BaseModel):
    """Why the case ends."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "withdrawn"}]}
    )

    reason: VoidReason


class WhichEnd(End, Which):
    """The cases that end."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"case_ids": [CASE], "reason": "withdrawn"}]},
    )


@router.post("/stages/rejected", response_model=Results)
async def reject_many(call: CallDep, body: WhichDefect, telling: TellingDep) -> Response:
    """Send defective cards back to J-LIS; only before they lie on a shelf."""
    async with call.unit() as unit:
        found = await ends.reject(unit, body.selection, body.reason)
    return telling.answer(found)


@router.post("/stages/voided", response_model=Results)
async def void_many(call: CallDep, body: WhichEnd, telling: TellingDep) -> Response:
    """End cases at any stage; bookings are cancelled, and a card on a shelf waits for disposal."""
    async with call.unit() as unit:
        found = await ends.void(unit, body.selection, body.reason)
    return telling.answer(found)


@router.post("/cards/{case_id}/stages/rejected", response_model=CardOut)
async def reject_one(
    call: CallDep, case_id: UUID, body: Defect, if_match: IfMatchVersion = None
) -> Response:
    """Send one defective card back to J-LIS."""

    async def command(unit: Unit, selection: Selection) -> list[CardResult]:
        return await ends.reject(unit, selection, body.reason)

    async with call.unit() as unit:
        card = await one.changed(unit, CaseId(case_id), version_check(if_match), command)
    return changed(card)


@router.post("/cards/{case_id}/stages/voided", response_model=CardOut)
async def void_one(
    call: CallDep, case_id: UUID, body: End, if_match: IfMatchVersion = None
) -> Response:
    """End one case."""

    async def command(unit: Unit, selection: Selection) -> list[CardResult]:
        return await ends.void(unit, selection, body.reason)

    async with call.unit() as unit:
        card = await one.changed(unit, CaseId(case_id), version_check(if_match), command)
    return changed(card)
