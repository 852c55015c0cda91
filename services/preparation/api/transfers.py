"""Transfers: what has to leave a site, sealed batches, and their arrival."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

import pydantic_core
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.responses import Response

from services.preparation.api.files import DISPATCH, FILES, MANIFEST
from services.preparation.api.listing import ListingDep, by_columns
from services.preparation.api.parts import (
    CASE,
    MOST_CASES,
    CardReference,
    Results,
    ShelfName,
    TellingDep,
    ToolsDep,
    Which,
)
from services.preparation.domain.shelves import ShelfRef
from services.preparation.domain.transfers import NothingToSend
from services.preparation.handlers import needs, transfers
from services.preparation.handlers.selection import Selection
from services.preparation.store.transfers import Transfer, TransferState
from shared.calendar import business_date
from shared.contracts.base import SiteRef
from shared.errors import RejectedValueError, Text
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep
from shared.ids import BatchId, CaseId, SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1/transfers", tags=["transfers"])

_FROM, _TO = "kawasaki-ward-office", "center-ksp"


class Sending(Which):
    """The cards that were put into a bag, as they were scanned; the bag is sealed now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"case_ids": [CASE], "site_id": _FROM, "to_site_id": _TO}],
        },
    )

    site_id: SiteRef = Field(description="The site they leave.")
    to_site_id: SiteRef


class Arrival(BaseModel):
    """The cards found in the bag, as they were scanned, and the shelf they are laid on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "site_id": _TO,
                    "shelf": "A",
                    "seal": "3QF7-K2ZD",
                    "case_ids": [CASE],
                    "emptied": True,
                }
            ]
        },
    )

    site_id: SiteRef = Field(description="The site where the bag is opened.")
    shelf: ShelfName = "A"
    seal: Annotated[str, StringConstraints(max_length=32)] = Field(
        description="As it is read from the bag."
    )
    case_ids: Annotated[list[CaseId], Field(max_length=MOST_CASES)] = []
    card_references: Annotated[list[CardReference], Field(max_length=MOST_CASES)] = []
    emptied: bool = Field(
        False, description="The bag is empty: what was not scanned by now is missing."
    )

    @model_validator(mode="after")
    def _scanned_in_one_way(self) -> Self:
        named = bool(self.case_ids) + bool(self.card_references)
        if named > 1 or (named == 0 and not self.emptied):
            raise RejectedValueError(
                Text(
                    "Name case_ids or card_references, or say that the bag is empty.",
                    "case_ids か card_references を指定するか、emptied を true にしてください。",
                ),
                Text("Send exactly one of them.", "いずれか一つを送信してください。"),
            )
        return self


class TransferOut(BaseModel):
    """A sealed batch."""

    transfer_id: BatchId
    from_site_id: SiteId = Field(examples=[_FROM])
    to_site_id: SiteId = Field(examples=[_TO])
    sealed_at: datetime
    seal: str = Field(description="Written on the seal of the bag.", examples=["3QF7-K2ZD"])
    due_on: date = Field(description="The day by which it should be there.")
    cards: int
    open: int = Field(description="Cards of it that have not come.")
    state: TransferState


class TransferSent(Results, TransferOut):
    """A new batch, and what became of each card named."""


class TransferTakenIn(Results, TransferOut):
    """The batch after it was opened, and what became of each card scanned."""

    missing: list[CaseId] = Field(description="Cards that are missing since now.")


@router.get("/dispatch-list", response_class=Response, responses=FILES)
async def dispatch_list(
    call: CallDep,
    tools: ToolsDep,
    listing: ListingDep,
    site_id: Annotated[SiteRef, Query(examples=[_FROM])],
) -> Response:
    """The cards that have to leave a site: booked elsewhere, or because the site closes.

    Those needed first come first, up to 5,000 at a time.
    """
    after = listing.after(tuple[datetime | None, str])
    async with call.unit() as unit:
        found = await needs.dispatch_list(unit, tools, site_id, after, listing.fetch)
    return await listing.answer(
        f"dispatch-{site_id}",
        DISPATCH,
        found,
        key=lambda errand: (errand.starts_at, errand.shelf_position),
        cells=by_columns(DISPATCH),
    )


@router.post("", status_code=201, response_model=TransferSent)
async def send(call: OnceDep, tools: ToolsDep, body: Sending, telling: TellingDep) -> Response:
    """Seal cards into one batch; all of them leave now, and all have to arrive."""

    async def command(unit: Unit) -> Mapping[str, Any]:
        sent = await transfers.send(unit, tools, body.selection, body.site_id, body.to_site_id)
        if sent.transfer is None:
            raise NothingToSend(telling.as_problem(sent.results))
        return {**_fields(sent.transfer, unit), **telling.members(sent.results)}

    return await call.once(body, command, location="/v1/transfers/{transfer_id}")


@router.get("")
async def list_transfers(
    call: CallDep,
    page: PageDep,
    site_id: Annotated[SiteRef | None, Query(description="From it or to it.")] = None,
    only_open: Annotated[bool, Query(alias="open", description="Only what has not come.")] = False,
) -> Page[TransferOut]:
    """Batches in the order in which they were sealed."""
    after = page.after(tuple[UUID])
    async with call.unit() as unit:
        found = await transfers.list_transfers(
            unit,
            site_id,
            only_open=only_open,
            after=BatchId(after[0]) if after else None,
            limit=page.fetch,
        )
        return page.page(
            found, key=lambda batch: (batch.transfer_id,), item=lambda b: _transfer_out(b, unit)
        )


@router.get("/{transfer_id}")
async def one_transfer(call: CallDep, transfer_id: UUID) -> TransferOut:
    """One batch."""
    async with call.unit() as unit:
        return _transfer_out(await transfers.one_transfer(unit, BatchId(transfer_id)), unit)


@router.get("/{transfer_id}/manifest", response_class=Response, responses=FILES)
async def manifest(call: CallDep, listing: ListingDep, transfer_id: UUID) -> Response:
    """The cards of a batch, to go with it and to compare it with; up to 5,000 at a time."""
    after = listing.after(tuple[str, CaseId])
    async with call.unit() as unit:
        found = await transfers.manifest(unit, BatchId(transfer_id), after, listing.fetch)
    return await listing.answer(
        f"transfer-{transfer_id}",
        MANIFEST,
        found,
        key=lambda line: (line.left_position, line.case_id),
        cells=by_columns(MANIFEST),
    )


@router.post("/{transfer_id}:arrive", response_model=TransferTakenIn)
async def arrive(call: CallDep, transfer_id: UUID, body: Arrival, telling: TellingDep) -> Response:
    """Lay the cards of a bag on a shelf of the site it came to, or came back to.

    May be repeated while cards are found; a card that was missing is taken in like any other.
    """
    selection = Selection(tuple(body.case_ids), references=tuple(body.card_references))
    async with call.unit() as unit:
        done = await transfers.take_in(
            unit,
            BatchId(transfer_id),
            selection,
            ShelfRef(body.site_id, body.shelf),
            body.seal,
            emptied=body.emptied,
        )
        fields = _fields(done.transfer, unit)
    told = {**fields, **telling.members(done.results), "missing": done.missing}
    return Response(pydantic_core.to_json(told), media_type="application/json")


def _transfer_out(batch: Transfer, unit: Unit) -> TransferOut:
    return TransferOut(**_fields(batch, unit))


def _fields(batch: Transfer, unit: Unit) -> dict[str, object]:
    return {
        "transfer_id": batch.transfer_id,
        "from_site_id": batch.from_site_id,
        "to_site_id": batch.to_site_id,
        "sealed_at": batch.sealed_at,
        "seal": batch.seal,
        "due_on": batch.due_on,
        "cards": batch.card_count,
        "open": batch.open_count,
        "state": batch.state(business_date(unit.now)),
    }
