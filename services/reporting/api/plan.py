"""GET /v1/reports/plan: the plan's table over fiscal years, done beside expected."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.answers import answer
from services.reporting.api.filters import (
    SiteFilter,
    VersionFilter,
    WardFilter,
    YearParam,
    today,
    year_of,
)
from services.reporting.api.models import ReportTable
from services.reporting.api.plan_tables import long_table, plan_table
from services.reporting.api.spans import CalendarDep
from services.reporting.domain import plan
from services.reporting.domain.forecasts import Basis
from services.reporting.domain.plan import BLOCKS, Strand
from services.reporting.handlers import plan_numbers
from services.reporting.handlers.forecasts import Present, complete_months
from services.reporting.handlers.plan_numbers import By, Wish
from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from shared.errors import BadRequest, FieldError, Text
from shared.http.call import CallDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/reports", tags=["reports"])

MOST_YEARS = 20


class PlanLayout(StrEnum):
    """How the numbers are laid out."""

    PLAN = "plan"
    LONG = "long"


class YearsRefused(BadRequest):
    """The years asked for are none, or too many."""

    slug = "years-refused"
    title = Text("These fiscal years cannot be shown together", "この年度の範囲は表示できません")
    remedy = Text(
        f"Let until_year be no earlier than fiscal_year, and less than {MOST_YEARS} years later.",
        f"until_year は fiscal_year 以降、{MOST_YEARS}年以内の年度にしてください。",
    )

    def __init__(self) -> None:
        message = Text("Is not such a year.", "指定できない年度です。")
        super().__init__(errors=(FieldError("until_year", message, self.remedy),))


@router.get(
    "/plan",
    summary="The plan's table: fiscal years, actual and forecast",
    response_model=ReportTable,
    responses=documents.table(documents.PLAN),
)
async def plan_report(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    calendar: CalendarDep,
    fiscal_year: YearParam = None,
    until_year: Annotated[
        int | None, Query(le=2999, description="Last fiscal year; without it, only the first.")
    ] = None,
    basis: Annotated[
        tuple[Basis, ...], Query(description="actual, published, forecast; without it, all.")
    ] = tuple(Basis),
    version: VersionFilter = None,
    by: Annotated[By | None, Query(description="A row per ward of residence, or site.")] = None,
    procedure: Annotated[Procedure | None, Query(description="Without it, both and sum.")] = None,
    ward: WardFilter = None,
    site_id: SiteFilter = None,
    layout: Annotated[
        PlanLayout, Query(description="plan: as the city prints it. long: a row per number.")
    ] = PlanLayout.PLAN,
) -> Response:
    """Forecasts and published numbers are those of the whole city: with a ward, a site or `by`
    only what was done here is shown. A month that is not over is counted as far as it went, and
    says so (`running`, or `complete` false); one that was counted in part because the city went
    live in it is not `complete` either."""
    first = year_of(fiscal_year, call.resources.units.clock)
    shown = _years(first, until_year)
    wish = Wish(tuple(shown), frozenset(basis), version, by, ward, site_id)
    present = Present(today(call.resources.units.clock).replace(day=1), calendar)
    async with call.unit() as unit:
        strands: Sequence[Strand] = await plan_numbers.strands(unit, wish)
        complete = await complete_months(unit, present)
    blocks = BLOCKS if procedure is None else (procedure,)
    lines = plan.lines(shown, strands, blocks)
    name = f"plan-{shown[0]}-{shown[-1]}"
    if layout is PlanLayout.LONG:
        return await answer(request, wanted, long_table(name, lines, by, complete))
    table = plan_table(name, lines, by, wanted.language, present.month)
    return await answer(request, wanted, table)


def _years(first: FiscalYear, until: int | None) -> list[FiscalYear]:
    """Raises ``YearsRefused``."""
    count = 1 if until is None else until - first.first.year + 1
    if not 1 <= count <= MOST_YEARS:
        raise YearsRefused
    return [FiscalYear(first.reiwa + number) for number in range(count)]
