"""Preparation: what waits at each stage, how fast it goes, and the four official totals."""

from dataclasses import astuple
from datetime import timedelta

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
from services.reporting.api.stages import stage_word
from services.reporting.api.totals import end_of
from services.reporting.domain.lead_times import TITLES, LeadTime, lead_times
from services.reporting.domain.totals import Totals, WardTotals, city
from services.reporting.handlers.stage_backlog import Backlog, backlogs
from services.reporting.store import plans, reports, ways

LEAD_DAYS = 28
"""Days in which a step has to have ended to count."""


async def read(ask: Ask) -> View:
    """The page."""
    conn = ask.unit.conn
    standing = await backlogs(conn, ask.today, ask.calendar)
    span = ask.today - timedelta(days=LEAD_DAYS - 1), ask.today
    passages = await ways.passages(conn, *span, None, by_ward=False)
    wards = await reports.totals(conn, ask.today, end_of(ask.today))
    names = ward_names(await plans.on_day(conn, ask.today), ask)
    sections = [
        _backlog(ask, standing),
        _lead_times(ask, lead_times(passages, ask.calendar)),
        _totals(ask, wards, {str(code): name for code, name in names.items()}),
    ]
    return View(_tiles(ask, city(wards)), sections)


def _tiles(ask: Ask, totals: Totals) -> list[Tile]:
    t = ask.t
    return [
        Tile(t("waiting_for_shipment"), count(totals.waiting_for_shipment)),
        Tile(t("waiting_for_preset"), count(totals.waiting_for_preset)),
        Tile(t("waiting_for_issuance"), count(totals.waiting_for_issuance)),
        Tile(t("issued_until_now"), count(totals.issued)),
    ]


def _backlog(ask: Ask, standing: list[Backlog]) -> Section:
    t = ask.t
    bars: list[Row] = [
        {"stage": t(stage_word(each.stage)), "cases": each.cards} for each in standing
    ]
    rows = [
        [
            t(stage_word(each.stage)),
            count(each.cards),
            short_day(each.oldest, ask.language) if each.oldest else "–",
            figure(each.pace),
            count(each.days),
        ]
        for each in standing
    ]
    heads = [
        Head(t("stage"), figures=False),
        Head(t("cards")),
        Head(t("oldest"), figures=False),
        Head(t("pace")),
        Head(t("outlook")),
    ]
    chart = ChartView("stages", t("backlog_chart"), bars)
    return Section("stages", t("backlog"), TableView(heads, rows), chart, [t("pace_note")])


def _lead_times(ask: Ask, found: list[LeadTime]) -> Section:
    t = ask.t
    titles = [TITLES[each.span].to(ask.language) for each in found]
    bars: list[Row] = [
        {"step": title, "kind": t(kind), "days": days}
        for title, each in zip(titles, found, strict=True)
        for kind, days in (("p50", each.p50), ("p90", each.p90))
    ]
    rows = [
        [title, *(count(n) for n in (e.cases, e.p50, e.p90, e.p50_days, e.p90_days))]
        for title, e in zip(titles, found, strict=True)
    ]
    keys = ("cases", "p50_business", "p90_business", "p50_days", "p90_days")
    heads = [Head(t("step"), figures=False), *(Head(t(key)) for key in keys)]
    chart = ChartView("lead_times", t("lead_chart"), bars)
    return Section("lead", t("lead_times"), TableView(heads, rows), chart, [t("lead_note")])


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
