"""Charts of what goes by month and by day."""

from typing import Any

import altair as alt

from services.reporting.api.board.chart_parts import ROWS, Speaker, colour, in_order

_PROCEDURES = ("card_issuance", "certificate_renewal")


def months(t: Speaker) -> Any:
    """Done, and dashed what was expected."""
    series = alt.StrokeDash(
        "series:N",
        title=None,
        scale=alt.Scale(domain=[t("actual"), t("forecast")], range=[[1, 0], [6, 4]]),
        legend=alt.Legend(
            # Beside the procedures' a telephone would cut it off.
            orient="bottom",
            symbolType="stroke",
            # Filled, as beside a line with points, a stroke has no colour of its own.
            symbolFillColor="transparent",
            symbolStrokeColor="var(--text)",
            symbolStrokeWidth=2,
            symbolSize=400,
        ),
    )
    return _months(t, series)


def months_done(t: Speaker) -> Any:
    """The same where nothing was expected: no legend speaks of what is not there."""
    return _months(t, None)


def _months(t: Speaker, series: alt.StrokeDash | None) -> Any:
    """The month that is running stands beside the line, hollow: it would look like a fall. Each
    month of the year has its place, also where nothing is known of it.
    """
    lines = (
        alt.Chart(ROWS)
        .transform_filter(alt.FieldEqualPredicate(field="running", equal=False))
        .mark_line(point=True)
        .encode(
            x=_month(),
            y=alt.Y("cases:Q", title=t("completed")),
            color=colour("procedure:N", [t(each) for each in _PROCEDURES]),
            **({} if series is None else {"strokeDash": series}),
        )
    )
    running = (
        alt.Chart(ROWS)
        .transform_filter(alt.FieldEqualPredicate(field="running", equal=True))
        .mark_point(filled=False, size=70, strokeWidth=2)
        .encode(x=_month(), y="cases:Q", color="procedure:N")
    )
    every = alt.Chart(ROWS).mark_point(opacity=0).encode(x=_month())
    return alt.layer(lines, running, every).properties(width="container", height=300)


def _month() -> alt.X:
    return alt.X("month:O", sort=in_order(), title=None, axis=alt.Axis(labelAngle=0))


def moved(t: Speaker) -> Any:
    """One small chart per place: two dozen lines in one would be told apart by nobody."""
    kinds = [t(each) for each in _PROCEDURES]
    day = alt.X(
        "day:T",
        title=None,
        axis=alt.Axis(format=t("day_format"), labelAngle=0, tickCount=4, labelOverlap=True),
    )
    return (
        alt.Chart(ROWS)
        .mark_line(point=alt.OverlayMarkDef(size=16), interpolate="step-after")
        .encode(
            x=day,
            y=alt.Y(
                "days:Q",
                title=t("days"),
                scale=alt.Scale(domain=alt.DomainUnionWith(unionWith=[0, 4])),
                axis=alt.Axis(tickMinStep=1, tickCount=4),
            ),
            color=colour("procedure:N", kinds),
            facet=alt.Facet(
                "place:N",
                columns=4,
                title=None,
                sort=in_order(),
                # A name wider than its chart would push all others apart.
                header=alt.Header(labelFontSize=13, labelPadding=4, labelLimit=240),
            ),
        )
        .properties(width=240, height=90)
    )
