"""A partition's records arrive in the order given, or not at all from the first failure on."""

import asyncio
from typing import Any, cast

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NotEnoughReplicasError

from deploy.embedded.kafka import EmbeddedKafka
from shared.db import Database
from shared.messaging import outbox, outbox_reader
from shared.messaging.kafka import consumer
from shared.messaging.publisher import Publisher
from shared.messaging.topics import ensure_topics
from shared.settings import KernelSettings
from tests.support.messaging import NOON, case, settings

TOPIC = "preparation.events"


@pytest.fixture
async def set_(kafka: EmbeddedKafka) -> KernelSettings:
    made = settings(kafka_bootstrap_servers=kafka.bootstrap, topic_prefix=f"t{case().hex[-10:]}.")
    await ensure_topics(made, ("testing",))
    return made


async def rows(database: Database, subjects: list[str], size: int) -> list[Any]:
    """Outbox rows as the relay reads them, with bodies of ``size`` bytes."""
    made = [
        outbox.OutboxRow(
            case(), TOPIC, "test.v1", subject, NOON, None, b"%d" % number + b" " * size
        )
        for number, subject in enumerate(subjects)
    ]
    async with database.transaction() as conn:
        await outbox.append(conn, "/141305/testing", made)
    async with database.reader() as conn:
        return await outbox_reader.read(cast(asyncpg.Connection, conn), range(outbox.SHARDS), 1000)


async def arrived(set_: KernelSettings, count: int) -> list[tuple[str, int]]:
    """Subject and number of ``count`` records, as they lie in their partitions."""
    kafka = consumer(set_, TOPIC, group=None)
    await kafka.start()
    try:
        found: list[tuple[str, int]] = []
        while len(found) < count:
            record = await kafka.getone()
            found.append((record.key.decode(), int(record.value)))
        return found
    finally:
        await kafka.stop()


def orders(found: list[tuple[str, int]]) -> dict[str, list[int]]:
    """Numbers per subject in their order."""
    made: dict[str, list[int]] = {}
    for subject, number in found:
        made.setdefault(subject, []).append(number)
    return made


async def test_more_than_a_batch_of_one_key_arrives_in_order(
    kernel_database: Database, set_: KernelSettings
) -> None:
    subjects = ["busy"] * 30 + ["quiet", "busy"] * 5
    waiting = await rows(kernel_database, subjects, 60_000)
    publisher = Publisher(set_, "test")
    await publisher.start()
    await publisher.publish(waiting)
    await publisher.close()
    seen = orders(await arrived(set_, len(subjects)))
    assert set(seen) == {"busy", "quiet"}
    assert all(numbers == sorted(numbers) for numbers in seen.values())


async def test_the_greatest_event_there_may_be_arrives(
    kernel_database: Database, set_: KernelSettings
) -> None:
    waiting = await rows(kernel_database, ["big"], outbox.LARGEST - 1)
    publisher = Publisher(set_, "test")
    await publisher.start()
    await publisher.publish(waiting)
    await publisher.close()
    assert await arrived(set_, 1) == [("big", 0)]


async def test_a_key_lies_where_other_producers_put_it(
    kernel_database: Database, set_: KernelSettings
) -> None:
    subjects = [str(case()) for _ in range(20)]
    publisher = Publisher(set_, "test")
    await publisher.start()
    await publisher.publish(await rows(kernel_database, subjects, 1))
    producer = publisher._kafka
    for subject in subjects:
        await producer.send_and_wait(set_.topic_prefix + TOPIC, key=subject.encode(), value=b"-1")
    await publisher.close()
    kafka = consumer(set_, TOPIC, group=None)
    await kafka.start()
    lies: dict[bytes, set[int]] = {}
    for _ in range(2 * len(subjects)):
        record = await kafka.getone()
        lies.setdefault(record.key, set()).add(record.partition)
    await kafka.stop()
    assert len(lies) == len(subjects)
    assert all(len(partitions) == 1 for partitions in lies.values())


class FailingOnce:
    """Hands over to the client, but lets a partition's second batch fail."""

    def __init__(self, publisher: Publisher, error: KafkaError) -> None:
        self._kafka = publisher._kafka
        self._error = error
        self.sent: dict[TopicPartition, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kafka, name)

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Any:
        place = TopicPartition(topic, partition)
        self.sent[place] = self.sent.get(place, 0) + 1
        if self.sent[place] != 2:
            return await self._kafka.send_batch(batch, topic, partition=partition)
        failed: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        failed.set_exception(self._error)
        return failed


async def test_after_a_failed_batch_nothing_more_goes_to_its_partition(
    kernel_database: Database, set_: KernelSettings
) -> None:
    waiting = await rows(kernel_database, ["busy"] * 30, 60_000)
    publisher = Publisher(set_, "test")
    await publisher.start()
    failing = FailingOnce(publisher, NotEnoughReplicasError())
    publisher._kafka = failing
    with pytest.raises(NotEnoughReplicasError):
        await publisher.publish(waiting)
    assert list(failing.sent.values()) == [2]
    await publisher.close()
    again = Publisher(set_, "test")
    await again.start()
    await again.publish(waiting)
    await again.close()
    first_sights = list(dict.fromkeys(orders(await arrived(set_, 34))["busy"]))
    assert first_sights == list(range(30))
