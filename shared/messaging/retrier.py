"""Parked messages are tried again at growing intervals, then declared dead and reported.

A try handles the message, removes it and lets the next of its key follow, in one transaction.
A dead message stays where it is, with its key behind it, until an operator decides.
"""

import asyncio
import json
import logging
import time
from collections import deque

from shared.db import Row
from shared.ids import new_id
from shared.messaging import outbox, parking
from shared.messaging.failure import backoff, is_infrastructure, may_heal, reason_of
from shared.messaging.processing import Processor, Tally
from shared.messaging.topics import dead_letter_topic
from shared.security.principal import Principal
from shared.settings import KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Unit

IDLE_SECONDS = 0.5
LOOK_SHARE = 0.1
"""The greatest part of the time that looking for due keys may take, however many are parked."""
MEASURE_SECONDS = 2.0
KEYS = 200
log = logging.getLogger(__name__)


class _TryFailedError(Exception):
    """Carries a failed try out of its transaction, which must be rolled back first."""

    def __init__(self, row: Row, error: Exception) -> None:
        self.row = row
        self.error = error


class Retrier:
    """Works the parked messages of one consumer; several instances share them key by key."""

    def __init__(self, processor: Processor, settings: KernelSettings, metrics: Metrics) -> None:
        self._processor = processor
        self._waits = settings.retry_seconds
        self._metrics = metrics
        self._principal = Principal.system(processor.consumer)
        self._due: deque[str] = deque()
        self._look_seconds = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        failures, measure_at = 0, 0.0
        while True:
            try:
                if time.monotonic() >= measure_at:
                    await self._measure()
                    measure_at = time.monotonic() + MEASURE_SECONDS
                busy = await self.work_one()
                failures = 0
            except Exception as error:
                if not may_heal(error):
                    raise
                failures += 1
                log.warning("parked messages wait, infrastructure error: %r", error)
                await asyncio.sleep(backoff(failures))
                continue
            if not busy:
                await asyncio.sleep(max(IDLE_SECONDS, self._look_seconds / LOOK_SHARE))

    async def work_one(self) -> bool:
        """Try one parked message whose turn it is; False when there is none.

        Keys found due take turns, each as far as it goes, before we look for others.
        """
        if not self._due:
            await self._look()
        while self._due:
            subject = self._due.popleft()
            if await self._work(subject):
                self._due.append(subject)
                return True
        return False

    async def _look(self) -> None:
        started = time.monotonic()
        async with self._processor.units.begin(self._principal) as unit:
            self._due.extend(await parking.due_keys(unit.conn, self._processor.consumer, KEYS))
        self._look_seconds = time.monotonic() - started

    async def _work(self, subject: str) -> bool:
        try:
            async with self._processor.units.begin(self._principal) as unit:
                row = await parking.take_head(unit.conn, self._processor.consumer, subject)
                if row is None:
                    return False
                done = await self._try(unit, row)
            self._processor.count(done)
        except _TryFailedError as failed:
            await self._count(failed.row, failed.error)
        return True

    async def _try(self, unit: Unit, row: Row) -> Tally:
        try:
            done = await self._processor.handle(unit, [parking.record_of(row)])
        except Exception as error:
            if is_infrastructure(error):
                raise
            raise _TryFailedError(row, error) from error
        await parking.release(unit.conn, row["id"])
        return done

    async def _count(self, row: Row, error: Exception) -> None:
        tries = row["attempt"] + 1
        reason = reason_of(error)
        more = self._waits[tries - 1] if tries <= len(self._waits) else None
        failure = parking.Failure(reason, more) if more is not None else None
        async with self._processor.units.begin(self._principal) as unit:
            counted = await parking.failed_again(unit.conn, row, failure, reason)
            dead = counted and failure is None
            if dead:
                await self._report_dead(unit, row, reason, tries)
        if dead:
            self._processor.count(self._processor.tally("dead", [parking.record_of(row)]))

    async def _report_dead(self, unit: Unit, row: Row, reason: str, tries: int) -> None:
        log.error("dead letter %d: %s after %d tries: %s", row["id"], row["subject"], tries, reason)
        await outbox.append_copy(
            unit.conn,
            topic=dead_letter_topic(self._processor.consumer),
            key=row["subject"],
            id_=new_id(),
            headers=json.loads(row["headers"])
            | {
                "madoguchi-consumer": self._processor.consumer,
                "madoguchi-reason": reason,
                "madoguchi-attempts": str(tries),
                "madoguchi-origin": f"{row['topic']}/{row['partition']}/{row['offset_']}",
            },
            value=row["value"],
        )

    async def _measure(self) -> None:
        async with self._processor.units.begin(self._principal) as unit:
            parked, dead = await parking.counts(unit.conn, self._processor.consumer)
        self._metrics.parked_messages.set(parked)
        self._metrics.dead_letters.set(dead)
