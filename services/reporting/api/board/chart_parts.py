"""What charts are made of: the figures by name, scales of what is counted, colours of the page.

Altair takes seconds to import: only the modules of charts import this one.
"""

from collections.abc import Callable, Sequence

import altair as alt

Speaker = Callable[[str], str]

ROWS = alt.NamedData("rows")
COLOURS = ["var(--cards)", "var(--certificates)", "var(--third)", "var(--fourth)"]
NAMES = alt.Axis(labelLimit=240)
"""Of sites and steps; the page's script allows less where there is less room."""


def whole(field: str, title: str) -> alt.X:
    """A scale of things that are counted: no halves, and a beginning where there is nothing.

    A telephone would cut off a long ``title``: each of its lines stands in one of its own.
    """
    scale = alt.Scale(domain=alt.DomainUnionWith(unionWith=[0, 4]))
    lines = title.split("\n")
    return alt.X(field, title=lines, scale=scale, axis=alt.Axis(tickMinStep=1, tickCount=8))


def colour(field: str, kinds: Sequence[str]) -> alt.Color:
    """The page's colours in the order of ``kinds``."""
    scale = alt.Scale(domain=list(kinds), range=COLOURS[: len(kinds)])
    # In two lines where there are many: a telephone would cut them off.
    return alt.Color(field, title=None, scale=scale, legend=alt.Legend(columns=2))


def in_order() -> alt.EncodingSortField:
    """By the field ``order``: the first figure of one place may well come after another's last."""
    return alt.EncodingSortField(field="order", op="min")
