"""How far a replay is: a bar with cases per second, lag and time left, or a line now and then.

A city that lives on has no end, so nothing is said of the time left.
"""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli.display import talk

if TYPE_CHECKING:
    from simulation.replay.run import Standing

_LINE_SECONDS = 30.0


class ReplayBar:
    """Shows the standing of a replay; used as a context and called with each standing."""

    def __init__(self) -> None:
        self._console = talk()
        self._bar = Progress(
            TextColumn("{task.fields[day]}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.0f} cases/s, lag {task.fields[lag]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("replay", total=None, day="", rate=0.0, lag=0)
        self._first: tuple[float, int] | None = None
        self._line_at = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, standing: "Standing") -> None:
        """Show it; see `simulation.replay.run.Watch`."""
        now = time.monotonic()
        began, had = self._first = self._first or (now, standing.completed)
        rate = (standing.completed - had) / max(now - began, 1.0)
        self._bar.update(
            self._task,
            completed=standing.completed,
            total=standing.expected,
            day=standing.day.isoformat(),
            rate=rate,
            lag=standing.lag,
        )
        if not self._console.is_terminal and now - self._line_at > _LINE_SECONDS:
            self._line_at = now
            self._console.print(f"{standing.day}: {_far(standing, rate)}")


def _far(standing: "Standing", rate: float) -> str:
    """How much is done and how long the rest takes; nobody knows before the first is completed."""
    if standing.expected is None:
        return f"{standing.completed} cases, lag {standing.lag}"
    seconds = (standing.expected - standing.completed) / rate if rate else None
    left = "warming up" if seconds is None else f"{seconds:.0f} s left"
    done = f"{standing.completed} of {standing.expected} cases"
    return f"{done}, {rate:.0f}/s, lag {standing.lag}, {left}"
