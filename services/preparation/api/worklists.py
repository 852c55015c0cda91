"""Work lists: what to do next, the most urgent first, for each operator."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api.listing import answer
from services.preparation.api.parts import CASE, LanguageDep, ToolsDep, as_json
from services.preparation.domain.stages import Stage
from services.preparation.domain.worklist import Order, Rank, Task, Work
from services.preparation.handlers import worklists
from services.preparation.store.worklists import WorkFilter
from shared.calendar import business_date
from shared.contracts.base import CaseKind, SiteRef, WardRef
from shared.errors import Language, Text
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep
from shared.http.tables import Column, Table, TableDep, in_files
from shared.ids import CaseId, LotId, SiteId, WardCode
from shared.unit import Unit

router = APIRouter(prefix="/v1/worklists", tags=["worklists"])

LONGEST = 5_000
"""Rows of a file."""


class WorkOut(BaseModel):
    """A card and what it waits for."""

    case_id: CaseId = Field(examples=[CASE])
    card_reference: str = Field(examples=["KC26-000001"])
    lot_id: LotId = Field(examples=["L2026-0412"])
    task: Task
    label: str = Field(description="The task as people say it.")
    ward: WardCode = Field(examples=["141313"])
    kind: CaseKind
    stage: Stage
    stage_since: datetime
    needed_by: date | None = Field(
        description="The day of its booking, or on which it (or the old card) expires soon."
    )
    expires_on: date = Field(description="Of the card, or of the old one where that is earlier.")
    booked_at: datetime | None
    review_on: date | None = Field(description="When its hold is looked at again.")
    site_id: SiteId | None
    shelf_position: str | None
    assigned_until: datetime | None = Field(description="While it is the operator's own.")


class Next(BaseModel):
    """Which cards to take: the most urgent of a task, of a ward, at a site; any where not named."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"task": "preset", "count": 20}]}
    )

    task: Task | None = None
    ward: WardRef | None = None
    order: Order = Order.URGENCY
    count: int = Field(20, ge=1, le=500, description="How many, at most.")
    minutes: int | None = Field(None, ge=1, le=24 * 60, description="Until it expires by itself.")


class Taken(BaseModel):
    """The cards that are yours now, the most urgent first; empty where none is free."""

    case_ids: list[CaseId]
    expires_at: datetime


def _wanted(
    call: CallDep,
    tools: ToolsDep,
    *,
    operator: Annotated[
        str | None,
        Query(max_length=200, description="Whose list; your own without it. For supervisors."),
    ] = None,
    order: Order = Order.URGENCY,
    task: Task | None = None,
    ward: WardRef | None = None,
    site_id: SiteRef | None = None,
) -> WorkFilter:
    today = business_date(call.resources.units.clock.now())
    return WorkFilter(
        operator=operator or call.principal.subject,
        today=today,
        near=today + timedelta(days=tools.settings.near_expiry_days),
        order=order,
        task=task,
        ward=ward,
        site_id=site_id,
    )


WorkFilterDep = Annotated[WorkFilter, Depends(_wanted)]

_COLUMNS: Final = (
    Column("task", Text("To do", "作業")),
    Column("label", Text("What to do", "作業名")),
    Column("card_reference", Text("Card", "カード管理番号")),
    Column("needed_by", Text("Needed by", "期限")),
    Column("expires_on", Text("Expires on", "有効期限")),
    Column("booked_at", Text("Booked for", "予約日時")),
    Column("stage", Text("Stage", "段階")),
    Column("stage_since", Text("Since", "段階の開始日時")),
    Column("ward", Text("Ward", "区コード")),
    Column("lot_id", Text("Lot", "ロット")),
    Column("site_id", Text("Site", "窓口")),
    Column("shelf_position", Text("Shelf position", "保管位置")),
    Column("review_on", Text("Review on", "見直し日")),
    Column("assigned_until", Text("Yours until", "担当期限")),
    Column("case_id", Text("Case", "案件ID")),
)
_DESKTOPS: Final = (
    Column("operator", Text("Operator", "担当者")),
    Column("task", Text("To do", "作業")),
    Column("label", Text("What to do", "作業名")),
    Column("cards", Text("Cards in hand", "担当枚数")),
    Column("assigned_since", Text("In hand since", "担当開始日時")),
    Column("expires_first", Text("First expires at", "最初の担当期限")),
)
_FILES: Final = in_files(
    f"A page; as CSV or XLSX up to {LONGEST} rows from the cursor on; "
    "`Next-Cursor` leads to the rest."
)


@router.get("", response_model=Page[WorkOut], responses=_FILES)
async def work_to_do(
    call: CallDep, page: PageDep, form: TableDep, wanted: WorkFilterDep
) -> Response:
    """What an operator does next: own cards first, then those nobody has, the most urgent first.

    Cards that somebody else works on are not shown. What is on hold appears on its review date.
    """
    asked = page if form.format == "json" else replace(page, limit=LONGEST)
    async with call.unit() as unit:
        found = await worklists.listed(unit, wanted, page.after(Rank), asked.fetch)
    shown = asked.page(found, key=lambda w: tuple(w.rank), item=lambda w: _out(w, form.language))
    if form.format == "json":
        return as_json(shown)
    rows = [[getattr(one, column.key) for column in _COLUMNS] for one in shown.items]
    return await answer(form, Table("worklist", _COLUMNS, rows, shown.next_cursor))


@router.post("/next", status_code=201, response_model=Taken)
async def take_next(call: OnceDep, tools: ToolsDep, body: Next) -> Response:
    """Take the next cards for yourself; whoever asks at the same time gets others."""
    near = timedelta(days=tools.settings.near_expiry_days)
    minutes = body.minutes or tools.settings.assignment_minutes

    async def command(unit: Unit) -> Taken:
        today = business_date(unit.now)
        wanted = WorkFilter(
            call.principal.subject, today, today + near, body.order, body.task, body.ward
        )
        taken = await worklists.take_next(unit, wanted, body.count, minutes)
        return Taken(case_ids=taken, expires_at=unit.now + timedelta(minutes=minutes))

    return await call.once(body, command)


@router.get("/operators", response_class=Response, responses=_FILES)
async def in_hand(call: CallDep, form: TableDep, language: LanguageDep) -> Response:
    """What each operator has in hand now, by task."""
    async with call.unit() as unit:
        found = await worklists.desktops(unit)
    rows = [
        (
            one.operator,
            one.task.value,
            one.task.label.to(language),
            one.cards,
            one.assigned_since,
            one.expires_first,
        )
        for one in found
    ]
    return await form.answer(Table("operators", _DESKTOPS, rows))


def _out(work: Work, language: Language) -> WorkOut:
    return WorkOut(
        case_id=work.case_id,
        card_reference=work.card_reference,
        lot_id=work.lot_id,
        task=work.task,
        label=work.task.label.to(language),
        ward=work.ward,
        kind=work.kind,
        stage=work.stage,
        stage_since=work.stage_since,
        needed_by=work.needed_by,
        expires_on=work.expires_on,
        booked_at=work.booked_at,
        review_on=work.review_on,
        site_id=work.site_id,
        shelf_position=work.shelf_position,
        assigned_until=work.assigned_until,
    )
