"""The consumer: polls, handles a poll's records as one batch, and only then commits offsets.

* An infrastructure error rewinds to where the batch began and waits: nothing is used up.
* Any other error splits the batch until the failing record is alone; it is parked, its key with
  it, and every other key goes on.
* Offsets are committed after the database, so a crash repeats records; the inbox knows them.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord

from shared.messaging import parking
from shared.messaging.envelope import UndecodableMessageError
from shared.messaging.failure import backoff, is_infrastructure, may_heal, reason_of
from shared.messaging.kafka import consumer as kafka_consumer
from shared.messaging.processing import Processor
from shared.security.principal import Principal
from shared.settings import KernelSettings
from shared.telemetry.metrics import Metrics

POLL_MS = 500
GATHERED_BYTES = 128 * 1024
"""What the broker waits for before it answers a consumer that gathers, and no longer than that."""
MEASURE_SECONDS = 0.5
"""Between two looks at the lag while there is always something to handle."""
log = logging.getLogger(__name__)


class Consumer:
    """One instance of a room's consumer; several share the partitions through their group."""

    def __init__(self, processor: Processor, settings: KernelSettings, metrics: Metrics) -> None:
        self._processor = processor
        self._settings = settings
        self._metrics = metrics
        self._failures = 0
        self._measured = 0.0
        self.connected = False

    async def run(self) -> None:
        """Consume until cancelled; then leave the group so that others take over at once."""
        while True:
            try:
                await self._session()
            except (KafkaError, OSError) as error:
                self.connected = False
                self._failures += 1
                log.warning("lost the connection to kafka, trying again: %r", error)
                await asyncio.sleep(backoff(self._failures))

    async def _session(self) -> None:
        kafka = kafka_consumer(
            self._settings,
            *self._processor.topics,
            group=self._settings.topic_prefix + self._processor.consumer,
            max_poll_records=self._settings.batch_size,
            **_fetching(self._settings.gather_seconds),
            max_partition_fetch_bytes=4 * 1024 * 1024,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
        )
        try:
            await kafka.start()
            self.connected = True
            while True:
                await self._poll(kafka)
        finally:
            self.connected = False
            await kafka.stop()

    async def _poll(self, kafka: AIOKafkaConsumer) -> None:
        polled = await kafka.getmany(timeout_ms=POLL_MS, max_records=self._settings.batch_size)
        records = [record for partition in polled.values() for record in partition]
        if not records:
            await self._measure_lag(kafka)
            return
        try:
            await self.handle(records)
        except Exception as error:
            if not may_heal(error):
                raise
            await self._rewind(kafka, polled, error)
            return
        self._failures = 0
        await self._commit(kafka, polled)
        if time.monotonic() - self._measured >= MEASURE_SECONDS:
            await self._measure_lag(kafka)
        if len(records) < self._settings.batch_size and self._settings.gather_seconds:
            await asyncio.sleep(self._settings.gather_seconds)

    async def handle(self, records: Sequence[ConsumerRecord]) -> None:
        """Handle a batch, or its halves, or park the one record that cannot be handled.

        Raises infrastructure errors, and what kept the one record from being parked.
        """
        try:
            await self._processor.handle_batch(records)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(records) == 1:
                await self._park(records[0], error)
                return
            middle = len(records) // 2
            await self.handle(records[:middle])
            await self.handle(records[middle:])

    async def _park(self, record: ConsumerRecord, error: Exception) -> None:
        waits = self._settings.retry_seconds
        failure = parking.Failure(reason_of(error), waits[0] if waits else 0.0)
        log.warning(
            "parked %s[%d]@%d: %s",
            record.topic,
            record.partition,
            record.offset,
            failure.reason,
            exc_info=not isinstance(error, UndecodableMessageError),
        )
        async with self._processor.units.begin(Principal.system(self._processor.consumer)) as unit:
            await parking.park(unit.conn, self._processor.consumer, [record], failure)
        self._processor.count(self._processor.tally("parked", [record]))

    async def _rewind(
        self,
        kafka: AIOKafkaConsumer,
        polled: dict[TopicPartition, list[ConsumerRecord]],
        error: Exception,
    ) -> None:
        # Seeking instead of holding the batch leaves no state behind when partitions move away.
        for partition in set(polled) & kafka.assignment():
            kafka.seek(partition, polled[partition][0].offset)
        self._failures += 1
        log.warning("infrastructure error, the batch will be repeated: %r", error)
        await asyncio.sleep(backoff(self._failures))

    async def _commit(
        self, kafka: AIOKafkaConsumer, polled: dict[TopicPartition, list[ConsumerRecord]]
    ) -> None:
        try:
            await kafka.commit({tp: records[-1].offset + 1 for tp, records in polled.items()})
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions moved while we worked. Their new owner repeats what we did; the
            # inbox makes that harmless.
            log.info("offsets not committed after a rebalance: %r", error)

    async def _measure_lag(self, kafka: AIOKafkaConsumer) -> None:
        """Tell the lag of the partitions we have, and no more of those that moved away."""
        lags = {}
        for partition in kafka.assignment():
            end = kafka.highwater(partition)
            if end is not None:
                with suppress(IllegalStateError):  # it has moved away while we asked
                    lags[partition] = max(0, end - await kafka.position(partition))
        self._measured = time.monotonic()
        self._metrics.consumer_lag.clear()
        for partition, lag in lags.items():
            self._metrics.consumer_lag.labels(partition.topic, partition.partition).set(lag)


def _fetching(gather_seconds: float) -> dict[str, int]:
    """How long the broker may wait for how much before it answers a fetch."""
    if not gather_seconds:
        return {"fetch_max_wait_ms": POLL_MS}
    wait = max(1, round(gather_seconds * 1000))
    return {"fetch_max_wait_ms": wait, "fetch_min_bytes": GATHERED_BYTES}
