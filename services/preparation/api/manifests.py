"""Manifests of lots, and what differs between them and what came."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.api.parts import (
    IfMatchVersion,
    LanguageDep,
    as_json,
    version_check,
)
from services.preparation.domain.manifest_file import MANIFESTS, ManifestRow, read_manifests
from services.preparation.domain.manifests import Discrepancy, DiscrepancyState, Resolution
from services.preparation.handlers import manifests
from shared.contracts.base import LotRef
from shared.errors import Language
from shared.http.call import CallDep
from shared.http.etag import etag, tagged
from shared.http.paging import Page, PageDep
from shared.ids import LotId

router = APIRouter(prefix="/v1", tags=["lots"])

_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": (
            "UTF-8 (with or without BOM) or cp932. "
            f"Columns: {', '.join(MANIFESTS.needed)}; one row per lot."
        ),
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": f"{','.join(MANIFESTS.needed)}\nL2026-0412,500,2026-04-10\n",
            }
        },
    }
}
_UNDONE = (DiscrepancyState.OPEN, DiscrepancyState.IN_WORK)


class ManifestResult(BaseModel):
    """What became of one row."""

    line: int = Field(description="Line in the file; the header is 1.")
    lot_id: LotId | None = None
    cards: int | None = None
    shipped_on: date | None = None
    outcome: Literal["done", "already", "refused"]
    code: str | None = None
    field: str | None = None
    message: str | None = None
    remedy: str | None = None


class ManifestResults(BaseModel):
    """One result per row."""

    results: list[ManifestResult]


class DiscrepancyOut(BaseModel):
    """A lot whose cards are not as many as its manifest says."""

    model_config = ConfigDict(from_attributes=True)

    discrepancy_id: UUID
    lot_id: LotId = Field(examples=["L2026-0412"])
    expected: int = Field(description="Cards on the manifest.")
    found: int = Field(description="Cards that were imported.")
    state: DiscrepancyState
    resolution: Resolution | None
    opened_at: datetime
    worked_by: str | None = Field(description="The subject of the operator's token.")
    closed_at: datetime | None


class Closing(BaseModel):
    """How it ended."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"resolution": "reported_to_jlis"}]}
    )

    resolution: Literal[
        Resolution.CARDS_FOUND,
        Resolution.REPORTED_TO_JLIS,
        Resolution.MANIFEST_CORRECTED,
        Resolution.SURPLUS_RETURNED,
    ]


@router.post("/manifests", response_model=ManifestResults, openapi_extra=_FILE)
async def take_manifests(request: Request, call: CallDep, language: LanguageDep) -> Response:
    """Take shipment manifests. A lot whose cards are not as many opens a discrepancy.

    A lot of which no card has come is only awaited. The same file again changes nothing; a
    corrected manifest takes the place of the first.
    """
    rows = await asyncio.to_thread(read_manifests, await request.body())
    told = [row.manifest for row in rows if row.manifest is not None]
    async with call.unit() as unit:
        changed = await manifests.take(unit, told)
    results = [_result(row, changed.get(_lot(row), False), language) for row in rows]
    return as_json(ManifestResults(results=results))


@router.get("/discrepancies")
async def list_discrepancies(
    call: CallDep,
    page: PageDep,
    state: Annotated[
        DiscrepancyState | None, Query(description="Without it, all that are not closed.")
    ] = None,
    lot_id: Annotated[LotRef | None, Query()] = None,
) -> Page[DiscrepancyOut]:
    """Lots whose counts differ, the newest first."""
    before = page.after(tuple[UUID])
    states = _UNDONE if state is None else (state,)
    async with call.unit() as unit:
        found = await manifests.listed(
            unit, states, lot_id, before[0] if before else None, page.fetch
        )
    return page.page(
        found, key=lambda one: (one.discrepancy_id,), item=DiscrepancyOut.model_validate
    )


@router.get("/discrepancies/{discrepancy_id}", response_model=DiscrepancyOut)
async def one_discrepancy(request: Request, call: CallDep, discrepancy_id: UUID) -> Response:
    """One discrepancy, with its version as ETag."""
    async with call.unit() as unit:
        found = await manifests.find(unit, discrepancy_id)
    return tagged(request, DiscrepancyOut.model_validate(found), found.version)


@router.post("/discrepancies/{discrepancy_id}/work", response_model=DiscrepancyOut)
async def work(call: CallDep, discrepancy_id: UUID, if_match: IfMatchVersion = None) -> Response:
    """Take it on: the others see who works on it."""
    async with call.unit() as unit:
        found = await manifests.work(unit, discrepancy_id, version_check(if_match))
    return _tagged(found)


@router.post("/discrepancies/{discrepancy_id}/closing", response_model=DiscrepancyOut)
async def close(
    call: CallDep, discrepancy_id: UUID, body: Closing, if_match: IfMatchVersion = None
) -> Response:
    """Close it. It also closes by itself when the missing cards are imported."""
    async with call.unit() as unit:
        found = await manifests.close(
            unit, discrepancy_id, body.resolution, version_check(if_match)
        )
    return _tagged(found)


def _tagged(found: Discrepancy) -> Response:
    headers = {"ETag": etag(found.version)}
    return as_json(DiscrepancyOut.model_validate(found), headers=headers)


def _lot(row: ManifestRow) -> LotId:
    return row.manifest.lot_id if row.manifest else LotId("")


def _result(row: ManifestRow, changed: bool, language: Language) -> ManifestResult:
    if row.manifest is None:
        fault = row.fault
        return ManifestResult(
            line=row.line,
            outcome="refused",
            code=fault.code if fault else None,
            field=fault.field if fault else None,
            message=fault.message.to(language) if fault else None,
            remedy=fault.remedy.to(language) if fault else None,
        )
    return ManifestResult(
        line=row.line,
        lot_id=row.manifest.lot_id,
        cards=row.manifest.card_count,
        shipped_on=row.manifest.shipped_on,
        outcome="done" if changed else "already",
    )
