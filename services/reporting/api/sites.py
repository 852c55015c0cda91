"""/v1/reports/sites…: what the days of sites are like, now and over time."""

import hashlib
from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.answers import answer
from services.reporting.api.filters import today
from services.reporting.api.free_table import free_by_site, free_by_ward
from services.reporting.api.models import ReportTable
from services.reporting.api.site_lines import (
    DAY_COLUMNS,
    HOUR_COLUMNS,
    SiteDayLine,
    SiteHourLine,
    day_line,
    hour_line,
    lines_table,
    now_table,
    times_table,
)
from services.reporting.api.spans import CalendarDep, DayParam, SpanDep
from services.reporting.api.totals import end_of
from services.reporting.handlers import site_reports
from services.reporting.store import site_times
from shared.http.call import CallDep
from shared.http.etag import tagged
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep
from shared.ids import SiteId

router = APIRouter(prefix="/v1/reports/sites", tags=["sites"])


class By(StrEnum):
    """Whose first free date is meant."""

    SITE = "site"
    WARD = "ward"


@router.get(
    "",
    summary="Each site now: who waits, who is expected, what was served",
    response_model=ReportTable,
    responses=documents.table(documents.SITES),
)
async def sites(
    request: Request, call: CallDep, wanted: TableDep, day: DayParam = None
) -> Response:
    """A day of the past is shown as it was at its end. Waits are those of the day so far."""
    clock = call.resources.units.clock
    shown = day or today(clock)
    at = min(clock.now(), end_of(shown))
    async with call.unit() as unit:
        found = await site_reports.now(unit.conn, shown, at)
    return await answer(request, wanted, now_table(shown, found, wanted.language))


@router.get(
    "/days",
    summary="Planned, offered, booked and used time of each site and day",
    response_model=Page[SiteDayLine],
    responses=documents.files(),
)
async def days(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    span: SpanDep,
    calendar: CalendarDep,
) -> Response:
    """In order of day and site. CSV and XLSX hold all lines, JSON comes in pages."""
    after = page.after(tuple[date, SiteId])
    async with call.unit() as unit:
        lines = [day_line(one) for one in await site_reports.days(unit.conn, span, calendar)]
    if wanted.format != "json":
        name = f"site-days-{span.first}-{span.last}"
        return await answer(request, wanted, lines_table(name, DAY_COLUMNS, lines))
    rest = [one for one in lines if after is None or (one.business_date, one.site_id) > after]
    shown = page.page(
        rest[: page.fetch], key=lambda one: (one.business_date, one.site_id), item=lambda one: one
    )
    return tagged(request, shown, _version(shown))


@router.get(
    "/hours",
    summary="The same by hour of the day",
    response_model=Page[SiteHourLine],
    responses=documents.files(),
)
async def hours(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    span: SpanDep,
    calendar: CalendarDep,
) -> Response:
    """In order of day, site and hour. A booking that lasts into the next hour counts in both."""
    after = page.after(tuple[date, SiteId, int])
    async with call.unit() as unit:
        lines = [hour_line(one) for one in await site_reports.hours(unit.conn, span, calendar)]
    if wanted.format != "json":
        name = f"site-hours-{span.first}-{span.last}"
        return await answer(request, wanted, lines_table(name, HOUR_COLUMNS, lines))
    rest = [one for one in lines if after is None or _hour_key(one) > after]
    shown = page.page(rest[: page.fetch], key=_hour_key, item=lambda one: one)
    return tagged(request, shown, _version(shown))


@router.get(
    "/times",
    summary="How long parties waited and were served: p50, p90, p95",
    response_model=ReportTable,
    responses=documents.table(documents.TIMES),
)
async def times(request: Request, call: CallDep, wanted: TableDep, span: SpanDep) -> Response:
    """A wait lasts until the first call, service from the last call until the last case ends."""
    async with call.unit() as unit:
        found = await site_times.times(unit.conn, span)
    return await answer(request, wanted, times_table(f"{span.first}-{span.last}", found))


@router.get(
    "/first-free",
    summary="The first day with a free seat, per site or per ward of residence",
    response_model=ReportTable,
    responses=documents.table(documents.FIRST_FREE),
)
async def first_free(
    request: Request,
    call: CallDep,
    wanted: TableDep,
    by: Annotated[By, Query(description="site or ward.")] = By.SITE,
) -> Response:
    """From tomorrow to 60 days ahead: the free seats told last (holds, shares kept for others and
    suspensions are taken off), less what was booked since. /first-free says the same of today."""
    day = today(call.resources.units.clock)
    async with call.unit() as unit:
        outlook = await site_reports.outlook(unit.conn, day)
    table = free_by_ward(outlook) if by is By.WARD else free_by_site(outlook, wanted.language)
    return await answer(request, wanted, table)


def _hour_key(line: SiteHourLine) -> tuple[date, SiteId, int]:
    return (line.business_date, line.site_id, line.hour)


def _version(body: BaseModel) -> int:
    digest = hashlib.sha256(body.model_dump_json().encode()).digest()
    return int.from_bytes(digest[:8])
