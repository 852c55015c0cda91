"""Preparation: what waits at each stage, how fast it goes, and the four official totals."""

from dataclasses import astuple
from datetime import datetime, time
from math import ceil

from services.reporting.api.board.ask import Ask
from services.reporting.api.board.booking import ward_names
from services.reporting.api.board.dates import short_day
from services.reporting.api.board.view import (
    ChartView,
    Head,
    Row,
    Section,
    TableView,
    Tile,
    View,
    count,
    figure,
)
from services.reporting.api.totals import end_of
from services.reporting.domain.totals import Totals, WardTotals, city
from services.reporting.store import plans, reports, stages
from services.reporting.store.stages import Standing, Waiting
from shared.calendar import TOKYO, business_date

PACE_DAYS = 10
"""Business days whose mean is the pace."""


async def read(ask: Ask) -> View:
    """The page."""
    conn = ask.unit.conn
    standing = await stages.standing(conn)
    first = ask.calendar.add_business_days(ask.today, -PACE_DAYS)
    left = await stages.left_since(conn, datetime.combine(first, time.min, TOKYO))
    wards = await reports.totals(conn, ask.today, end_of(ask.today))
    names = ward_names(await plans.on_day(conn, ask.today), ask)
    sections = [
        _backlog(ask, standing, {stage: number / PACE_DAYS for stage, number in left.items()}),
        _totals(ask, wards, {str(code): name for code, name in names.items()}),
    ]
    return View(_tiles(ask, city(wards)), sections)


def _tiles(ask: Ask, totals: Totals) -> list[Tile]:
    t = ask.t
    return [
        Tile(t("waiting_for_shipment"), count(totals.waiting_for_shipment)),
        Tile(t("waiting_for_preset"), count(totals.waiting_for_preset)),
        Tile(t("waiting_for_issuance"), count(totals.waiting_for_issuance)),
        Tile(t("issued"), count(totals.issued)),
    ]


def _backlog(ask: Ask, standing: list[Standing], pace: dict[Waiting, float]) -> Section:
    t = ask.t
    bars: list[Row] = [{"stage": t(_word(each)), "cases": each.cards} for each in standing]
    rows = [
        [
            t(_word(each)),
            count(each.cards),
            short_day(business_date(each.oldest), ask.language) if each.oldest else "–",
            figure(pace.get(each.stage)),
            _outlook(each.cards, pace.get(each.stage)),
        ]
        for each in standing
    ]
    heads = [
        Head(t("stage"), figures=False),
        Head(t("cases")),
        Head(t("oldest"), figures=False),
        Head(t("pace")),
        Head(t("outlook")),
    ]
    chart = ChartView("stages", t("backlog_chart"), bars)
    return Section("stages", t("backlog"), TableView(heads, rows), chart, [t("pace_note")])


def _outlook(cards: int, pace: float | None) -> str:
    if not cards:
        return "0"
    return count(ceil(cards / pace)) if pace else "–"


def _word(each: Standing) -> str:
    return "booked_stage" if each.stage is Waiting.BOOKED else str(each.stage)


def _totals(ask: Ask, wards: list[WardTotals], names: dict[str, str]) -> Section:
    t = ask.t
    titles = ("applied", "shipped", "preset_total", "issued")
    waits = ("waiting_for_shipment", "waiting_for_preset", "waiting_for_issuance")
    heads = [Head(t("ward_of"), figures=False), *(Head(t(title)) for title in (*titles, *waits))]
    rows = [
        [
            t("unknown") if ward.ward is None else names.get(ward.ward, ward.ward),
            *(count(number) for number in astuple(ward.totals)[:-1]),
        ]
        for ward in wards
    ]
    rows.append([t("all"), *(count(number) for number in astuple(city(wards))[:-1])])
    return Section("totals", t("totals"), TableView(heads, rows))
