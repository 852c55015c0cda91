"""A page as figures and words, before it becomes HTML: tiles, and charts with their tables.

Its version changes when anything that is shown changes, and with nothing else.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pydantic_core

from shared.ids import SiteId

Value = str | int | float | bool | None
Row = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure that matters at first sight; ``alert`` where somebody should look."""

    label: str
    value: str
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A column's title; figures stand to the right."""

    title: str
    figures: bool = True


@dataclass(frozen=True, slots=True)
class Button:
    """What somebody may do about a row: an address below the dashboard to which a form is sent.

    ``says`` names it for who does not see where it stands; ``site_id`` is whose matter it is, none
    where it is the whole city's.
    """

    address: str
    title: str
    says: str
    site_id: SiteId | None


@dataclass(frozen=True, slots=True)
class TableView:
    """Cells as they are read; the first of each row names it."""

    heads: Sequence[Head]
    rows: Sequence[Sequence[str]]
    buttons: Sequence[Button | None] = ()
    """One per row where there are any, shown in its last cell to who may press it."""
    nothing: str = ""
    """What it says where no row is good news; else that nothing is known."""

    def button(self, row: int) -> Button | None:
        """That of a row, counted from 0."""
        return self.buttons[row] if self.buttons else None


@dataclass(frozen=True, slots=True)
class ChartView:
    """A chart by the name of its specification, what it says in words, and its figures."""

    name: str
    says: str
    rows: Sequence[Row]
    shapes: Sequence[Mapping[str, object]] = ()
    """GeoJSON features, for a map."""
    wide: bool = False
    """Keeps its width where the window is narrower; then it can be scrolled."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page; a chart never comes without a table."""

    id: str
    title: str
    table: TableView
    chart: ChartView | None = None
    notes: Sequence[str] = ()

    @property
    def drawn(self) -> ChartView | None:
        """The chart, unless there is nothing in it."""
        return self.chart if self.chart and self.chart.rows else None


@dataclass(frozen=True, slots=True)
class View:
    """All that a page says, in one language."""

    tiles: Sequence[Tile]
    sections: Sequence[Section]
    notes: Sequence[str] = ()
    """Said before everything else."""

    @property
    def version(self) -> str:
        """The same as long as the page says the same."""
        return hashlib.sha256(pydantic_core.to_json(self)).hexdigest()[:16]


def count(value: int | None) -> str:
    """12,345, or a dash where nothing is known."""
    return "–" if value is None else f"{value:,}"


def figure(value: float | None, unit: str = "") -> str:
    """12.5, or a dash where nothing is known."""
    return "–" if value is None else f"{value:,.1f}{unit}"


def share(value: float | None) -> str:
    """85%, or a dash where nothing is known."""
    return "–" if value is None else f"{value:.0%}"
