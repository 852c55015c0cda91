"""The relay: publishes committed outbox rows in order, each at least once.

A shard's cursor moves only past rows the broker has acknowledged, on the session that holds the
shard's lock: a relay that lost its session can repeat rows, never skip or own them. A repeated
run is in order too, so the first sight of every event still is.
"""

import asyncio
import logging
import time
from contextlib import AsyncExitStack, suppress

import asyncpg

from shared.db import session
from shared.messaging import outbox_reader
from shared.messaging.failure import backoff, may_heal
from shared.messaging.outbox import CHANNEL
from shared.messaging.publisher import Publisher
from shared.messaging.shards import ShardOwner
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
                if not may_heal(error):
                    raise
                failures = 0 if time.monotonic() - started > 60 else failures + 1
                log.warning("relay lost its session, trying again: %r", error)
                await asyncio.sleep(backoff(failures))

    async def _session(self) -> None:
        name = f"madoguchi-{self._room}-relay"
        publisher = Publisher(self._settings, name)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(publisher.close)
            conn = await session(self._url, application=name)
            stack.callback(self._leave, conn)
            if await outbox_reader.adopt_cluster(conn):
                log.warning("the database came from another cluster: retained rows go out again")
            # While the broker is away the backlog matters most, so it is told before we ask for it.
            await self._measure(conn)
            await publisher.start()
            # Only who can publish counts, and takes shards.
            owner = ShardOwner(conn)
            await owner.join()
            await conn.add_listener(CHANNEL, lambda *_: self._wake.set())
            self.connected = True
            await self._publish_for_ever(conn, publisher, owner)

    def _leave(self, conn: asyncpg.Connection) -> None:
        """Let others have the shards at once; the broker may take its time."""
        self.connected = False
        conn.terminate()

    async def _publish_for_ever(
        self, conn: asyncpg.Connection, publisher: Publisher, owner: ShardOwner
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
            published = await self._publish(conn, publisher, owner.owned)
            if not published:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            elif published < ROWS_PER_SHARD and self._settings.gather_seconds:
                await asyncio.sleep(self._settings.gather_seconds)

    async def _publish(
        self, conn: asyncpg.Connection, publisher: Publisher, shards: set[int]
    ) -> int:
        rows = await outbox_reader.read(conn, shards, ROWS_PER_SHARD) if shards else []
        if not rows:
            return 0
        await publisher.publish(rows)
        await outbox_reader.advance(conn, {r["shard"]: (r["xid"], r["pos"]) for r in rows})
        self._metrics.relay_published.inc(len(rows))
        return len(rows)

    async def _measure(self, conn: asyncpg.Connection) -> None:
        unpublished, age = await outbox_reader.backlog(conn)
        self._metrics.outbox_unpublished.set(unpublished)
        self._metrics.outbox_oldest_age.set(age)

    async def _maintain(self, conn: asyncpg.Connection) -> None:
        with suppress(asyncpg.LockNotAvailableError):  # busy just now; the next round will do
            await outbox_reader.empty_published(conn, self._settings.outbox_retention_hours)
