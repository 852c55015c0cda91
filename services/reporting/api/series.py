"""GET /v1/series: what was done and what each forecast expected, month by month, side by side."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.filters import today
from services.reporting.api.forecast_models import SeriesLine
from services.reporting.api.lists import listed
from services.reporting.api.months import MonthsDep
from services.reporting.api.spans import CalendarDep
from services.reporting.domain.monthly import Counts
from services.reporting.handlers import forecasts
from services.reporting.handlers.forecasts import Present
from services.reporting.store import forecasts as stored
from shared.contracts.base import Procedure
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/series", tags=["forecasts"])

_TITLES = (
    ("month", "Month", "年月"),
    ("service", "Procedure", "手続"),
    ("series", "Series", "系列"),
    ("count", "Number", "件数"),
    ("complete", "Complete", "確定"),
)


@router.get(
    "",
    summary="Actuals and forecasts side by side",
    response_model=Page[SeriesLine],
    responses=documents.files(),
)
async def series(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    calendar: CalendarDep,
    months: MonthsDep,
    procedure: Annotated[Procedure | None, Query(description="Without it, both.")] = None,
    version: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Of the forecasts only this one.")
    ] = None,
) -> Response:
    """In order of month, procedure and series."""
    present = Present(today(call.resources.units.clock).replace(day=1), calendar)
    async with call.unit() as unit:
        done = await forecasts.known(unit, present)
        lines = list(_lines("actual", done.counts, done.over))
        for each in await stored.versions(unit.conn, only=version):
            found = await stored.read(unit.conn, each.version)
            lines += _lines(f"forecast-{each.version}", found.expected)
            lines += _lines(f"published-{each.version}", found.published)
    first, last = (f"{each:%Y-%m}" for each in months)
    chosen = [
        line for line in lines if first <= line.month <= last and procedure in (None, line.service)
    ]
    return await listed(
        request,
        wanted,
        page,
        sorted(chosen, key=_key),
        name="series",
        titles=_TITLES,
        key=_key,
        kind=tuple[str, str, str],
    )


def _lines(name: str, counts: Counts, over: Counts | None = None) -> Iterator[SeriesLine]:
    """``over`` are those that can be compared; without it, all."""
    for (month, procedure), count in counts.items():
        yield SeriesLine(
            month=f"{month:%Y-%m}",
            service=procedure,
            series=name,
            count=count,
            complete=over is None or (month, procedure) in over,
        )


def _key(line: SeriesLine) -> tuple[str, str, str]:
    return (line.month, line.service, line.series)
