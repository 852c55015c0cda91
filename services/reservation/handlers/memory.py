"""Answers that a process keeps, each found out once for all who ask it at the same time.

An answer is kept from when its finding out begins, so that a change which comes meanwhile drops it
like any other: who asks later finds out anew, and who waits gets what held when they asked.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from typing import Any, Generic, Protocol, TypeVar

LARGEST = 256
"""Answers kept; strangers can think of many questions."""


class Asked(Protocol):
    """A question about the days from ``first`` to ``last``; two that are equal are the same."""

    @property
    def first(self) -> date:
        """The first day."""

    @property
    def last(self) -> date:
        """The last day."""

    def __hash__(self) -> int:
        """By what was asked."""


class Lasting(Protocol):
    """An answer that becomes another by the clock at ``until``."""

    @property
    def until(self) -> datetime:
        """When that is."""


K = TypeVar("K", bound=Asked)
V = TypeVar("V", bound=Lasting)


class Memory(Generic[K, V]):
    """Answers by their question."""

    def __init__(self) -> None:
        self._known: dict[K, asyncio.Future[V]] = {}

    async def ask(self, asked: K, now: datetime, find: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What is known, or being found out; otherwise it is found out now. Raises what it does."""
        found = self._known.get(asked)
        if found is None or _is_over(found, now):
            if len(self._known) >= LARGEST:
                self._known.clear()
            found = self._known[asked] = asyncio.ensure_future(find())
        return found.result() if found.done() else await asyncio.shield(found)

    def forget(self, day: date) -> None:
        """Drop the answers that tell of ``day``, those not yet found out too."""
        for asked in [one for one in self._known if one.first <= day <= one.last]:
            del self._known[asked]

    def clear(self) -> None:
        """Drop every answer."""
        self._known.clear()


def _is_over(found: asyncio.Future[Any], now: datetime) -> bool:
    if not found.done():
        return False
    return found.cancelled() or found.exception() is not None or now >= found.result().until
