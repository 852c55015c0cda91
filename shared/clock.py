"""Time is injected: rules read a clock they are given, never the machine's.

Business time may be replayed. Tokens, retries and network time-outs use real time and do
not come here.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Business time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The instant last set."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by ``by``."""
        self._at += by

    def set(self, at: datetime) -> None:
        """Move the clock to ``at``."""
        self._at = at.astimezone(UTC)


class ReplayClock:
    """Business time as told by ``clock.events``; it never goes back.

    Until the first ``clock.advanced`` it answers the epoch, so that nothing is due too early.
    """

    def __init__(self) -> None:
        self._at = datetime.fromtimestamp(0, UTC)
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """The latest instant heard."""
        return self._at

    def follow(self, at: datetime) -> None:
        """Take over a heard instant; an older one (a replayed event) changes nothing."""
        if at > self._at:
            self._at = at.astimezone(UTC)
            self._moved.set()
            self._moved = asyncio.Event()

    async def moved(self, since: datetime) -> None:
        """Return once it is later than ``since``."""
        while self._at <= since:
            await self._moved.wait()
