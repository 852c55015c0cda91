"""How long steps tell how far they are.

Invariant: progress never decides anything; a start with `quiet` does exactly the same.
"""

import threading
from typing import Protocol


class Progress(Protocol):
    """Called at each step; `done` of `total` are counts of the same unit, 0 when unknown."""

    def __call__(self, message: str, *, done: int = 0, total: int = 0) -> None: ...


def quiet(message: str, *, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""


class Interrupted(Exception):  # noqa: N818 - reads as the fact it states
    """A long step was told that nobody waits for it any more."""


class Interruptible:
    """Passes progress on until it is interrupted, and then ends the step that reports."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._ended = threading.Event()

    def interrupt(self) -> None:
        """Whoever reports next is ended."""
        self._ended.set()

    def __call__(self, message: str, *, done: int = 0, total: int = 0) -> None:
        """See `Progress`.

        Raises:
            Interrupted: `interrupt` was called.
        """
        if self._ended.is_set():
            raise Interrupted
        self._progress(message, done=done, total=total)
