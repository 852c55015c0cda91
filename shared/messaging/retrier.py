"""Parked messages are tried again at growing intervals, then declared dead and reported.

A try handles the message, removes it and lets the next of its key follow, in one transaction.
A dead message stays where it is, with its key behind it, until an operator decides.
"""

import asyncio
import json
import logging

from shared.db import Row
from shared.ids import new_id
from shared.messaging import outbox, parking
from shared.messaging.failure import backoff, is_infrastructure, reason_of
from shared.messaging.processing import Processor
from shared.messaging.topics import dead_letter_topic
from shared.security.principal import Principal
from shared.settings import KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Unit

IDLE_SECONDS = 0.2
MEASURE_EVERY = 10
log = logging.getLogger(__name__)


class _TryFailedError(Exception):
    """Carries a failed try out of its transaction, which must be rolled back first."""

    def __init__(self, row: Row, error: Exception) -> None:
        self.row = row
        self.error = error


class Retrier:
    """Works the parked messages of one consumer; several instances share them row by row."""

    def __init__(self, processor: Processor, settings: KernelSettings, metrics: Metrics) -> None:
        self._processor = processor
        self._waits = settings.retry_seconds
        self._metrics = metrics
        self._principal = Principal.system(processor.consumer)

    async def run(self) -> None:
        """Work until cancelled."""
        failures = rounds = 0
        while True:
            try:
                if rounds % MEASURE_EVERY == 0:
                    await self._measure()
                rounds += 1
                busy = await self.work_one()
                failures = 0
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                failures += 1
                log.warning("parked messages wait, infrastructure error: %r", error)
                await asyncio.sleep(backoff(failures))
                continue
            if not busy:
                await asyncio.sleep(IDLE_SECONDS)

    async def work_one(self) -> bool:
        """Try one parked message whose turn it is; False when there is none."""
        try:
            async with self._processor.units.begin(self._principal) as unit:
                row = await parking.take_due(unit.conn, self._processor.consumer)
                if row is None:
                    return False
                await self._try(unit, row)
        except _TryFailedError as failed:
            await self._count(failed.row, failed.error)
        return True

    async def _try(self, unit: Unit, row: Row) -> None:
        try:
            await self._processor.handle(unit, [parking.record_of(row)])
        except Exception as error:
            if is_infrastructure(error):
                raise
            raise _TryFailedError(row, error) from error
        await parking.release(unit.conn, row["id"])

    async def _count(self, row: Row, error: Exception) -> None:
        tries = row["attempt"] + 1
        reason = reason_of(error)
        more = self._waits[tries - 1] if tries <= len(self._waits) else None
        failure = parking.Failure(reason, more) if more is not None else None
        async with self._processor.units.begin(self._principal) as unit:
            await parking.failed_again(unit.conn, row["id"], failure, reason)
            if failure is None:
                await self._report_dead(unit, row, reason, tries)

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
