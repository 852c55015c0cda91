"""Lots: import of files, and what came of them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.api.imports import ImportJob, RowOut, import_job
from services.preparation.api.imports import row_fields as _row_fields
from services.preparation.api.parts import LanguageDep, ToolsDep, as_json
from services.preparation.domain.lot_file import (
    COLUMNS,
    LOT,
    OPENING_STOCK,
    OPTIONAL,
    Form,
    TooManyRows,
)
from services.preparation.domain.lot_rows import LotFile
from services.preparation.domain.stages import Stage
from services.preparation.handlers import imports, reads, uploads
from services.preparation.handlers.imports import ImportResult, RowsRefused
from services.preparation.store.import_jobs import ImportMode
from services.preparation.store.lots import LotRow, LotView
from services.preparation.tools import Tools
from shared.contracts.base import LotRef
from shared.errors import Language, RejectedValueError, Text
from shared.http.call import Call, CallDep
from shared.http.paging import Page, PageDep
from shared.ids import LotId
from shared.security.access import RoleForbidden
from shared.security.principal import Role

router = APIRouter(prefix="/v1/lots", tags=["lots"])

_EXAMPLE = (
    ",".join(COLUMNS)
    + "\nL2026-0412,1,KC26-000001,141313,new,2026-03-02,2026-04-10,2036-05-14,1986-05-14\n"
)
_MOST_REFUSED = 1_000
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "UTF-8 (with or without BOM) or cp932. "
        f"Columns: {', '.join(COLUMNS)}; "
        f"optional: {', '.join(OPTIONAL)}.",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


class ImportOut(BaseModel):
    """The result of a file; sent again, the same file gets the same."""

    import_id: UUID | None = Field(description="None for a dry run.")
    sha256: str
    dry_run: bool
    imported_at: datetime | None
    rows: int
    accepted: int
    rejected: int
    warned: int = Field(description="Accepted rows about which something is odd.")
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


class Mode(BaseModel):
    """How a file is taken."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(False, description="Only say what would happen.")
    whole: bool = Field(False, description="All or nothing: one bad row keeps everything out.")
    background: bool = Field(
        False, description="Take a long file in slices; the answer names the import to look at."
    )
    results: Literal["all", "refused"] = Field(
        "all", description="refused: list only rows that were not taken or have warnings."
    )
    opening_stock: bool = Field(
        False,
        description="Cards from before this system: columns stage, site_id, shelf, notice_number, "
        "notice_seq, pickup_deadline; supervisors.",
    )

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.dry_run and self.whole:
            raise RejectedValueError(
                Text(
                    "A dry run takes nothing, whole or not.",
                    "dry_run では取り込まないため、whole は指定できません。",
                ),
                Text("Leave one of them out.", "いずれかを外してください。"),
            )
        if self.background and self.opening_stock:
            raise RejectedValueError(
                Text(
                    "Opening stock is not taken in the background.",
                    "開始時在庫は background で取り込めません。",
                ),
                Text("Send it in several files.", "複数のファイルに分けて送信してください。"),
            )
        return self

    @property
    def form(self) -> Form:
        """The columns that are read."""
        return OPENING_STOCK if self.opening_stock else LOT

    @property
    def kind(self) -> ImportMode:
        """How a long file is taken."""
        if self.dry_run:
            return ImportMode.DRY_RUN
        return ImportMode.WHOLE if self.whole else ImportMode.PARTIAL


@router.post(
    "",
    status_code=201,
    response_model=ImportOut,
    responses={
        200: {"model": ImportOut, "description": "A dry run, or a file known already."},
        202: {"model": ImportJob, "description": "Taken in slices; look at the import."},
    },
    openapi_extra=_FILE,
)
async def import_lot(
    request: Request,
    call: CallDep,
    tools: ToolsDep,
    language: LanguageDep,
    mode: Annotated[Mode, Query()],
) -> Response:
    """Import a lot file. The file itself is the idempotency key: sent again, it changes nothing.

    A file of more rows than one transaction takes goes on in the background (202), also where it is
    tried only or wanted whole: then all of it is judged before the first row is taken.
    A row that holds a valid My Number anywhere is set aside; no value of it is kept.
    """
    if mode.opening_stock and Role.SUPERVISOR not in call.principal.roles:
        raise RoleForbidden(frozenset({Role.SUPERVISOR}))
    if mode.background:
        return await _in_background(request, call, tools, mode)
    try:
        file = await imports.read(tools, await request.body(), mode.form)
    except TooManyRows:
        if mode.opening_stock:
            raise
        return await _in_background(request, call, tools, mode)
    result = await _taken(call, tools, file, mode, language)
    body = _import_out(result, language, mode)
    if mode.dry_run:
        return as_json(body)
    if not result.fresh:
        return as_json(body, 200, {"Idempotency-Replayed": "true"})
    return as_json(body, 201)


async def _taken(
    call: Call, tools: Tools, file: LotFile, mode: Mode, language: Language
) -> ImportResult:
    try:
        async with call.unit() as unit:
            if mode.dry_run:
                return await imports.rehearse(unit, tools, file)
            return await imports.import_file(unit, tools, file, whole=mode.whole)
    except RowsRefused as refused:
        refused.extras["results"] = [
            RowOut(**_row_fields(row, language)).model_dump(mode="json")
            for row in refused.rows[:_MOST_REFUSED]
        ]
        raise


async def _in_background(request: Request, call: Call, tools: Tools, mode: Mode) -> Response:
    file = await uploads.read(tools, await request.body(), mode.form)
    async with call.unit() as unit:
        kept, fresh = await uploads.accept(unit, tools, file, mode.kind)
    headers = {"Location": f"{request.scope.get('root_path', '')}/v1/imports/{kept.import_id}"}
    if not fresh:
        headers["Idempotency-Replayed"] = "true"
    return as_json(import_job(kept), 202, headers)


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


def _import_out(result: ImportResult, language: Language, mode: Mode) -> ImportOut:
    rejected = sum(row.fault is not None for row in result.rows)
    told = [
        RowOut(**_row_fields(row, language))
        for row in result.rows
        if mode.results == "all" or row.fault or row.oddities
    ]
    return ImportOut(
        import_id=result.import_id,
        sha256=result.digest.hex(),
        dry_run=mode.dry_run,
        imported_at=result.imported_at,
        rows=len(result.rows),
        accepted=len(result.rows) - rejected,
        rejected=rejected,
        warned=sum(bool(row.oddities) for row in result.rows),
        results=told,
    )
