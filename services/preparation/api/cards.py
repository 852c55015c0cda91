"""Cards: where each stands."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.api.parts import CASE, as_json
from services.preparation.domain.stages import Stage
from services.preparation.handlers import reads
from services.preparation.store.cards import Card, CardFilter
from shared.contracts.base import CaseKind, LotRef, WardRef
from shared.http.call import CallDep
from shared.http.etag import etag, tagged
from shared.http.paging import Page, PageDep
from shared.ids import CaseId, LotId, SiteId, WardCode

router = APIRouter(prefix="/v1/cards", tags=["cards"])


class CardOut(BaseModel):
    """A card; ``site_id`` and ``shelf_position`` while it lies on a shelf."""

    model_config = ConfigDict(from_attributes=True)

    case_id: CaseId = Field(examples=[CASE])
    card_reference: str = Field(examples=["KC26-000001"])
    lot_id: LotId = Field(examples=["L2026-0412"])
    row: int
    ward: WardCode = Field(examples=["141313"])
    kind: CaseKind
    applied_on: date
    shipped_on: date
    card_expires_on: date
    old_card_expires_on: date | None = Field(description="Of the card it replaces, if any.")
    stage: Stage
    stage_since: datetime
    site_id: SiteId | None = Field(examples=["kawasaki-ward-office"])
    shelf_position: str | None = Field(examples=["A-00001"])
    held: bool = Field(description="Whether it waits for something to be cleared.")
    end_reason: str | None = Field(description="Why it was rejected or voided.")


@router.get("")
async def list_cards(
    call: CallDep,
    page: PageDep,
    stage: Annotated[Stage | None, Query()] = None,
    ward: Annotated[WardRef | None, Query()] = None,
    lot_id: Annotated[LotRef | None, Query()] = None,
) -> Page[CardOut]:
    """Cards in the order in which their cases were opened."""
    after = page.after(tuple[UUID])
    async with call.unit() as unit:
        found = await reads.list_cards(
            unit, CardFilter(stage, ward, lot_id), after[0] if after else None, page.fetch
        )
    return page.page(found, key=lambda card: (card.case_id,), item=card_out)


@router.get("/{case_id}", response_model=CardOut)
async def one_card(request: Request, call: CallDep, case_id: UUID) -> Response:
    """One card, with its version as ETag."""
    async with call.unit() as unit:
        card = await reads.one_card(unit, CaseId(case_id))
    return tagged(request, card_out(card), card.version)


def card_out(card: Card) -> CardOut:
    """The card as callers see it."""
    return CardOut.model_validate(card)


def changed(card: Card) -> Response:
    """The answer to a command about one card: the card, with its new ETag."""
    return as_json(card_out(card), headers={"ETag": etag(card.version)})
