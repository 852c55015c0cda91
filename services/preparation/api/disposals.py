"""Disposals: what waits for it, who laid it out, and who confirmed it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api.files import DISPOSED, FILES, WAITING
from services.preparation.api.listing import ListingDep, by_columns
from services.preparation.api.parts import (
    CASE,
    Results,
    TellingDep,
    Which,
)
from services.preparation.domain.disposals import NothingToDispose
from services.preparation.handlers import disposals
from services.preparation.store.disposals import Disposal
from shared.contracts.base import SiteRef
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep
from shared.ids import CaseId, DisposalId, SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1/disposals", tags=["disposals"])

_SITE = "kawasaki-ward-office"


class LayingOut(Which):
    """Cards that wait for their disposal, and how they are to be destroyed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"case_ids": [CASE], "site_id": _SITE, "method": "shredded"}]
        },
    )

    site_id: SiteRef
    method: Literal["shredded", "punched", "returned_to_issuer"] = "shredded"


class AtSite(BaseModel):
    """The site of the record."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"site_id": _SITE}]})

    site_id: SiteRef


class DisposalOut(BaseModel):
    """The record of a disposal."""

    model_config = ConfigDict(from_attributes=True)

    disposal_id: DisposalId
    site_id: SiteId = Field(examples=[_SITE])
    method: str
    state: Literal["laid_out", "confirmed", "withdrawn"]
    card_count: int = Field(description="Cards that were laid out.")
    disposed: int = Field(description="Cards that were destroyed.")
    opened_at: datetime
    opened_by: str = Field(description="Who laid them out.")
    confirmed_at: datetime | None
    confirmed_by: str | None = Field(description="Who confirmed; always somebody else.")
    withdrawn_at: datetime | None


class DisposalOpened(Results, DisposalOut):
    """A new record, and what became of each card named."""


@router.get("/due", response_class=Response, responses=FILES)
async def list_waiting(
    call: CallDep,
    listing: ListingDep,
    site_id: Annotated[SiteRef | None, Query(description="Where the card lies.")] = None,
) -> Response:
    """Cards that wait for their disposal, the longest first, up to 5,000 at a time."""
    after = listing.after(tuple[datetime, UUID])
    async with call.unit() as unit:
        found = await disposals.list_waiting(unit, site_id, after, listing.fetch)
    return await listing.answer(
        "disposal-due",
        WAITING,
        found,
        key=lambda card: (card.stage_since, card.case_id),
        cells=by_columns(WAITING),
    )


@router.post("", status_code=201, response_model=DisposalOpened)
async def open_record(call: OnceDep, body: LayingOut, telling: TellingDep) -> Response:
    """Lay cards out for disposal. Another operator confirms that they were destroyed."""

    async def command(unit: Unit) -> Mapping[str, Any]:
        opened = await disposals.open_record(unit, body.selection, body.site_id, body.method)
        if opened.disposal is None:
            raise NothingToDispose(telling.as_problem(opened.results))
        return {
            **disposal_out(opened.disposal).model_dump(),
            **telling.members(opened.results),
        }

    return await call.once(body, command, location="/v1/disposals/{disposal_id}")


@router.get("")
async def list_disposals(
    call: CallDep, page: PageDep, site_id: Annotated[SiteRef | None, Query()] = None
) -> Page[DisposalOut]:
    """Records in the order in which they were opened."""
    after = page.after(tuple[UUID])
    async with call.unit() as unit:
        found = await disposals.list_disposals(
            unit, site_id, DisposalId(after[0]) if after else None, page.fetch
        )
    return page.page(found, key=lambda record: (record.disposal_id,), item=disposal_out)


@router.get("/{disposal_id}")
async def one_disposal(call: CallDep, disposal_id: UUID) -> DisposalOut:
    """One record."""
    async with call.unit() as unit:
        return disposal_out(await disposals.one_disposal(unit, DisposalId(disposal_id)))


@router.get("/{disposal_id}/cards", response_class=Response, responses=FILES)
async def cards_of(call: CallDep, listing: ListingDep, disposal_id: UUID) -> Response:
    """The cards of a record and what became of each; up to 5,000 at a time."""
    after = listing.after(tuple[str, CaseId])
    async with call.unit() as unit:
        found = await disposals.lines(unit, DisposalId(disposal_id), after, listing.fetch)
    return await listing.answer(
        f"disposal-{disposal_id}",
        DISPOSED,
        found,
        key=lambda line: (line.left_position or "", line.case_id),
        cells=by_columns(DISPOSED),
    )


@router.post("/{disposal_id}:confirm")
async def confirm(call: CallDep, disposal_id: UUID, body: AtSite) -> DisposalOut:
    """Confirm, as another operator than who laid them out, that the cards were destroyed."""
    async with call.unit() as unit:
        return disposal_out(await disposals.confirm(unit, DisposalId(disposal_id), body.site_id))


@router.post("/{disposal_id}:withdraw")
async def withdraw(call: CallDep, disposal_id: UUID, body: AtSite) -> DisposalOut:
    """Close a record without destroying anything."""
    async with call.unit() as unit:
        return disposal_out(await disposals.withdraw(unit, DisposalId(disposal_id), body.site_id))


def disposal_out(record: Disposal) -> DisposalOut:
    """The record as callers see it."""
    return DisposalOut.model_validate(record)
