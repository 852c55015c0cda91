"""The relay: publishes committed outbox rows in order, each at least once.

A shard's cursor moves only past rows the broker has acknowledged, on the session that holds the
shard's lock: a relay that lost its session can repeat rows, never skip or own them. A repeated
run is in order too, so the first sight of every event still is.
"""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.db import Row, session
from shared.messaging import outbox_reader
from shared.messaging.envelope import Envelope, Headers, encode
from shared.messaging.failure import backoff, is_infrastructure
from shared.messaging.kafka import producer
from shared.messaging.outbox import CHANNEL
from shared.messaging.shards import ShardOwner
from shared.messaging.spans import sending
from shared.settings import KernelSettings
from shared.telemetry.metrics import Metrics

POLL_SECONDS = 0.25
BALANCE_SECONDS = 1.0
MEASURE_SECONDS = 2.0
MAINTAIN_SECONDS = 600.0
ROWS_PER_SHARD = 1000
log = logging.getLogger(__name__)


class Relay:
    """One instance of a room's relay; several share the shards."""

    def __init__(self, room: str, url: str, settings: KernelSettings, metrics: Metrics) -> None:
        self._room = room
        self._url = url
        self._settings = settings
        self._metrics = metrics
        self._wake = asyncio.Event()
        self.connected = False

    async def run(self) -> None:
        """Publish until cancelled, reconnecting for ever."""
        failures = 0
        while True:
            started = time.monotonic()
            try:
                await self._session()
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                failures = 0 if time.monotonic() - started > 60 else failures + 1
                log.warning("relay lost its session, trying again: %r", error)
                await asyncio.sleep(backoff(failures))

    async def _session(self) -> None:
        conn = await session(self._url, application=f"madoguchi-{self._room}-relay")
        kafka = producer(self._settings, f"madoguchi-{self._room}-relay")
        try:
            if await outbox_reader.adopt_cluster(conn):
                log.warning("the database came from another cluster: retained rows go out again")
            owner = ShardOwner(conn)
            await owner.join()
            await kafka.start()
            await conn.add_listener(CHANNEL, lambda *_: self._wake.set())
            self.connected = True
            await self._publish_for_ever(conn, kafka, owner)
        finally:
            self.connected = False
            await kafka.stop()
            conn.terminate()

    async def _publish_for_ever(
        self, conn: asyncpg.Connection, kafka: AIOKafkaProducer, owner: ShardOwner
    ) -> None:
        balance_at = measure_at = 0.0
        maintain_at = time.monotonic() + 5
        while True:
            now = time.monotonic()
            if now >= balance_at:
                await owner.balance()
                balance_at = now + BALANCE_SECONDS
            if now >= measure_at:
                await self._measure(conn)
                measure_at = now + MEASURE_SECONDS
            if now >= maintain_at:
                await self._maintain(conn)
                maintain_at = now + MAINTAIN_SECONDS
            self._wake.clear()
            if not await self._publish(conn, kafka, owner.owned):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)

    async def _publish(
        self, conn: asyncpg.Connection, kafka: AIOKafkaProducer, shards: set[int]
    ) -> int:
        rows = await outbox_reader.read(conn, shards, ROWS_PER_SHARD) if shards else []
        if not rows:
            return 0
        await self._send(kafka, rows)
        await outbox_reader.advance(conn, {r["shard"]: (r["xid"], r["pos"]) for r in rows})
        self._metrics.relay_published.inc(len(rows))
        return len(rows)

    async def _send(self, kafka: AIOKafkaProducer, rows: Sequence[Row]) -> None:
        prefix = self._settings.topic_prefix
        acknowledgements = []
        for row in rows:
            key, headers, value = _record(row)
            end_span = sending(row["topic"], row["subject"], row["traceparent"])
            sent = await kafka.send(prefix + row["topic"], value=value, key=key, headers=headers)
            if end_span:
                sent.add_done_callback(lambda _, end=end_span: end())
            acknowledgements.append(sent)
        await asyncio.gather(*acknowledgements)

    async def _measure(self, conn: asyncpg.Connection) -> None:
        unpublished, age = await outbox_reader.backlog(conn)
        self._metrics.outbox_unpublished.set(unpublished)
        self._metrics.outbox_oldest_age.set(age)

    async def _maintain(self, conn: asyncpg.Connection) -> None:
        with suppress(asyncpg.LockNotAvailableError):  # busy just now; the next round will do
            await outbox_reader.empty_published(conn, self._settings.outbox_retention_hours)


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
