"""/v1/reports/backlog and /lead-times: what waits where on each day, and how long steps take."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.filters import WardFilter
from services.reporting.api.lists import listed
from services.reporting.api.spans import CalendarDep, DaysDep
from services.reporting.api.way_models import BacklogLine, LeadTimeLine
from services.reporting.domain import backlog
from services.reporting.domain.backlog import DayTotals
from services.reporting.domain.lead_times import TITLES, LeadTime, Span, lead_times
from services.reporting.store import ways
from shared.errors import Language
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/reports", tags=["reports"])

_ORDER = {span: f"{number:02}" for number, span in enumerate(Span)}
_BACKLOG = (
    ("business_date", "Up to", "基準日"),
    ("ward", "Ward of residence", "住所地の区（団体コード）"),
    ("applied", "Applied", "申請受付"),
    ("shipped", "Shipped", "発送"),
    ("preset", "Preset", "交付前設定"),
    ("issued", "Issued", "交付"),
    ("waiting_for_shipment", "Waiting for shipment", "発送待ち"),
    ("waiting_for_preset", "Waiting for preset", "交付前設定待ち"),
    ("waiting_for_issuance", "Waiting for issuance", "交付待ち"),
    ("ended", "Ended without issuance", "交付に至らず終了"),
)
LEAD_TIME_TITLES = (
    ("span", "Step", "区間"),
    ("title", "What it is", "区間名"),
    ("ward", "Ward of residence", "住所地の区（団体コード）"),
    ("cases", "Cases", "件数"),
    ("p50", "p50 (business days)", "中央値（営業日）"),
    ("p90", "p90 (business days)", "90％点（営業日）"),
    ("p50_days", "p50 (days)", "中央値（日）"),
    ("p90_days", "p90 (days)", "90％点（日）"),
)


@router.get(
    "/backlog",
    summary="The four official totals and the backlog, day by day",
    response_model=Page[BacklogLine],
    responses=documents.files(),
)
async def backlog_report(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    days: DaysDep,
    ward: WardFilter = None,
) -> Response:
    """Per ward and, without a ward, their sum; each case counts in its present ward."""
    async with call.unit() as unit:
        changes = await ways.changes(unit.conn, days.first, days.last, ward)
    found = list(backlog.running(changes, days.first, days.last))
    lines = [*_of_wards(found), *([] if ward else _of_city(found))]
    return await listed(
        request,
        wanted,
        page,
        sorted(lines, key=_backlog_key),
        name=f"backlog-{days.first}-{days.last}",
        titles=_BACKLOG,
        key=_backlog_key,
        kind=tuple[date, str],
    )


@router.get(
    "/lead-times",
    summary="How long card cases took from stage to stage: p50 and p90",
    response_model=Page[LeadTimeLine],
    responses=documents.files(),
)
async def lead_time_report(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    days: DaysDep,
    calendar: CalendarDep,
    ward: WardFilter = None,
    by_ward: Annotated[bool, Query(description="Each ward by itself, too.")] = False,
) -> Response:
    """Steps that ended in these days, in business days and calendar days; the same day is 0."""
    async with call.unit() as unit:
        passages = await ways.passages(
            unit.conn, days.first, days.last, ward, by_ward=by_ward or ward is not None
        )
    found = lead_times(passages, calendar)
    lines = [
        lead_time_line(each, wanted.language) for each in found if not ward or each.part == ward
    ]
    return await listed(
        request,
        wanted,
        page,
        lines,
        name=f"lead-times-{days.first}-{days.last}",
        titles=LEAD_TIME_TITLES,
        key=lambda line: (_ORDER[line.span], line.ward if line.ward != "sum" else ""),
        kind=tuple[str, str],
    )


def _of_wards(found: Sequence[DayTotals]) -> Iterator[BacklogLine]:
    for each in found:
        yield BacklogLine(
            business_date=each.day, ward=each.ward or "unknown", **asdict(each.totals)
        )


def _of_city(found: Sequence[DayTotals]) -> Iterator[BacklogLine]:
    for day, totals in backlog.city(found).items():
        yield BacklogLine(business_date=day, ward="sum", **asdict(totals))


def _backlog_key(line: BacklogLine) -> tuple[date, str]:
    return (line.business_date, line.ward)


def lead_time_line(found: LeadTime, language: Language) -> LeadTimeLine:
    """A step as callers see it."""
    values = asdict(found) | {"ward": found.part or "sum"}
    del values["part"]
    return LeadTimeLine(title=TITLES[found.span].to(language), **values)
