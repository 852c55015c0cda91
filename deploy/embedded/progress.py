"""How long steps tell how far they are.

Invariant: progress never decides anything; a start with `quiet` does exactly the same.
"""

from typing import Protocol


class Progress(Protocol):
    """Called at each step; `done` of `total` are counts of the same unit, 0 when unknown."""

    def __call__(self, message: str, *, done: int = 0, total: int = 0) -> None: ...


def quiet(message: str, *, done: int = 0, total: int = 0) -> None:
    """Tell nobody."""
