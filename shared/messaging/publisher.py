"""Publishing outbox rows so that no failure lets a later record overtake an earlier one.

A partition has one batch on its way at a time; the next is handed over when the broker has
acknowledged it. The client's own queue would send on after a batch that failed, and what is
published again afterwards would come too late for its order.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.db import Row
from shared.messaging.envelope import Envelope, Headers, encode
from shared.messaging.kafka import producer
from shared.messaging.spans import sending
from shared.settings import KernelSettings

SECONDS = 30.0
"""How long one batch may wait for its acknowledgement, and the connection for its beginning."""

Place = tuple[str, int]
Record = tuple[bytes, Headers, bytes, Callable[[], None] | None]


class Publisher:
    """One connection to the broker, for as long as it works; then close it and make another."""

    def __init__(self, settings: KernelSettings, client_id: str) -> None:
        self._prefix = settings.topic_prefix
        self._kafka: AIOKafkaProducer = producer(settings, client_id)

    async def start(self) -> None:
        """Connect. Raises ``KafkaError`` or ``TimeoutError``."""
        async with asyncio.timeout(SECONDS):
            await self._kafka.start()

    async def publish(self, rows: Iterable[Row]) -> None:
        """Return when every row is acknowledged, each partition's in the order given.

        Raises ``KafkaError`` or ``TimeoutError``. What had been handed over may still arrive.
        """
        queues = await self._by_partition(rows)
        tasks = [asyncio.create_task(self._send(*entry)) for entry in queues.items()]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def close(self) -> None:
        """Disconnect without waiting for acknowledgements: who needs them has had them.

        The client's ``stop`` flushes first, for as long as the broker stays away; then no signal
        would end the process.
        """
        await self._kafka._sender.close()
        await self._kafka.client.close()
        self._kafka._closed = True

    async def _by_partition(self, rows: Iterable[Row]) -> dict[Place, deque[Record]]:
        partitions: dict[str, list[int]] = {}
        queues: dict[Place, deque[Record]] = {}
        for row in rows:
            topic = self._prefix + row["topic"]
            if topic not in partitions:
                partitions[topic] = sorted(await self._kafka.partitions_for(topic))
            key, headers, value = _record(row)
            of_topic = partitions[topic]
            place = topic, DefaultPartitioner()(key, of_topic, of_topic)
            end_span = sending(row["topic"], row["subject"], row["traceparent"])
            queues.setdefault(place, deque()).append((key, headers, value, end_span))
        return queues

    async def _send(self, place: Place, queue: deque[Record]) -> None:
        topic, partition = place
        while queue:
            batch = self._kafka.create_batch()
            end_spans = _fill(batch, queue)
            acknowledged = await self._kafka.send_batch(batch, topic, partition=partition)
            try:
                # Shielded: the client still works with it, whatever becomes of us.
                await asyncio.wait_for(asyncio.shield(acknowledged), SECONDS)
            finally:
                for end in end_spans:
                    end()


def _fill(batch: BatchBuilder, queue: deque[Record]) -> list[Callable[[], None]]:
    """Move records into ``batch`` until it is full; a first one always fits."""
    end_spans = []
    while queue:
        key, headers, value, end_span = queue[0]
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            break
        queue.popleft()
        if end_span:
            end_spans.append(end_span)
    batch.close()
    return end_spans


def _record(row: Row) -> tuple[bytes, Headers, bytes]:
    if row["headers"] is not None:
        headers = [(name, text.encode()) for name, text in json.loads(row["headers"]).items()]
        return row["subject"].encode(), headers, row["data"]
    return encode(
        Envelope(
            id=row["id"],
            source=row["source"],
            type=row["type"],
            subject=row["subject"],
            time=row["time"],
            sequence=row["sequence"],
            traceparent=row["traceparent"],
            data=row["data"],
        )
    )
