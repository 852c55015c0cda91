"""GET /v1/reports/monthly: the plan's table of a fiscal year, or its finest cells."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.answers import answer
from services.reporting.api.filters import SiteFilter, WardFilter, YearDep, today
from services.reporting.api.models import ReportTable
from services.reporting.api.spans import CalendarDep
from services.reporting.api.tables import long_table, marked, plan_table, service_table
from services.reporting.domain.monthly import plan_rows
from services.reporting.handlers.forecasts import Present, complete_months
from services.reporting.store import reports
from shared.http.call import CallDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/reports", tags=["reports"])


class Layout(StrEnum):
    """How the months are laid out."""

    PLAN = "plan"
    LONG = "long"
    SERVICE = "service"


@router.get(
    "/monthly",
    summary="Completed procedures by month",
    response_model=ReportTable,
    responses=documents.table(documents.MONTHLY),
)
async def monthly(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    year: YearDep,
    calendar: CalendarDep,
    ward: WardFilter = None,
    site_id: SiteFilter = None,
    layout: Annotated[
        Layout,
        Query(
            description="plan: a row per procedure and their sum, twelve months and the year. "
            "long: a row per month, procedure, ward and site that has any. "
            "service: a row per month and procedure, as month, service, completed. "
            "In both `complete` is false for a month that is not over, that was counted in part "
            "because the city went live in it, or of which nothing was told."
        ),
    ] = Layout.PLAN,
) -> Response:
    """A case counts in the month (Asia/Tokyo) of its `card.issued` or `certificate.renewed`. In
    JSON each row of the plan names the month that is not over as `running`, where the year has it;
    its files end with the year: those of `/v1/reports/plan` name the month too."""
    span = reports.Span(year.first, year.last, ward, site_id)
    day = today(call.resources.units.clock)
    present = Present(day.replace(day=1), calendar)
    async with call.unit() as unit:
        if layout is Layout.LONG:
            complete = await complete_months(unit, present)
            cells = await reports.cells(unit.conn, span)
            table = long_table(year, cells, wanted.language, complete)
        elif layout is Layout.SERVICE:
            complete = await complete_months(unit, present)
            table = service_table(year, await reports.counts(unit.conn, span), complete)
        else:
            rows = plan_rows(year, await reports.counts(unit.conn, span))
            table = plan_table(year, rows, wanted.language)
            if wanted.format == "json":
                table = marked(table, year, day)
    return await answer(request, wanted, table)
