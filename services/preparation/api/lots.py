"""Lots: import of files, and what came of them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.api.parts import CASE, LanguageDep, ToolsDep, as_json
from services.preparation.domain.lot_file import COLUMNS
from services.preparation.domain.stages import Stage
from services.preparation.handlers import imports, reads
from services.preparation.handlers.imports import ImportResult
from services.preparation.store.imports import RowResult
from services.preparation.store.lots import LotRow, LotView
from shared.contracts.base import LotRef
from shared.errors import Language
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.ids import CaseId, LotId

router = APIRouter(prefix="/v1/lots", tags=["lots"])

_EXAMPLE = (
    ",".join(COLUMNS)
    + "\nL2026-0412,1,KC26-000001,141313,new,2026-03-02,2026-04-10,2036-05-14,1986-05-14\n"
)
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"UTF-8 (with or without BOM) or cp932. Columns: {', '.join(COLUMNS)}.",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


class RowOutcome(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class RowOut(BaseModel):
    """The result of one row."""

    line: int = Field(description="Line in the file; the header is 1.", examples=[2])
    lot_id: LotId | None = Field(description="None where it could not be read.")
    row: int | None = Field(description="The row of the manifest; none where unreadable.")
    outcome: RowOutcome
    code: str | None = Field(None, examples=["duplicate_card"])
    field: str | None = Field(None, examples=["card_reference"])
    message: str | None = None
    remedy: str | None = None
    case_id: CaseId | None = Field(None, description="The case opened.", examples=[CASE])


class ImportOut(BaseModel):
    """The result of a file; sent again, the same file gets the same."""

    import_id: UUID | None = Field(description="None for a dry run.")
    sha256: str
    dry_run: bool
    imported_at: datetime | None
    rows: int
    accepted: int
    rejected: int
    results: list[RowOut]


class LotOut(BaseModel):
    """A lot and how far its cards are."""

    lot_id: LotId = Field(examples=["L2026-0412"])
    received_at: datetime
    accepted: int
    rejected: int
    stages: dict[Stage, int] = Field(description="Cards by the stage they are in.")


class LotRowOut(RowOut):
    """The result of one row, and the file it came in."""

    import_id: UUID


@router.post(
    "",
    status_code=201,
    response_model=ImportOut,
    responses={200: {"model": ImportOut, "description": "A dry run, or a file known already."}},
    openapi_extra=_FILE,
)
async def import_lot(
    request: Request,
    call: CallDep,
    tools: ToolsDep,
    language: LanguageDep,
    dry_run: Annotated[bool, Query(description="Only say what would happen.")] = False,
) -> Response:
    """Import a lot file. The file itself is the idempotency key: sent again, it changes nothing.

    A row that holds a valid My Number anywhere is set aside; no value of it is kept.
    """
    file = await imports.read(tools, await request.body())
    async with call.unit() as unit:
        if dry_run:
            result = await imports.rehearse(unit, file)
        else:
            result = await imports.import_file(unit, tools, file)
    body = _import_out(result, language, dry_run=dry_run)
    if dry_run:
        return as_json(body)
    if not result.fresh:
        return as_json(body, 200, {"Idempotency-Replayed": "true"})
    return as_json(body, 201)


@router.get("")
async def list_lots(call: CallDep, page: PageDep) -> Page[LotOut]:
    """Lots, the newest first."""
    after = page.after(tuple[datetime, str])
    async with call.unit() as unit:
        found = await reads.list_lots(unit, after, page.fetch)
    return page.page(found, key=lambda lot: (lot.received_at, lot.lot_id), item=_lot_out)


@router.get("/{lot_id}")
async def one_lot(call: CallDep, lot_id: LotRef) -> LotOut:
    """One lot."""
    async with call.unit() as unit:
        return _lot_out(await reads.one_lot(unit, lot_id))


@router.get("/{lot_id}/rows")
async def rows_of_lot(
    call: CallDep, lot_id: LotRef, page: PageDep, language: LanguageDep
) -> Page[LotRowOut]:
    """The rows of a lot in the order of files and lines."""
    after = page.after(tuple[UUID, int])
    async with call.unit() as unit:
        found = await reads.rows_of_lot(unit, lot_id, after, page.fetch)
    return page.page(
        found,
        key=lambda row: (row.import_id, row.result.line),
        item=lambda row: _lot_row_out(row, language),
    )


def _lot_out(lot: LotView) -> LotOut:
    return LotOut(
        lot_id=lot.lot_id,
        received_at=lot.received_at,
        accepted=lot.accepted,
        rejected=lot.rejected,
        stages=lot.stages,
    )


def _lot_row_out(row: LotRow, language: Language) -> LotRowOut:
    return LotRowOut(import_id=row.import_id, **_row_fields(row.result, language))


def _import_out(result: ImportResult, language: Language, *, dry_run: bool) -> ImportOut:
    rows = [RowOut(**_row_fields(row, language)) for row in result.rows]
    rejected = sum(row.outcome is RowOutcome.REJECTED for row in rows)
    return ImportOut(
        import_id=result.import_id,
        sha256=result.digest.hex(),
        dry_run=dry_run,
        imported_at=result.imported_at,
        rows=len(rows),
        accepted=len(rows) - rejected,
        rejected=rejected,
        results=rows,
    )


def _row_fields(row: RowResult, language: Language) -> dict[str, Any]:
    fault = row.fault
    return {
        "line": row.line,
        "lot_id": row.lot_id,
        "row": row.row,
        "outcome": RowOutcome.REJECTED if fault else RowOutcome.ACCEPTED,
        "code": fault.code if fault else None,
        "field": fault.field if fault else None,
        "message": fault.message.to(language) if fault else None,
        "remedy": fault.remedy.to(language) if fault else None,
        "case_id": row.case_id,
    }
