"""Stock-takes: a shelf is scanned, compared with the book, and what differs is worked."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api.files import DIFFERENCES, FILES
from services.preparation.api.listing import ListingDep, by_columns
from services.preparation.api.parts import MOST_CASES, CardReference, ShelfName, ToolsDep
from services.preparation.domain.shelves import ShelfRef
from services.preparation.domain.stock_takes import Resolution
from services.preparation.handlers import stock_takes
from services.preparation.store.stock_takes import StockTake
from shared.contracts.base import SiteRef
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep
from shared.ids import SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1/shelves/{site_id}/{shelf}/stock-takes", tags=["shelves"])


class StockTakeOut(BaseModel):
    """A stock-take; it is closed once nothing differs any more."""

    model_config = ConfigDict(from_attributes=True)

    stock_take_id: UUID
    site_id: SiteId = Field(examples=["kawasaki-ward-office"])
    shelf: str = Field(examples=["A"])
    opened_at: datetime
    counted_at: datetime | None
    closed_at: datetime | None
    expected: int = Field(description="Cards the book had there when it began.")
    scanned: int
    differences: int
    unresolved: int


class Scans(BaseModel):
    """What was scanned from the shelf."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"card_references": ["KC26-000001"]}]}
    )

    card_references: Annotated[list[CardReference], Field(min_length=1, max_length=MOST_CASES)]


class Answer(BaseModel):
    """What was done about a difference."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"resolution": "found"}]}
    )

    resolution: Resolution = Field(
        description="missing: found or gone; elsewhere: moved_here or brought_back; "
        "unknown: set_aside."
    )


@router.post("", status_code=201, response_model=StockTakeOut)
async def begin(call: OnceDep, site_id: SiteRef, shelf: ShelfName) -> Response:
    """Begin to count a shelf; it has one stock-take at a time. Work there goes on meanwhile."""

    async def command(unit: Unit) -> StockTakeOut:
        return _out(await stock_takes.begin(unit, ShelfRef(site_id, shelf)))

    location = "/v1/shelves/{site_id}/{shelf}/stock-takes/{stock_take_id}"
    return await call.once(b"", command, location=location)


@router.get("")
async def list_stock_takes(
    call: CallDep, page: PageDep, site_id: SiteRef, shelf: ShelfName
) -> Page[StockTakeOut]:
    """The stock-takes of a shelf, the newest first."""
    after = page.after(tuple[UUID])
    async with call.unit() as unit:
        found = await stock_takes.listed(
            unit, ShelfRef(site_id, shelf), after[0] if after else None, page.fetch
        )
    return page.page(found, key=lambda one: (one.stock_take_id,), item=_out)


@router.get("/{stock_take_id}")
async def one(
    call: CallDep, site_id: SiteRef, shelf: ShelfName, stock_take_id: UUID
) -> StockTakeOut:
    """One stock-take."""
    async with call.unit() as unit:
        return _out(await stock_takes.one(unit, ShelfRef(site_id, shelf), stock_take_id))


@router.post("/{stock_take_id}/scans")
async def scan(
    call: CallDep, site_id: SiteRef, shelf: ShelfName, stock_take_id: UUID, body: Scans
) -> StockTakeOut:
    """Scan cards from the shelf, in any order and as often as you like; each counts once."""
    async with call.unit() as unit:
        ref = ShelfRef(site_id, shelf)
        return _out(await stock_takes.scan(unit, ref, stock_take_id, body.card_references))


@router.post("/{stock_take_id}:count")
async def count(
    call: CallDep, site_id: SiteRef, shelf: ShelfName, stock_take_id: UUID
) -> StockTakeOut:
    """Everything is scanned: compare it with the book."""
    async with call.unit() as unit:
        return _out(await stock_takes.count(unit, ShelfRef(site_id, shelf), stock_take_id))


@router.get("/{stock_take_id}/differences", response_class=Response, responses=FILES)
async def differences(
    call: CallDep, listing: ListingDep, site_id: SiteRef, shelf: ShelfName, stock_take_id: UUID
) -> Response:
    """How shelf and book differ, and what was done about it; up to 5,000 at a time."""
    after, ref = listing.after(tuple[int]), ShelfRef(site_id, shelf)
    async with call.unit() as unit:
        found = await stock_takes.differences(
            unit, ref, stock_take_id, after[0] if after else 0, listing.fetch
        )
    return await listing.answer(
        f"stock-take-{stock_take_id}",
        DIFFERENCES,
        found,
        key=lambda each: (each.number,),
        cells=by_columns(DIFFERENCES),
    )


@router.post("/{stock_take_id}/differences/{number}:resolve")
async def resolve(
    call: CallDep,
    tools: ToolsDep,
    *,
    site_id: SiteRef,
    shelf: ShelfName,
    stock_take_id: UUID,
    number: int,
    body: Answer,
) -> StockTakeOut:
    """Say what was done about a difference; with the last one the stock-take is closed.

    A card that is gone is held until it is found; one that is moved here gets a place here.
    """
    ref = ShelfRef(site_id, shelf)
    async with call.unit() as unit:
        done = await stock_takes.resolve(unit, tools, ref, (stock_take_id, number), body.resolution)
    return _out(done)


def _out(found: StockTake) -> StockTakeOut:
    return StockTakeOut.model_validate(found)
