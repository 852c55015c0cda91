"""What the routes of alerts share: the filter, and how figures and times are written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Query

from services.reporting.domain.alerts import AlertKind, Figure
from shared.calendar import TOKYO

KindFilter = Annotated[AlertKind | None, Query(description="Without it, all.")]


def figures_told(figures: Mapping[str, Figure]) -> str:
    """Figures in one cell of a table."""
    return "; ".join(f"{name}: {value}" for name, value in figures.items())


def local(at: datetime) -> datetime:
    """The moment as clocks in Japan show it."""
    return at.astimezone(TOKYO)
