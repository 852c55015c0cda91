"""What waits where, how long steps take, and the four official totals: measured, day by day."""

from fastapi import APIRouter
from starlette.responses import Response

from services.preparation.api import outlook_tables as tables
from services.preparation.api.drawing import Line, Picture, drawn
from services.preparation.api.outlook_query import (
    CHART,
    TABLE,
    FourWeeks,
    QuarterYear,
    WardQuery,
)
from services.preparation.api.parts import LanguageDep, ToolsDep
from services.preparation.domain.lead_times import Leg, trends
from services.preparation.handlers import figures
from shared.errors import Text
from shared.http.call import CallDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/outlook", tags=["outlook"])

_WAITING = {
    "waiting_for_preset": Text("Waiting for preset", "交付前設定待ち"),
    "waiting_for_issuance": Text("Waiting for issuance", "交付待ち"),
}
_CARDS = Text("cards", "枚")
_DAYS = Text("business days", "開庁日")


@router.get("/totals", response_class=Response, responses=TABLE)
async def totals(
    call: CallDep, wanted: TableDep, period: FourWeeks, ward: WardQuery = None
) -> Response:
    """Applied, shipped, preset and issued up to the end of each day, and what waits between them.

    Per ward of residence (the present one, also for days before a move) and for the city (`sum`).
    """
    async with call.unit() as unit:
        found = await figures.totals(unit, period.first, period.last, ward)
    return await wanted.answer(tables.totals(found))


@router.get("/totals/chart", response_class=Response, responses=CHART)
async def totals_chart(
    call: CallDep, language: LanguageDep, period: FourWeeks, ward: WardQuery = None
) -> Response:
    """The backlog day by day as a picture."""
    async with call.unit() as unit:
        found = await figures.totals(unit, period.first, period.last, ward)
    city = [day for day in found if day.ward is None]
    lines = [
        Line(name.to(language), [(day.day, getattr(day.totals, key)) for day in city])
        for key, name in _WAITING.items()
    ]
    title = Text("What waits, day by day", "滞留枚数の推移").to(language)
    return drawn(Picture(title, _CARDS.to(language), lines), language)


@router.get("/backlog", response_class=Response, responses=TABLE)
async def backlog(
    call: CallDep, wanted: TableDep, tools: ToolsDep, ward: WardQuery = None
) -> Response:
    """Cards at each stage now, with their age in business days, per ward and for the city."""
    async with call.unit() as unit:
        found = await figures.waiting(unit, tools.calendar, ward)
    return await wanted.answer(tables.backlog(found, wanted.language))


@router.get("/lead-times", response_class=Response, responses=TABLE)
async def lead_times(
    call: CallDep, wanted: TableDep, tools: ToolsDep, period: QuarterYear, ward: WardQuery = None
) -> Response:
    """How long each step took, by the week in which it ended: half, nine of ten, the longest."""
    async with call.unit() as unit:
        found = await figures.lead_times(unit, tools.calendar, period.first, period.last, ward)
    return await wanted.answer(tables.lead_times(found, wanted.language))


@router.get("/lead-times/trend", response_class=Response, responses=TABLE)
async def lead_time_trend(
    call: CallDep, wanted: TableDep, tools: ToolsDep, period: QuarterYear, ward: WardQuery = None
) -> Response:
    """Where each step is going: the change of its percentiles per week (median of all slopes)."""
    async with call.unit() as unit:
        found = await figures.lead_times(unit, tools.calendar, period.first, period.last, ward)
    return await wanted.answer(tables.trends(trends(found), wanted.language))


@router.get("/lead-times/chart", response_class=Response, responses=CHART)
async def lead_times_chart(
    call: CallDep,
    *,
    language: LanguageDep,
    tools: ToolsDep,
    period: QuarterYear,
    ward: WardQuery = None,
    step: Leg = Leg.PREPARATION,
) -> Response:
    """One step's p50 and p90 by week as a picture; without `step`, from arrival to notice."""
    async with call.unit() as unit:
        found = await figures.lead_times(unit, tools.calendar, period.first, period.last, ward)
    weeks = [week for week in found if week.leg is step]
    half, most = Text("half within", "中央値"), Text("nine of ten within", "90%点")
    lines = [
        Line(half.to(language), [(week.week, week.spread.p50) for week in weeks]),
        Line(most.to(language), [(week.week, week.spread.p90) for week in weeks]),
    ]
    return drawn(Picture(step.label.to(language), _DAYS.to(language), lines), language)
