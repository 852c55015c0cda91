"""Vega-Lite specifications of the charts, made with Altair once per language.

Figures come in by name: the rows ``rows`` and, on a map, the shapes ``shapes``. Colours are names
of the style sheet's (``var(--cards)``), which the page's script fills in, so that a chart follows
light, dark and print. Altair takes seconds to import, so nothing else of the room imports it.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from services.reporting.api.board import chart_bars, chart_lines, chart_map
from services.reporting.api.board.chart_parts import Speaker
from services.reporting.api.board.view import ChartView
from services.reporting.api.board.words import speaker
from shared.errors import Language

Spec = Mapping[str, Any]
_INK = {
    "labelColor": "var(--text)",
    "titleColor": "var(--soft)",
    "gridColor": "var(--faint)",
    "domainColor": "var(--line)",
    "tickColor": "var(--line)",
    "labelFontSize": 12,
    "titleFontSize": 12,
}
_LEGEND = {
    "labelColor": "var(--text)",
    "titleColor": "var(--soft)",
    "orient": "top",
    "labelFontSize": 13,
    "titleFontSize": 12,
}


def spec_of(chart: ChartView, language: Language) -> Spec:
    """The specification with its figures, ready to be drawn."""
    made = _made(chart.name, language)
    return {**made, "datasets": {"rows": list(chart.rows), "shapes": list(chart.shapes)}}


@cache
def _made(name: str, language: Language) -> Spec:
    t = speaker(language)
    made: dict[str, Any] = _CHARTS[name](t).to_dict()
    # Said by the place in the page; the drawing itself would only repeat it.
    made["config"] = {
        "aria": False,
        "background": "transparent",
        "axis": _INK,
        "header": {"labelColor": "var(--text)", "titleColor": "var(--soft)"},
        "legend": _LEGEND,
        "view": {"stroke": None},
        "font": "system-ui, sans-serif",
    }
    return made


_CHARTS: Mapping[str, Callable[[Speaker], Any]] = {
    "sites_today": chart_bars.sites_today,
    "hours": chart_bars.hours,
    "fullness": chart_bars.fullness,
    "wait_for_a_day": chart_bars.wait_for_a_day,
    "refused": chart_bars.refused,
    "stages": chart_bars.stages,
    "lead_times": chart_bars.lead_times,
    "lag": chart_bars.lag,
    "months": chart_lines.months,
    "months_done": chart_lines.months_done,
    "moved": chart_lines.moved,
    "map": chart_map.wards_and_sites,
}
