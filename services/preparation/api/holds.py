"""Holds: cards that wait for a reason, and the days on which somebody looks at them again."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api.cards import CardOut, changed
from services.preparation.api.parts import (
    CASE,
    IfMatchVersion,
    Results,
    TellingDep,
    ToolsDep,
    Which,
    version_check,
)
from services.preparation.domain import holds as rules
from services.preparation.domain.holds import Hold
from services.preparation.handlers import holds, one
from services.preparation.handlers.selection import CardResult, Selection
from services.preparation.store.holds import HeldCard, HeldFilter
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.contracts.preparation import HoldReason
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.ids import CaseId, SiteId, WardCode
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["stages"])

_DAY = "2026-05-07"


class Why(BaseModel):
    """Why the card waits; without ``review_on`` it is looked at again after the usual days."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "registry_mismatch"}]},
    )

    reason: HoldReason
    review_on: date | None = Field(None, description="Today or later.", examples=[_DAY])


class WhichWhy(Why, Which):
    """The cards that wait, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"case_ids": [CASE], "reason": "registry_mismatch"}]},
    )


class Cleared(BaseModel):
    """Which reason is cleared; without one, all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})

    reason: HoldReason | None = None


class WhichCleared(Cleared, Which):
    """The cards that go on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"case_ids": [CASE]}]}
    )


class HeldOut(BaseModel):
    """One hold; a card that waits for two reasons is shown twice."""

    model_config = ConfigDict(from_attributes=True)

    case_id: CaseId = Field(examples=[CASE])
    card_reference: str = Field(examples=["KC26-000001"])
    ward: WardCode
    stage: str
    site_id: SiteId | None
    reason: HoldReason
    held_at: datetime
    review_on: date


@router.get("/stages/held")
async def list_held(
    call: CallDep,
    page: PageDep,
    reason: Annotated[HoldReason | None, Query()] = None,
    review_until: Annotated[
        date | None, Query(description="Only those to be looked at again by this day.")
    ] = None,
) -> Page[HeldOut]:
    """Cards on hold, those to be looked at first come first."""
    after = page.after(tuple[date, UUID, str])
    async with call.unit() as unit:
        found = await holds.listed(
            unit,
            HeldFilter(reason, review_until),
            (after[0], CaseId(after[1]), after[2]) if after else None,
            page.fetch,
        )
    return page.page(found, key=_key, item=HeldOut.model_validate)


@router.post("/stages/held", response_model=Results)
async def hold_many(
    call: CallDep, tools: ToolsDep, body: WhichWhy, telling: TellingDep
) -> Response:
    """Let many cards wait. They take no step until every reason is cleared; booked ones too."""
    async with call.unit() as unit:
        found = await holds.hold(unit, body.selection, _hold(unit, tools, body))
    return telling.answer(found)


@router.post("/stages/released", response_model=Results)
async def release_many(call: CallDep, body: WhichCleared, telling: TellingDep) -> Response:
    """Clear a reason, or all, of many cards; those without another go on from where they stood."""
    async with call.unit() as unit:
        found = await holds.release(unit, body.selection, body.reason)
    return telling.answer(found)


@router.post("/cards/{case_id}/stages/held", response_model=CardOut)
async def hold_one(
    call: CallDep, tools: ToolsDep, case_id: UUID, body: Why, if_match: IfMatchVersion = None
) -> Response:
    """Let one card wait."""
    async with call.unit() as unit:
        wanted = _hold(unit, tools, body)

        async def command(unit: Unit, selection: Selection) -> list[CardResult]:
            return await holds.hold(unit, selection, wanted)

        card = await one.changed(unit, CaseId(case_id), version_check(if_match), command)
    return changed(card)


@router.post("/cards/{case_id}/stages/released", response_model=CardOut)
async def release_one(
    call: CallDep, case_id: UUID, body: Cleared, if_match: IfMatchVersion = None
) -> Response:
    """Clear a reason, or all, of one card."""

    async def command(unit: Unit, selection: Selection) -> list[CardResult]:
        return await holds.release(unit, selection, body.reason)

    async with call.unit() as unit:
        card = await one.changed(unit, CaseId(case_id), version_check(if_match), command)
    return changed(card)


def _hold(unit: Unit, tools: Tools, body: Why) -> Hold:
    today = business_date(unit.now)
    return rules.hold(body.reason, body.review_on, today, tools.settings.hold_review_days)


def _key(held: HeldCard) -> tuple[object, ...]:
    return held.review_on, held.case_id, held.reason
