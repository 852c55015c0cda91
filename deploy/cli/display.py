"""How the command talks to a person: progress bars on a terminal, plain lines elsewhere.

Invariant: progress and messages go to standard error; standard output carries answers only, so
that it can be piped.
"""

import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


def talk() -> Console:
    """The console for messages."""
    return Console(stderr=True, highlight=False)


class Display:
    """Shows steps as they are reported; used as a context."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or talk()
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()
        self._interrupted = threading.Event()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, message: str, *, done: int = 0, total: int = 0) -> None:
        """Show a step; see `deploy.embedded.progress.Progress`."""
        if self.console.is_terminal:
            self._bar(message, done, total)
        else:
            self._line(message, done, total)

    def _bar(self, message: str, done: int, total: int) -> None:
        if message not in self._tasks:
            self._tasks[message] = self._bars.add_task(message, total=max(total, 1))
        # A step without a count is over as soon as it is told; the next one shows that.
        finished = {"total": total, "completed": done} if total else {"total": 1, "completed": 1}
        self._bars.update(self._tasks[message], total=finished["total"])
        self._bars.update(self._tasks[message], completed=finished["completed"])

    def _line(self, message: str, done: int, total: int) -> None:
        """One line when a step begins, and one when a counted one is complete."""
        text = f"{message}: {done} of {total}" if total and done == total else message
        if text not in self._told:
            self._told.add(text)
            self.console.print(text)
