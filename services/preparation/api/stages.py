"""Steps of preparation: one card at a time, or many."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api.cards import CardOut, changed
from services.preparation.api.parts import (
    Results,
    ShelfName,
    TellingDep,
    ToolsDep,
    Which,
)
from services.preparation.domain.stages import Stage
from services.preparation.handlers import sites, stages
from services.preparation.handlers.stages import VersionCheck
from services.preparation.store.cards import Card
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.http.etag import require_match
from shared.ids import CaseId

router = APIRouter(prefix="/v1", tags=["stages"])

Desk = Literal["inspected", "registry_checked", "preset"]
"""Stages reached at a desk, wherever it stands."""

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="ETag of the version you decided on.")
]

_SITE = "kawasaki-ward-office"


class Place(BaseModel):
    """Where a card is laid."""

    model_config = ConfigDict(extra="forbid")

    site_id: Annotated[SiteRef, Field(examples=[_SITE])]
    shelf: ShelfName = "A"


class WhichWhere(Which):
    """The cards to lay on a shelf, and where; without a site, on the default shelf of each ward."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"lot_id": "L2026-0412", "site_id": _SITE, "shelf": "A"}]},
    )

    site_id: SiteRef | None = None
    shelf: ShelfName = "A"


@router.post("/cards/{case_id}/stages/shelved", response_model=CardOut)
async def shelve_one(
    call: CallDep, case_id: UUID, place: Place, if_match: IfMatch = None
) -> Response:
    """Lay a preset card on a shelf; its position is the next one of that shelf."""
    async with call.unit() as unit:
        card = await stages.shelve_one(
            unit, CaseId(case_id), place.site_id, place.shelf, _check(if_match)
        )
    return _tagged(card)


@router.post("/cards/{case_id}/stages/{stage}", response_model=CardOut)
async def advance_one(
    call: CallDep, case_id: UUID, stage: Desk, if_match: IfMatch = None
) -> Response:
    """Take a card to the next stage. A card that is further stays as it is."""
    async with call.unit() as unit:
        card = await stages.advance_one(unit, CaseId(case_id), Stage(stage), _check(if_match))
    return _tagged(card)


@router.post("/stages/shelved", response_model=Results)
async def shelve_many(
    call: CallDep, tools: ToolsDep, body: WhichWhere, telling: TellingDep
) -> Response:
    """Lay preset cards on a shelf, each at a free position.

    Without `site_id` (for staff of every site) each goes to the default shelf of its ward.
    """
    async with call.unit() as unit:
        if body.site_id is None:
            homes = await sites.homes(unit.conn, tools.settings)
            found = await stages.shelve_at_home(unit, body.selection, homes)
        else:
            found = await stages.shelve(unit, body.selection, body.site_id, body.shelf)
    return telling.answer(found)


@router.post("/stages/{stage}", response_model=Results)
async def advance_many(call: CallDep, stage: Desk, body: Which, telling: TellingDep) -> Response:
    """Take many cards to the next stage; one result per card."""
    async with call.unit() as unit:
        found = await stages.advance(unit, body.selection, Stage(stage))
    return telling.answer(found)


def _check(if_match: str | None) -> VersionCheck:
    def check(version: int) -> None:
        if if_match is not None:
            require_match(if_match, version)

    return check


def _tagged(card: Card) -> Response:
    return changed(card)
