"""What came of a replay: its cells as reporting counts them, and one hash over plan and outcome."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from simulation.doors import Person
from simulation.replay.demand import Cell, Demand


@dataclass(frozen=True, slots=True)
class CellResult:
    """A month of one procedure; ``carried`` is what waits when it ends."""

    month: date
    service: Procedure
    demanded: int
    completed: int
    carried: int

    def shown(self) -> Mapping[str, object]:
        """As it is written down."""
        return {
            "month": f"{self.month:%Y-%m}",
            "service": self.service.value,
            "demanded": self.demanded,
            "completed": self.completed,
            "carried": self.carried,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """A replay that is over."""

    cells: tuple[CellResult, ...]
    cases: int
    events_published: int
    events_handled: int
    seconds: float
    plan: str
    """Hash over every case that was planned."""
    phases: Mapping[str, float]
    """Seconds by what the simulation was waiting for."""
    happened: Mapping[str, int] = field(default_factory=dict)
    """How often what is drawn beside visits has happened, by what it is."""

    @property
    def state_hash(self) -> str:
        """The same for the same files, arguments and seed."""
        lines = [str(cell.shown()) for cell in self.cells]
        return hashlib.sha256("\n".join([*lines, self.plan]).encode()).hexdigest()

    def differing(self) -> list[CellResult]:
        """Cells where demanded + carried in is not completed + carried out."""
        before = dict.fromkeys(Procedure, 0)
        found = []
        for cell in self.cells:
            if cell.demanded + before[cell.service] != cell.completed + cell.carried:
                found.append(cell)
            before[cell.service] = cell.carried
        return found

    def shown(self) -> Mapping[str, object]:
        """As ``--json`` writes it."""
        return {
            "cells": [cell.shown() for cell in self.cells],
            "cases": self.cases,
            "events_published": self.events_published,
            "events_handled": self.events_handled,
            "seconds": round(self.seconds, 1),
        }


def cells_of(
    demand: Demand, completed: Mapping[Cell, int], carried: Mapping[Cell, int]
) -> tuple[CellResult, ...]:
    """The cells of a demand with what came of each."""
    return tuple(
        CellResult(*cell, count, completed.get(cell, 0), carried.get(cell, 0))
        for cell, count in demand.items()
    )


async def counted(planner: Person, months: list[date]) -> dict[Cell, int]:
    """What reporting has counted of these months, cell by cell."""
    found: dict[Cell, int] = {}
    for year in sorted({FiscalYear.of(month).first.year for month in months}):
        report: Mapping[str, Any] = await planner.get(
            "reporting", "/v1/reports/monthly", fiscal_year=year, layout="long"
        )
        for row in report["rows"]:
            cell = (date.fromisoformat(f"{row['month']}-01"), Procedure(row["procedure"]))
            found[cell] = found.get(cell, 0) + row["completed"]
    return {cell: count for cell, count in found.items() if cell[0] in months}
