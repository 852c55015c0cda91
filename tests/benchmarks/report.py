"""One form for every benchmark: a table to read and a JSON file to compare.

A figure means little alone on a shared machine, so each stands beside a baseline measured in the
same run, and the ratio is what to follow.
"""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parent.parent.parent / "build" / "bench"


@dataclass(frozen=True)
class Figure:
    """``value`` in ``unit``; ``baseline`` in the same unit, of the same run."""

    name: str
    value: float
    unit: str
    baseline: float | None = None

    @property
    def ratio(self) -> float | None:
        """``value`` over ``baseline``."""
        return self.value / self.baseline if self.baseline else None


def report(name: str, figures: list[Figure]) -> Path:
    """Print the figures and write ``build/bench/<name>.json``; its path."""
    table = Table("figure", "value", "unit", "baseline", "ratio", title=name)
    for figure in figures:
        table.add_row(
            figure.name,
            _short(figure.value),
            figure.unit,
            _short(figure.baseline),
            _short(figure.ratio),
        )
    Console().print(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    content = {
        "machine": machine(),
        "commit": _commit(),
        "figures": [asdict(figure) | {"ratio": figure.ratio} for figure in figures],
    }
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    return path


def machine() -> str:
    """What was measured on."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _commit() -> str:
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return git.stdout.strip() or "unknown"


def _short(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"
