"""Work that becomes due by the clock: holds that end, reminders, steps of a saga.

Each piece of work takes a batch of what is due at ``unit.now`` in a unit of its own and says how
much it did; it is called again until it says nothing. Several processes share the work row by row
(``FOR UPDATE SKIP LOCKED``), and a crash leaves the batch due. A piece that fails is tried again
and never keeps the others waiting.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.clock import ReplayClock
from shared.messaging.failure import backoff
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from shared.unit import Unit, Units

IDLE_SECONDS = 0.25
REPEATED = 25
"""Batches of one piece until the others are asked again."""
REPLAYED_SECONDS = 1.0
"""Under a replayed clock, which tells when to look again."""
log = logging.getLogger(__name__)

DueWork = Callable[[Unit], Awaitable[int]]
"""Does a bounded batch of what is due at ``unit.now``; how much it did, 0 where nothing is due."""


@dataclass(frozen=True, slots=True)
class Due:
    """A piece of due work under the name that logs and figures give it."""

    name: str
    work: DueWork


class DueLoop:
    """Works what is due in one room; several instances share it row by row."""

    def __init__(self, room: str, units: Units, dues: Sequence[Due], metrics: Metrics) -> None:
        self._units = units
        self._dues = dues
        self._metrics = metrics
        self._principal = Principal.system(room)
        self._failures = 0

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            at = self._units.clock.now()
            failures = self._failures
            if await self.rounds():
                continue
            if self._failures > failures:
                await asyncio.sleep(backoff(self._failures))
                continue
            self._failures = 0
            self._metrics.due_through.set(at.timestamp())
            await self._rest(at)

    async def rounds(self) -> int:
        """A round, then again what did something in it: asking all the others each time would cost
        more than the work. Only so often, for what one does may make another due.
        """
        done, busy = 0, self._dues
        for _ in range(REPEATED):
            did = [(due, await self._batch(due)) for due in busy]
            done += sum(count for _, count in did)
            busy = [due for due, count in did if count]
            if not busy:
                break
        return done

    async def _rest(self, at: datetime) -> None:
        """A while; under a replayed clock no longer than until its next advance, which waits for
        us.
        """
        clock = self._units.clock
        with suppress(TimeoutError):
            if isinstance(clock, ReplayClock):
                async with asyncio.timeout(REPLAYED_SECONDS):
                    await clock.moved(at)
            else:
                await asyncio.sleep(IDLE_SECONDS)

    async def round(self) -> int:
        """One batch of each piece; how much was done in all."""
        done = 0
        for due in self._dues:
            done += await self._batch(due)
        return done

    async def _batch(self, due: Due) -> int:
        try:
            async with self._units.begin(self._principal) as unit:
                done = await due.work(unit)
        except Exception:
            # Whatever the reason, it stays due; the others have to go on.
            log.exception("due work failed and stays due: %s", due.name)
            self._failures += 1
            self._metrics.due_failures.labels(due.name).inc()
            return 0
        self._metrics.due_done.labels(due.name).inc(done)
        return done
