"""Demand: the plan's table of a fiscal year, what was done beside what was expected."""

from collections.abc import Sequence

from services.reporting.api.board.ask import Ask
from services.reporting.api.board.view import (
    ChartView,
    Head,
    Row,
    Section,
    TableView,
    Tile,
    View,
    count,
)
from services.reporting.api.tables import month_name
from services.reporting.domain import plan
from services.reporting.domain.alerts import TITLES, Alert
from services.reporting.domain.forecasts import Basis
from services.reporting.domain.plan import BASIS_LABELS, PlanLine
from services.reporting.handlers import alerts, plan_numbers
from services.reporting.handlers.alerts import Watch
from services.reporting.handlers.plan_numbers import Wish

_SERIES = {Basis.ACTUAL: "actual", Basis.FORECAST: "forecast"}


async def read(ask: Ask) -> View:
    """The page."""
    wish = Wish((ask.year,), frozenset(Basis))
    lines = plan.lines([ask.year], await plan_numbers.strands(ask.unit, wish))
    left = await alerts.forecasts_left(ask.unit, Watch(ask.today, ask.band, ask.calendar))
    return View(_tiles(ask, lines), [_table(ask, lines), _left(ask, left)])


def _tiles(ask: Ask, lines: Sequence[PlanLine]) -> list[Tile]:
    return [Tile(_label(ask, line), count(line.total)) for line in lines if line.basis in _SERIES]


def _table(ask: Ask, lines: Sequence[PlanLine]) -> Section:
    t, present = ask.t, ask.today.replace(day=1)
    running = {line.running(present) for line in lines}
    months = [month_name(month).to(ask.language) for month in ask.year.months()]
    is_running = [month in running for month in ask.year.months()]
    rows = [
        [_label(ask, line), *(count(each) for each in line.months), count(line.total)]
        for line in lines
    ]
    titles = [
        t("so_far").format(month) if now else month
        for month, now in zip(months, is_running, strict=True)
    ]
    heads = [Head(t("row"), figures=False), *(Head(title) for title in titles), Head(t("sum"))]
    notes = [
        t("so_far_note").format(month) for month, now in zip(months, is_running, strict=True) if now
    ]
    table = TableView(heads, rows)
    return Section("plan", t("plan_table"), table, _chart(ask, lines, months, is_running), notes)


def _chart(
    ask: Ask, lines: Sequence[PlanLine], months: Sequence[str], is_running: Sequence[bool]
) -> ChartView:
    """Both procedures by month; what is done of the running month stands apart."""
    t = ask.t
    # A month of which nothing is known has its place all the same.
    every: list[Row] = [
        {"month": month, "order": order, "running": None} for order, month in enumerate(months)
    ]
    points: list[Row] = [
        {
            "month": months[order],
            "order": order,
            "procedure": t(line.procedure),
            "series": t(series),
            "running": is_running[order] and line.basis is Basis.ACTUAL,
            "cases": number,
        }
        for line in lines
        if line.procedure is not None and (series := _SERIES.get(line.basis))
        for order, number in enumerate(line.months)
        if number is not None
    ]
    expected = any(line.basis is Basis.FORECAST for line in lines)
    return ChartView(
        "months" if expected else "months_done",
        t("months_chart"),
        [*every, *points] if points else [],
    )


def _left(ask: Ask, found: Sequence[Alert]) -> Section:
    t = ask.t
    rows = [
        [
            str(each.figures["month"]),
            t("both") if each.figures["service"] == "sum" else t(str(each.figures["service"])),
            count(int(each.figures["actual"])),
            count(int(each.figures["forecast"])),
            TITLES[each.kind].to(ask.language),
        ]
        for each in found
    ]
    heads = [
        Head(t("month"), figures=False),
        Head(t("procedure"), figures=False),
        Head(t("actual")),
        Head(t("forecast")),
        Head(t("alarms"), figures=False),
    ]
    note = t("band_note").format(f"{ask.band:.0%}")
    table = TableView(heads, rows, nothing=t("none_found"))
    return Section("left", t("left"), table, notes=[note])


def _label(ask: Ask, line: PlanLine) -> str:
    basis = BASIS_LABELS[line.basis].to(ask.language)
    name = line.label.to(ask.language)
    return f"{name}（{basis}）" if ask.language == "ja" else f"{name}, {basis}"
