"""The page is open to everybody, so its figures are read once for all who ask at about that time.

However many ask, the database counts a fiscal year once per ``SECONDS``. Real time, not business
time: this is about load, not about what is true.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

SECONDS = 2.0
"""How old a figure on the public page may be."""

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values for a short time, each read by one caller while the others wait for it."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._values: dict[K, tuple[float, V]] = {}
        self._reading = asyncio.Lock()

    async def get(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """The value of ``key``; ``read`` where none is kept. What that raises is not kept."""
        async with self._reading:
            now = self._clock()
            self._values = {
                each: kept for each, kept in self._values.items() if now - kept[0] < self._seconds
            }
            if key not in self._values:
                self._values[key] = (now, await read())
            return self._values[key][1]

    async def forget(self) -> None:
        """Keep nothing of what is read or being read: something was changed here."""
        async with self._reading:
            self._values.clear()
