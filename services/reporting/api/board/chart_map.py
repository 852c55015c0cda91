"""The map of wards and sites."""

from typing import Any

import altair as alt

from services.reporting.api.board.chart_parts import ROWS, Speaker, colour
from services.reporting.api.board.map_names import HEIGHT, WIDTH


def wards_and_sites(t: Speaker) -> Any:
    """Larger where more was completed; each name as far from its point as its row says."""
    kinds = [t("ward"), t("site")]
    circles = alt.Chart(alt.NamedData("shapes")).mark_geoshape(
        fill="var(--cards)", fillOpacity=0.08, stroke="var(--cards)", strokeOpacity=0.7
    )
    places = (
        alt.Chart(ROWS)
        .mark_point(filled=True, opacity=0.85)
        .encode(
            longitude="longitude:Q",
            latitude="latitude:Q",
            color=colour("kind:N", kinds),
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
    names = (
        alt.Chart(ROWS)
        .mark_text(dy=alt.ExprRef("datum.below"), fontSize=12, color="var(--text)")
        .encode(longitude="longitude:Q", latitude="latitude:Q", text="place:N")
    )
    return (
        alt.layer(circles, places, names).project("mercator").properties(width=WIDTH, height=HEIGHT)
    )
