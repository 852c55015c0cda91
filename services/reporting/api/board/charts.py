"""Vega-Lite specifications of the charts, made with Altair once per language.

Figures come in by name: the rows ``rows`` and, on a map, the shapes ``shapes``. Colours are names
of the style sheet's (``var(--cards)``), which the page's script fills in, so that a chart follows
light, dark and print. Altair takes seconds to import, so nothing else of the room imports it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import altair as alt

from services.reporting.api.board.view import ChartView
from services.reporting.api.board.words import speaker
from shared.errors import Language

Spec = Mapping[str, Any]
_COLOURS = ["var(--cards)", "var(--certificates)", "var(--third)", "var(--fourth)"]
_ROWS = alt.NamedData("rows")
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


Speaker = Callable[[str], str]


def _sites_today(t: Speaker) -> Any:
    kinds = [t("served"), t("being_served"), t("waiting"), t("to_come")]
    return (
        alt.Chart(_ROWS)
        .mark_bar()
        .encode(
            y=alt.Y("site:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
            x=_whole("cases:Q", t("cases_and_parties")),
            color=_colour("kind:N", kinds),
            order=alt.Order("order:Q"),
        )
        .properties(width="container", height=alt.Step(20))
    )


def _hours(t: Speaker) -> Any:
    kinds = [t("planned"), t("offered"), t("booked"), t("used")]
    return (
        alt.Chart(_ROWS)
        .mark_bar()
        .encode(
            x=alt.X("hour:O", title=t("hour"), axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("kind:N", sort=kinds),
            y=alt.Y("minutes:Q", title=t("counter_minutes")),
            color=_colour("kind:N", kinds),
        )
        .properties(width="container", height=220)
    )


def _fullness(t: Speaker) -> Any:
    scale = alt.Scale(domain=[0, 1], range=["var(--low)", "var(--high)"])
    return (
        alt.Chart(_ROWS)
        .mark_rect()
        .encode(
            x=alt.X("day:O", sort=None, title=None, axis=alt.Axis(labelAngle=-60)),
            y=alt.Y("site:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
            color=alt.Color(
                "full:Q", scale=scale, title=t("full"), legend=alt.Legend(format=".0%")
            ),
        )
        .properties(width="container", height=alt.Step(22))
    )


def _wait_for_a_day(t: Speaker) -> Any:
    return _by_place(t, "days:Q", t("days_ahead"))


def _refused(t: Speaker) -> Any:
    return _by_place(t, "refused:Q", t("in_vain"))


def _by_place(t: Speaker, field: str, title: str) -> Any:
    """Two bars per place, one for each procedure."""
    kinds = [t("card_issuance"), t("certificate_renewal")]
    return (
        alt.Chart(_ROWS)
        .mark_bar()
        .encode(
            y=alt.Y("place:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
            yOffset=alt.YOffset("kind:N", sort=kinds),
            x=_whole(field, title),
            color=_colour("kind:N", kinds),
        )
        .properties(width="container", height=alt.Step(11))
    )


def _months(t: Speaker) -> Any:
    return (
        alt.Chart(_ROWS)
        .mark_line(point=True)
        .encode(
            x=alt.X("month:O", sort=None, title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("cases:Q", title=t("completed")),
            color=_colour("procedure:N", [t("card_issuance"), t("certificate_renewal")]),
            strokeDash=alt.StrokeDash(
                "series:N",
                title=None,
                scale=alt.Scale(domain=[t("actual"), t("forecast")], range=[[1, 0], [6, 4]]),
                legend=alt.Legend(
                    symbolType="stroke",
                    # Filled, as beside a line with points, a stroke has no colour of its own.
                    symbolFillColor="transparent",
                    symbolStrokeColor="var(--text)",
                    symbolStrokeWidth=2,
                    symbolSize=400,
                ),
            ),
        )
        .properties(width="container", height=300)
    )


def _stages(t: Speaker) -> Any:
    return (
        alt.Chart(_ROWS)
        .mark_bar(color="var(--cards)")
        .encode(
            y=alt.Y("stage:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
            x=_whole("cases:Q", t("cases")),
        )
        .properties(width="container", height=alt.Step(26))
    )


def _lead_times(t: Speaker) -> Any:
    kinds = [t("p50"), t("p90")]
    return (
        alt.Chart(_ROWS)
        .mark_bar()
        .encode(
            y=alt.Y("step:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
            yOffset=alt.YOffset("kind:N", sort=kinds),
            x=_whole("days:Q", t("business_days")),
            color=_colour("kind:N", kinds),
        )
        .properties(width="container", height=alt.Step(11))
    )


def _moved(t: Speaker) -> Any:
    """One small chart per place: two dozen lines in one would be told apart by nobody."""
    kinds = [t("card_issuance"), t("certificate_renewal")]
    day = alt.X(
        "day:T",
        title=None,
        axis=alt.Axis(format=t("day_format"), labelAngle=0, tickCount=4, labelOverlap=True),
    )
    return (
        alt.Chart(_ROWS)
        .mark_line(point=alt.OverlayMarkDef(size=16), interpolate="step-after")
        .encode(
            x=day,
            y=alt.Y(
                "days:Q",
                title=t("days"),
                scale=alt.Scale(domain=alt.DomainUnionWith(unionWith=[0, 4])),
                axis=alt.Axis(tickMinStep=1, tickCount=4),
            ),
            color=_colour("procedure:N", kinds),
            facet=alt.Facet(
                "place:N",
                columns=4,
                title=None,
                sort=alt.EncodingSortField(field="order", op="min"),
                header=alt.Header(labelFontSize=13, labelPadding=4),
            ),
        )
        .properties(width=240, height=90)
    )


def _map(t: Speaker) -> Any:
    kinds = [t("ward"), t("site")]
    circles = alt.Chart(alt.NamedData("shapes")).mark_geoshape(
        fill="var(--cards)", fillOpacity=0.08, stroke="var(--cards)", strokeOpacity=0.7
    )
    places = (
        alt.Chart(_ROWS)
        .mark_point(filled=True, opacity=0.85)
        .encode(
            longitude="longitude:Q",
            latitude="latitude:Q",
            color=_colour("kind:N", kinds),
            shape=alt.Shape(
                "kind:N", title=None, scale=alt.Scale(domain=kinds, range=["circle", "square"])
            ),
            size=alt.Size(
                "cases:Q",
                title=t("completed"),
                scale=alt.Scale(range=[40, 600]),
                legend=alt.Legend(symbolFillColor="var(--soft)"),
            ),
        )
    )
    # Wards above and sites below their point: many a center stands beside a ward office.
    names = [
        alt.Chart(_ROWS)
        .transform_filter(alt.FieldEqualPredicate(field="kind", equal=kind))
        .mark_text(dy=dy, fontSize=12, color="var(--text)")
        .encode(longitude="longitude:Q", latitude="latitude:Q", text="place:N")
        for kind, dy in zip(kinds, (-15, 19), strict=True)
    ]
    return (
        alt.layer(circles, places, *names)
        .project("mercator")
        .properties(width="container", height=460)
    )


def _lag(t: Speaker) -> Any:
    return (
        alt.Chart(_ROWS)
        .mark_bar(color="var(--cards)")
        .encode(
            y=alt.Y("room:N", sort=None, title=None),
            x=_whole("messages:Q", t("messages")),
        )
        .properties(width="container", height=alt.Step(26))
    )


def _whole(field: str, title: str) -> alt.X:
    """A scale of things that are counted: no halves, and a beginning where there is nothing."""
    scale = alt.Scale(domain=alt.DomainUnionWith(unionWith=[0, 4]))
    return alt.X(field, title=title, scale=scale, axis=alt.Axis(tickMinStep=1, tickCount=8))


def _colour(field: str, kinds: Sequence[str]) -> alt.Color:
    scale = alt.Scale(domain=list(kinds), range=_COLOURS[: len(kinds)])
    # In two lines where there are many: a telephone would cut them off.
    legend = alt.Legend(columns=2)
    return alt.Color(field, title=None, scale=scale, legend=legend)


_CHARTS: Mapping[str, Callable[[Speaker], Any]] = {
    "sites_today": _sites_today,
    "hours": _hours,
    "fullness": _fullness,
    "wait_for_a_day": _wait_for_a_day,
    "refused": _refused,
    "months": _months,
    "stages": _stages,
    "lead_times": _lead_times,
    "moved": _moved,
    "map": _map,
    "lag": _lag,
}
