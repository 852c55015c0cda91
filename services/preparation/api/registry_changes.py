"""Changes of the resident registry, one by one or as a file, and what they meant for the cards."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import (
    BaseModel,
    Field,
)
from starlette.requests import Request
from starlette.responses import Response

from services.preparation.api.listing import answer
from services.preparation.api.parts import CASE, LanguageDep, ToolsDep, as_json
from services.preparation.api.registry_bodies import MOST, ChangesIn
from services.preparation.domain.lot_file import TooManyRows
from services.preparation.domain.refusals import Refusal
from services.preparation.domain.registry import (
    REFERENCE_TAKEN,
    ChangeEffect,
    ChangeKind,
)
from services.preparation.domain.registry_file import CHANGES, ChangeRow, read_changes
from services.preparation.domain.row_faults import RowFault
from services.preparation.handlers import registry
from services.preparation.handlers.registry import Taken
from services.preparation.store.registry import ChangeFilter, KeptChange
from shared.errors import Language, Text
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep, packed
from shared.http.tables import Column, Table, TableDep, in_files
from shared.ids import CaseId, WardCode
from shared.unit import Unit

router = APIRouter(prefix="/v1/registry-changes", tags=["registry changes"])

_LONGEST = 5_000
_ROW = "REG-2026-000417,KC26-000001,moved_within_city,2026-04-10,141321,,,"
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": (
            f"UTF-8 (with or without BOM) or cp932. Columns: {', '.join(CHANGES.needed)}; "
            f"optional: {', '.join(CHANGES.optional)}. At most {MOST} rows."
        ),
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": f"{','.join(CHANGES.columns)}\n{_ROW}\n",
            }
        },
    }
}
_TABLE = in_files(
    "A page; as CSV or XLSX a file of up to 5,000 rows from the cursor on; "
    "`Next-Cursor` leads to the rest."
)
_COLUMNS = (
    Column("change_reference", Text("Change", "異動番号")),
    Column("card_reference", Text("Card", "カード参照番号")),
    Column("case_id", Text("Case", "案件ID")),
    Column("kind", Text("Kind", "異動の種類")),
    Column("effective_on", Text("In effect from", "異動日")),
    Column("ward", Text("New ward", "新しい区")),
    Column("effect", Text("Effect", "処理結果")),
    Column("recorded_at", Text("Recorded", "登録日時")),
)


class ChangeResult(BaseModel):
    """What became of one change; ``code`` and words where it was not taken."""

    line: int | None = Field(None, description="Line in the file; the header is 1.")
    change_reference: str | None = None
    outcome: str = Field(description="done, already (known before) or refused.")
    effect: ChangeEffect | None = None
    case_id: CaseId | None = Field(None, examples=[CASE])
    code: str | None = None
    field: str | None = None
    message: str | None = None
    remedy: str | None = None


class ChangeResults(BaseModel):
    """One result per change, and how many of each."""

    done: int
    already: int
    refused: int
    results: list[ChangeResult]


@dataclass(frozen=True)
class Chosen:
    """Which changes are listed; all where nothing is named."""

    kind: Annotated[ChangeKind | None, Query()] = None
    effect: Annotated[ChangeEffect | None, Query()] = None
    case_id: Annotated[UUID | None, Query()] = None

    @property
    def filter(self) -> ChangeFilter:
        """The filter that is meant."""
        return ChangeFilter(self.kind, self.effect, self.case_id)


class ChangeOut(BaseModel):
    """A change as it is kept."""

    change_id: UUID
    change_reference: str
    card_reference: str
    case_id: CaseId | None = Field(description="None while the card has not come.")
    kind: ChangeKind
    effective_on: date
    ward: WardCode | None
    review_on: date | None
    effect: ChangeEffect
    recorded_at: datetime


@router.post("", status_code=201, response_model=ChangeResults)
async def take_changes(
    call: OnceDep, tools: ToolsDep, language: LanguageDep, body: ChangesIn
) -> Response:
    """Take changes: cards are held, re-routed or voided at any stage, booked ones too.

    A change whose card has not come yet waits for it. Another change under a reference that is
    known is refused (`reference_taken`). `name` and `address` are what the next notice of the card
    is printed with; they are kept sealed, only until it is.
    """
    changes = [one.change for one in body.changes]
    corrected = {one.change_reference: one.addressee for one in body.changes if one.addressee}

    async def command(unit: Unit) -> ChangeResults:
        taken = await registry.take(unit, tools, changes, corrected)
        return _counted([_taken(one, language) for one in taken])

    return await call.once(body, command)


@router.post("/files", response_model=ChangeResults, openapi_extra=_FILE)
async def take_file(
    request: Request, call: CallDep, tools: ToolsDep, language: LanguageDep
) -> Response:
    """Take a file of changes; good rows are taken even where others are not.

    Each change counts once, so a file may be sent again without harm.
    """
    rows = await asyncio.to_thread(read_changes, await request.body())
    if len(rows) > MOST:
        raise TooManyRows(MOST)
    changes = [row.change for row in rows if row.change is not None]
    corrected = {
        row.change.change_reference: row.addressee for row in rows if row.change and row.addressee
    }
    async with call.unit() as unit:
        taken = await registry.take(unit, tools, changes, corrected)
    return as_json(_counted(_file_results(rows, taken, language)))


@router.get("", response_model=Page[ChangeOut], responses=_TABLE)
async def list_changes(
    call: CallDep,
    page: PageDep,
    wanted: TableDep,
    chosen: Annotated[Chosen, Depends()],
) -> Response:
    """Changes, the newest first; also as a file for spreadsheets."""
    before = page.after(tuple[UUID])
    as_page = wanted.format == "json"
    async with call.unit() as unit:
        found = await registry.listed(
            unit,
            chosen.filter,
            before[0] if before else None,
            page.fetch if as_page else _LONGEST + 1,
        )
    if as_page:
        return as_json(page.page(found, key=lambda one: (one.change_id,), item=_out))
    shown = found[:_LONGEST]
    rows = [[getattr(_out(one), column.key) for column in _COLUMNS] for one in shown]
    more = packed((shown[-1].change_id,)) if len(found) > len(shown) else None
    return await answer(wanted, Table("registry-changes", _COLUMNS, rows, more))


def _out(kept: KeptChange) -> ChangeOut:
    change = kept.change
    return ChangeOut(
        change_id=kept.change_id,
        change_reference=change.change_reference,
        card_reference=change.card_reference,
        case_id=kept.case_id,
        kind=change.kind,
        effective_on=change.effective_on,
        ward=change.ward,
        review_on=change.review_on,
        effect=kept.effect,
        recorded_at=kept.recorded_at,
    )


def _file_results(
    rows: Sequence[ChangeRow], taken: Sequence[Taken], language: Language
) -> list[ChangeResult]:
    left = iter(taken)
    return [
        _refused(row.line, row.fault or row.refusal, language)
        if row.change is None
        else _taken(next(left), language, row.line)
        for row in rows
    ]


def _taken(one: Taken, language: Language, line: int | None = None) -> ChangeResult:
    if one.differs:
        refused = _refused(line, REFERENCE_TAKEN.refusal, language)
        reference = one.kept.change.change_reference
        return refused.model_copy(update={"change_reference": reference})
    return ChangeResult(
        line=line,
        change_reference=one.kept.change.change_reference,
        outcome="done" if one.fresh else "already",
        effect=one.kept.effect,
        case_id=one.kept.case_id,
    )


def _refused(line: int | None, why: RowFault | Refusal | None, language: Language) -> ChangeResult:
    if why is None:
        raise RuntimeError("a row is neither taken nor refused")
    return ChangeResult(
        line=line,
        outcome="refused",
        code=why.code,
        field=why.field if isinstance(why, RowFault) else None,
        message=why.message.to(language),
        remedy=why.remedy.to(language),
    )


def _counted(results: list[ChangeResult]) -> ChangeResults:
    outcomes = [result.outcome for result in results]
    return ChangeResults(
        done=outcomes.count("done"),
        already=outcomes.count("already"),
        refused=outcomes.count("refused"),
        results=results,
    )
