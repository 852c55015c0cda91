"""The end of a site's day: cards counted back, the report, and its quarters of an hour."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from services.issuance.api.bodies import CardCount
from services.issuance.api.desk import refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import CardOutView, CardsView, ReportView
from services.issuance.handlers import count_cards, measuring
from services.issuance.handlers.sign_off import read_report
from shared.calendar import business_date
from shared.contracts.base import SiteRef
from shared.contracts.issuance import ServiceMeasured
from shared.errors import Text
from shared.http.call import CallDep
from shared.http.tables import Cell, Column, Table, TableDep
from shared.unit import Unit

router = APIRouter(prefix="/v1/sites/{site_id}/day", tags=["days"])
Day = Annotated[date | None, Query(alias="date", description="A date in Japan; today if left out.")]
_COLUMNS = (
    Column("starts_at", Text("From", "開始")),
    Column("booked", Text("Came in booked time", "予約どおり")),
    Column("late", Text("Came late", "遅刻")),
    Column("walk_in", Text("Came without a booking", "予約なし")),
    Column("called", Text("Called", "呼出")),
    Column("waited_seconds", Text("Waited, seconds", "待ち時間計（秒）")),
    Column("longest_wait_seconds", Text("Longest wait, seconds", "最長待ち時間（秒）")),
    Column("open_seconds", Text("Counters open, seconds", "窓口開設計（秒）")),
    Column("busy_seconds", Text("Counters busy, seconds", "窓口対応計（秒）")),
    Column("utilisation", Text("Utilisation", "稼働率")),
    Column("abandoned", Text("Given up", "途中退庁")),
    Column("deferred", Text("Deferred", "延期")),
    Column("expected", Text("Expected", "予約件数")),
    Column("missed", Text("Missed", "不来庁")),
)


@router.get("/cards", summary="Cards that have to be counted back")
async def cards(site_id: SiteRef, call: CallDep, date_: Day = None) -> CardsView:
    """Each card that was taken to a counter and not handed over, by shelf position."""
    async with call.unit() as unit:
        found = await count_cards.list_cards(unit, site_id, date_ or business_date(unit.now))
    return CardsView(cards=tuple(CardOutView.model_validate(card) for card in found))


@router.post(
    "/cards:count",
    response_model=CardsView,
    summary="Count cards back to the shelf",
    dependencies=[Depends(refuse_query)],
)
async def count(site_id: SiteRef, body: CardCount, call: StepDep) -> Response:
    """Say which are back and which are missing; saying it again replaces what was said."""

    async def command(unit: Unit) -> CardsView:
        day = body.date or business_date(unit.now)
        found = await count_cards.count(unit, site_id, day, back=body.back, missing=body.missing)
        return CardsView(cards=tuple(CardOutView.model_validate(card) for card in found))

    return await step(call, body, command)


@router.get("/report", summary="The report of a day that is signed off")
async def report(site_id: SiteRef, call: CallDep, date_: Day = None) -> ReportView:
    """What the day came to, and who signed it off."""
    async with call.unit() as unit:
        return ReportView.of(await read_report(unit, site_id, date_ or business_date(unit.now)))


@router.get("/measures", summary="The quarters of an hour of a day", response_class=Response)
async def measures(
    site_id: SiteRef, call: CallDep, wanted: TableDep, date_: Day = None
) -> Response:
    """Waiting, counters and attendance as a table; final once the day is signed off."""
    async with call.unit() as unit:
        day = date_ or business_date(unit.now)
        quarters = await measuring.of_day(unit, site_id, day)
    rows = [_row(quarter) for quarter in quarters]
    return await wanted.answer(Table(f"measures-{site_id}-{day}", _COLUMNS, rows))


def _row(quarter: ServiceMeasured) -> list[Cell]:
    values = {**quarter.model_dump(exclude={"service_times"}), "utilisation": _share(quarter)}
    return [values[column.key] for column in _COLUMNS]


def _share(quarter: ServiceMeasured) -> float | None:
    if quarter.open_seconds == 0:
        return None
    return round(quarter.busy_seconds / quarter.open_seconds, 3)
