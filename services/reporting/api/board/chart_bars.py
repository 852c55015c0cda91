"""Charts of bars, and the squares of the coming weeks."""

from typing import Any

import altair as alt

from services.reporting.api.board.chart_parts import (
    NAMES,
    ROWS,
    Speaker,
    colour,
    in_order,
    whole,
)


def sites_today(t: Speaker) -> Any:
    """A bar per site, of four parts."""
    kinds = [t("served"), t("being_served"), t("waiting"), t("to_come")]
    return (
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            y=alt.Y("site:N", sort=None, title=None, axis=NAMES),
            x=whole("cases:Q", t("cases_and_parties")),
            color=colour("kind:N", kinds),
            order=alt.Order("order:Q"),
        )
        .properties(width="container", height=alt.Step(20))
    )


def hours(t: Speaker) -> Any:
    """Four bars per hour."""
    kinds = [t("planned"), t("offered"), t("booked"), t("used")]
    return (
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            x=alt.X("hour:O", title=t("hour"), axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("kind:N", sort=kinds),
            y=alt.Y("minutes:Q", title=t("counter_minutes")),
            color=colour("kind:N", kinds),
        )
        .properties(width="container", height=220)
    )


def fullness(t: Speaker) -> Any:
    """A square per site and day."""
    scale = alt.Scale(domain=[0, 1], range=["var(--low)", "var(--high)"])
    legend = alt.Legend(format=".0%", values=[0, 0.5, 1])
    return (
        alt.Chart(ROWS)
        .mark_rect()
        .encode(
            x=alt.X("day:O", sort=in_order(), title=None, axis=alt.Axis(labelAngle=-60)),
            y=alt.Y("site:N", sort=None, title=None, axis=NAMES),
            color=alt.Color("full:Q", scale=scale, title=t("full"), legend=legend),
        )
        .properties(width="container", height=alt.Step(22))
    )


def wait_for_a_day(t: Speaker) -> Any:
    """Days until the first free seat."""
    return _in_pairs(t, "place:N", "days:Q", t("days_ahead"), "card_issuance certificate_renewal")


def refused(t: Speaker) -> Any:
    """Searches in vain."""
    return _in_pairs(t, "place:N", "refused:Q", t("in_vain"), "card_issuance certificate_renewal")


def lead_times(t: Speaker) -> Any:
    """Half and nine tenths of the cards, per step."""
    return _in_pairs(t, "step:N", "days:Q", t("business_days"), "p50 p90")


def _in_pairs(t: Speaker, places: str, field: str, title: str, words: str) -> Any:
    """Two bars per place, one for each kind."""
    kinds = [t(word) for word in words.split()]
    return (
        alt.Chart(ROWS)
        .mark_bar()
        .encode(
            y=alt.Y(places, sort=None, title=None, axis=NAMES),
            yOffset=alt.YOffset("kind:N", sort=kinds),
            x=whole(field, title),
            color=colour("kind:N", kinds),
        )
        .properties(width="container", height=alt.Step(11))
    )


def stages(t: Speaker) -> Any:
    """Cards at each stage."""
    return _counted("stage:N", "cases", t("cards"))


def lag(t: Speaker) -> Any:
    """Messages that each room has before it."""
    return _counted("room:N", "messages", t("messages"))


def _counted(places: str, field: str, title: str) -> Any:
    """A bar per place with its number, so that a chart of nothing says so."""
    bars = (
        alt.Chart(ROWS)
        .mark_bar(color="var(--cards)")
        .encode(y=alt.Y(places, sort=None, title=None, axis=NAMES), x=whole(f"{field}:Q", title))
    )
    numbers = bars.mark_text(align="left", dx=4, fontSize=12, color="var(--text)").encode(
        text=alt.Text(f"{field}:Q", format=",")
    )
    return alt.layer(bars, numbers).properties(width="container", height=alt.Step(26))
