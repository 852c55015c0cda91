"""Imports: how far each file is, and what became of its rows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from services.preparation.api.listing import answer
from services.preparation.api.parts import CASE, as_json
from services.preparation.domain.oddities import Oddity
from services.preparation.handlers import uploads
from services.preparation.store.import_jobs import Import, ImportMode
from services.preparation.store.imports import RowFilter, RowResult
from shared.errors import Language, Text
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep, packed
from shared.http.tables import Cell, Column, Table, TableDep, in_files
from shared.ids import CaseId, LotId

router = APIRouter(prefix="/v1/imports", tags=["lots"])

_LONGEST = 100_000
_TABLE = in_files(
    "A page; as CSV or XLSX a file of up to 100,000 rows from the cursor on; "
    "`Next-Cursor` leads to the rest."
)
_COLUMNS = (
    Column("line", Text("Line", "行番号")),
    Column("lot_id", Text("Lot", "ロット")),
    Column("row", Text("Row", "明細行")),
    Column("outcome", Text("Outcome", "結果")),
    Column("code", Text("Code", "コード")),
    Column("field", Text("Column", "列")),
    Column("message", Text("Message", "内容")),
    Column("remedy", Text("What to do", "対応")),
    Column("case_id", Text("Case", "案件ID")),
    Column("warnings", Text("Warnings", "注意")),
)


class RowOutcome(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class WarningOut(BaseModel):
    """What is odd about a row that was taken all the same."""

    code: Oddity
    field: str
    message: str
    remedy: str


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
    warnings: list[WarningOut] = Field(
        default_factory=list, description="What to look at, though the card was taken."
    )


@dataclass(frozen=True)
class Only:
    """Which rows are shown; all where nothing is named."""

    rejected: Annotated[bool, Query(description="Only the rows that were not taken.")] = False
    warned: Annotated[bool, Query(description="Only the rows that have warnings.")] = False


class ImportJob(BaseModel):
    """How far a file is."""

    import_id: UUID
    sha256: str
    state: Literal["running", "done", "refused"]
    mode: ImportMode
    started_at: datetime
    finished_at: datetime | None
    rows: int
    rows_judged: int = Field(
        description="Of a file wanted whole: rows that were judged; then they are taken."
    )
    rows_done: int
    accepted: int
    rejected: int
    warned: int = Field(description="Accepted rows about which something is odd.")


@router.get("")
async def list_imports(call: CallDep, page: PageDep) -> Page[ImportJob]:
    """Imports, the newest first."""
    before = page.after(tuple[UUID])
    async with call.unit() as unit:
        found = await uploads.listed(unit, before[0] if before else None, page.fetch)
    return page.page(found, key=lambda one: (one.import_id,), item=import_job)


@router.get("/{import_id}")
async def one_import(call: CallDep, import_id: UUID) -> ImportJob:
    """How far one file is."""
    async with call.unit() as unit:
        return import_job(await uploads.find(unit, import_id))


@router.get("/{import_id}/rows", response_model=Page[RowOut], responses=_TABLE)
async def rows_of_import(
    call: CallDep,
    import_id: UUID,
    page: PageDep,
    wanted: TableDep,
    only: Annotated[Only, Depends()],
) -> Response:
    """What became of the rows so far, in the order of the file; also as a file."""
    after = page.after(tuple[int])
    as_page = wanted.format == "json"
    async with call.unit() as unit:
        found = await uploads.rows(
            unit,
            import_id,
            after[0] if after else 0,
            page.fetch if as_page else _LONGEST + 1,
            RowFilter(only.rejected, only.warned),
        )
    if as_page:
        return as_json(
            page.page(
                found,
                key=lambda row: (row.line,),
                item=lambda row: RowOut(**row_fields(row, wanted.language)),
            )
        )
    shown = found[:_LONGEST]
    more = packed((shown[-1].line,)) if len(found) > len(shown) else None
    told = [row_fields(row, wanted.language) for row in shown]
    rows = [[_cell(fields[column.key]) for column in _COLUMNS] for fields in told]
    return await answer(wanted, Table(f"import-{import_id}", _COLUMNS, rows, more))


def import_job(kept: Import) -> ImportJob:
    """The import as callers see it."""
    return ImportJob(
        import_id=kept.import_id,
        sha256=kept.digest.hex(),
        state="refused" if kept.refused else "done" if kept.finished_at else "running",
        mode=kept.mode,
        started_at=kept.imported_at,
        finished_at=kept.finished_at,
        rows=kept.row_count,
        rows_judged=kept.rows_judged,
        rows_done=kept.rows_done,
        accepted=0 if kept.refused else max(0, kept.rows_done - kept.rejected),
        rejected=kept.rejected,
        warned=kept.warned,
    )


def row_fields(row: RowResult, language: Language) -> dict[str, Any]:
    """The members of ``RowOut`` in words of ``language``."""
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
        "warnings": [_warning(oddity, language) for oddity in row.oddities],
    }


def _warning(oddity: Oddity, language: Language) -> dict[str, str]:
    words = oddity.words
    return {
        "code": oddity,
        "field": words.field,
        "message": words.message.to(language),
        "remedy": words.remedy.to(language),
    }


def _cell(value: Any) -> Cell:
    """A member as a cell: of warnings, what they say."""
    if isinstance(value, list):
        return " ".join(f"{each['code']}: {each['message']} {each['remedy']}" for each in value)
    cell: Cell = value
    return cell
