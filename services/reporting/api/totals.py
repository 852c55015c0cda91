"""GET /v1/reports/totals: the four official totals and the backlog, per ward."""

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.answers import answer
from services.reporting.api.filters import today
from services.reporting.api.models import ReportTable
from services.reporting.api.tables import totals_table
from services.reporting.store import reports
from shared.calendar import TOKYO
from shared.http.call import CallDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/reports", tags=["reports"])


@router.get(
    "/totals",
    summary="Applied, shipped, preset, issued, and what waits between them",
    response_model=ReportTable,
    responses=documents.table(documents.TOTALS),
)
async def totals(
    request: Request,
    call: CallDep,
    wanted: TableDep,
    day: Annotated[
        date | None,
        Query(
            alias="date",
            ge=date(2000, 1, 1),
            le=date(2999, 12, 31),
            description="Up to the end of this day in Japan; without it, today.",
        ),
    ] = None,
) -> Response:
    """Running totals of card cases; each case counts in its present ward of residence."""
    shown = day or today(call.resources.units.clock)
    async with call.unit() as unit:
        wards = await reports.totals(unit.conn, shown, end_of(shown))
    return await answer(request, wanted, totals_table(shown, wards))


def end_of(day: date) -> datetime:
    """The instant at which ``day`` has ended in Japan."""
    return datetime.combine(day, time.min, TOKYO) + timedelta(days=1)
