"""Shelves: where cards lie, how many each takes, and what has to be taken from them."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.api.files import FILES, NEAR_EXPIRY, PICKING
from services.preparation.api.listing import ListingDep, by_columns
from services.preparation.api.parts import (
    CASE,
    Results,
    ShelfName,
    TellingDep,
    ToolsDep,
    Which,
    as_json,
)
from services.preparation.domain.shelves import MOST_POSITIONS, ShelfRef
from services.preparation.domain.stages import Stage
from services.preparation.handlers import needs, shelves
from services.preparation.store.shelves import Lying, Shelf
from shared.calendar import business_date
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.http.etag import IfMatch, etag, require_match, tagged
from shared.http.paging import Page, PageDep
from shared.ids import CaseId, SiteId, WardCode

router = APIRouter(prefix="/v1/shelves", tags=["shelves"])

SITE = "kawasaki-ward-office"


class ShelfOut(BaseModel):
    """A shelf and how many cards lie on it."""

    model_config = ConfigDict(from_attributes=True)

    site_id: SiteId = Field(examples=[SITE])
    shelf: str = Field(examples=["A"])
    capacity: int | None = Field(description="Cards it takes; none where nobody has said.")
    cards: int = Field(description="Cards that lie on it now.")


class ShelfSetUp(BaseModel):
    """How many cards a shelf takes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"capacity": 2000}]})

    capacity: Annotated[int, Field(ge=1, le=MOST_POSITIONS)] | None = Field(
        description="Null where it is not limited."
    )


class LyingOut(BaseModel):
    """A card on a shelf."""

    model_config = ConfigDict(from_attributes=True)

    case_id: CaseId = Field(examples=[CASE])
    card_reference: str = Field(examples=["KC26-000001"])
    ward: WardCode = Field(examples=["141313"])
    stage: Stage
    shelf_position: str = Field(examples=["A-00001"])


class Moving(Which):
    """Cards of a site, and the shelf of the same site that they are laid on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"case_ids": [CASE], "site_id": SITE, "shelf": "B"}]},
    )

    site_id: SiteRef
    shelf: ShelfName


@router.get("")
async def list_shelves(
    call: CallDep, page: PageDep, site_id: Annotated[SiteRef | None, Query()] = None
) -> Page[ShelfOut]:
    """Shelves by site and name, each with the cards that lie on it."""
    after = page.after(tuple[SiteId, str])
    async with call.unit() as unit:
        found = await shelves.list_shelves(
            unit, site_id, ShelfRef(*after) if after else None, page.fetch
        )
    return page.page(found, key=lambda s: (s.site_id, s.shelf), item=_shelf_out)


@router.get("/picking-list", response_class=Response, responses=FILES)
async def picking_list(
    call: CallDep,
    tools: ToolsDep,
    listing: ListingDep,
    site_id: Annotated[SiteRef, Query(examples=[SITE])],
    day: Annotated[
        date | None, Query(alias="date", description="Without it, the next business day.")
    ] = None,
) -> Response:
    """The cards to fetch for the visitors of a day, in the order of the shelves.

    Those that are not at the site come last; `card_site_id` says where they lie, and is empty
    while they travel. Up to 5,000 at a time.
    """
    after = listing.after(tuple[bool, str, CaseId])
    async with call.unit() as unit:
        chosen = day or tools.calendar.next_business_day(business_date(unit.now))
        found = await needs.picking_list(unit, site_id, chosen, after, listing.fetch)
    return await listing.answer(
        f"picking-{site_id}-{chosen}",
        PICKING,
        found,
        key=lambda pick: (pick.card_site_id != site_id, pick.shelf_position or "", pick.case_id),
        cells=by_columns(PICKING),
    )


@router.get("/near-expiry", response_class=Response, responses=FILES)
async def near_expiry(
    call: CallDep,
    tools: ToolsDep,
    listing: ListingDep,
    site_id: Annotated[SiteRef, Query(examples=[SITE])],
    days: Annotated[int | None, Query(ge=1, le=366, description="Within so many days.")] = None,
) -> Response:
    """Cards that end soon, or replace one that does: for handing over without a booking.

    The nearest to expiry come first, up to 5,000 at a time.
    """
    after, within = listing.after(tuple[date, str]), days or tools.settings.near_expiry_days
    async with call.unit() as unit:
        found = await needs.near_expiry(unit, site_id, within, after, listing.fetch)
    return await listing.answer(
        f"near-expiry-{site_id}",
        NEAR_EXPIRY,
        found,
        key=lambda card: (card.ends_on, card.shelf_position),
        cells=by_columns(NEAR_EXPIRY),
    )


@router.get("/{site_id}/{shelf}", response_model=ShelfOut)
async def one_shelf(
    request: Request, call: CallDep, site_id: SiteRef, shelf: ShelfName
) -> Response:
    """One shelf, with its version as ETag."""
    async with call.unit() as unit:
        found = await shelves.one_shelf(unit, ShelfRef(site_id, shelf))
    return tagged(request, _shelf_out(found), found.version)


@router.put("/{site_id}/{shelf}", response_model=ShelfOut)
async def set_up(
    call: CallDep, site_id: SiteRef, shelf: ShelfName, body: ShelfSetUp, if_match: IfMatch = None
) -> Response:
    """Make a shelf, or change how many cards it takes (then with `If-Match`)."""

    def check(version: int | None) -> None:
        if version is not None:
            require_match(if_match, version)

    async with call.unit() as unit:
        made = await shelves.set_up(unit, ShelfRef(site_id, shelf), body.capacity, check)
    return as_json(_shelf_out(made), headers={"ETag": etag(made.version)})


@router.get("/{site_id}/{shelf}/cards")
async def cards_on(
    call: CallDep, page: PageDep, site_id: SiteRef, shelf: ShelfName
) -> Page[LyingOut]:
    """What lies on a shelf, in the order of its positions."""
    after = page.after(tuple[str])
    async with call.unit() as unit:
        found = await shelves.cards_on(
            unit, ShelfRef(site_id, shelf), after[0] if after else None, page.fetch
        )
    return page.page(found, key=lambda card: (card.shelf_position,), item=_lying_out)


@router.post("/moves", response_model=Results)
async def move(call: CallDep, body: Moving, telling: TellingDep) -> Response:
    """Lay cards on another shelf of the same site, each at a free position."""
    async with call.unit() as unit:
        found = await shelves.move(unit, body.selection, ShelfRef(body.site_id, body.shelf))
    return telling.answer(found)


def _shelf_out(shelf: Shelf) -> ShelfOut:
    return ShelfOut.model_validate(shelf)


def _lying_out(card: Lying) -> LyingOut:
    return LyingOut.model_validate(card)
