"""A reporting room over real topics: what is published, a live consumer, and what came of it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from services.reporting.events import SUBSCRIBES
from services.reporting.handlers.projection import Projection
from services.reporting.rebuild import Rebuilt, rebuild
from shared.db import Database
from shared.messaging.kafka import producer
from shared.messaging.processing import Processor
from shared.messaging.topics import ensure_topics
from shared.settings import KernelSettings
from tests.support.messaging import metrics, settings, units
from tests.support.state import MECHANICS, state_hash

PROGRESS = MECHANICS | {"projection"}


@dataclass
class House:
    """A database of the room, and topics of its own."""

    url: str
    database: Database
    settings: KernelSettings
    producer: AIOKafkaProducer

    async def publish(self, records: Sequence[ConsumerRecord]) -> None:
        """Put these records into their topics, in order."""
        sent = [
            await self.producer.send(
                self.settings.topic_prefix + record.topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
            )
            for record in records
        ]
        await asyncio.gather(*sent)

    @asynccontextmanager
    async def live(self, batch: int = 50) -> AsyncIterator[asyncio.subprocess.Process]:
        """The room's consumer at work, as a process; killed at the end unless it was before."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.reporting.worker", self.url),
            *(self.settings.kafka_bootstrap_servers, self.settings.topic_prefix, str(batch)),
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def until_handled(self, count: int) -> None:
        """Wait until the live consumer has handled so many events."""
        # Another process writes them: nothing to be told by.
        while await self.handled() < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def handled(self) -> int:
        """How many events the live consumer has handled."""
        async with self.database.reader() as conn:
            found: int = await conn.fetchval(
                "SELECT count(*) FROM inbox WHERE consumer = 'reporting'"
            )
            return found

    async def hear(self, records: Sequence[ConsumerRecord]) -> None:
        """Handle records here and now, as the live consumer would."""
        processor = Processor(
            "reporting", units(self.database, "reporting"), SUBSCRIBES, metrics=metrics()
        )
        await processor.handle_batch(records)

    async def rebuild(self, projection: Projection, *, fresh: bool = False) -> Rebuilt:
        """Build this read model again and switch to it."""
        return await rebuild(self.url, self.settings, projection, fresh=fresh)

    async def state(self) -> str:
        """What is known, whichever generation knows it."""
        async with self.database.reader() as conn:
            return await state_hash(conn, leave_out=PROGRESS)


@asynccontextmanager
async def house(url: str, bootstrap: str, batch: int = 200) -> AsyncIterator[House]:
    """A house on fresh topics."""
    set_ = settings(
        kafka_bootstrap_servers=bootstrap,
        topic_prefix=f"r{uuid4().hex[:10]}.",
        batch_size=batch,
    )
    await ensure_topics(set_, ("reporting",))
    database = await Database.connect(url, application="test")
    client = producer(set_, "test")
    await client.start()
    try:
        yield House(url, database, set_, client)
    finally:
        await client.stop()
        await database.close()
