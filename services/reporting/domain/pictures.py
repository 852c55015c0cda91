"""Charts as Vega-Lite specifications with their figures: pure, drawn elsewhere.

Colours are told apart by people who see fewer of them (Okabe and Ito); each line has a pattern too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Spec = Mapping[str, Any]
Row = Mapping[str, str | int | float | None]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_CONFIG: Mapping[str, Any] = {
    "background": "white",
    "font": "Noto Sans CJK JP, Noto Sans JP, sans-serif",
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "labelAngle": 0},
    "legend": {"orient": "top", "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 400},
    "title": {"fontSize": 15, "anchor": "start"},
}
_SIZE: Mapping[str, int] = {"width": 720, "height": 320}


def stacked_with_line(
    title: str, unit: str, bars: Sequence[Row], lines: Sequence[Row], order: Sequence[str]
) -> Spec:
    """Stacked bars (``x``, ``part``, ``value``) and lines upon them, along ``x`` in ``order``."""
    x = {"field": "x", "type": "ordinal", "sort": list(order), "title": None}
    return _chart(
        title,
        layer=[
            {
                "data": {"values": list(bars)},
                "mark": {"type": "bar"},
                "encoding": {"x": x, "y": _value(unit), "color": _color("part", bars)},
            },
            {
                "data": {"values": list(lines)},
                "mark": {"type": "line", "point": True, "color": COLOURS[6]},
                "encoding": {
                    "x": x,
                    "y": {**_value(unit), "stack": None},
                    "strokeDash": _nominal("part"),
                },
            },
        ],
    )


def areas(title: str, unit: str, rows: Sequence[Row]) -> Spec:
    """Stacked areas (``part``, ``value``) over days ``x``."""
    return _chart(
        title,
        data={"values": list(rows)},
        mark={"type": "area"},
        encoding={
            "x": {"field": "x", "type": "temporal", "title": None, "axis": {"format": "%m-%d"}},
            "y": _value(unit),
            "color": _color("part", rows),
        },
    )


def bars(title: str, unit: str, rows: Sequence[Row]) -> Spec:
    """A bar (``value``) for each ``x``, in the order given."""
    order = list(dict.fromkeys(row["x"] for row in rows))
    return _chart(
        title,
        data={"values": list(rows)},
        mark={"type": "bar", "color": COLOURS[0]},
        encoding={
            "y": {"field": "x", "type": "nominal", "sort": order, "title": None},
            "x": {"field": "value", "type": "quantitative", "title": unit},
        },
    )


def _chart(title: str, **parts: Any) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": title,
        "config": _CONFIG,
        **_SIZE,
        **parts,
    }


def _value(unit: str) -> Spec:
    return {"field": "value", "type": "quantitative", "title": unit, "stack": "zero"}


def _nominal(name: str) -> dict[str, Any]:
    return {"field": name, "type": "nominal", "title": None}


def _color(name: str, rows: Sequence[Row]) -> Spec:
    parts = list(dict.fromkeys(row[name] for row in rows))
    scale = {"domain": parts, "range": list(COLOURS[: len(parts)])}
    return {**_nominal(name), "scale": scale}
