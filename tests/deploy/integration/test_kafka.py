"""The embedded broker keeps events, asks before it takes a port, and stays small."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.embedded.errors import PortTaken
from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.ports import LOOPBACK, free_ports

JARS = Path(__file__).parents[3] / ".madoguchi" / "cache"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker of this test alone."""
    broker = EmbeddedKafka(tmp_path / "kafka", JARS, *free_ports(2))
    broker.start()
    yield broker
    broker.stop()


async def create(broker: EmbeddedKafka, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()


async def send(broker: EmbeddedKafka, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def read(broker: EmbeddedKafka, topic: str) -> list[bytes | None]:
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap) as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        return [(await consumer.getone()).value for _ in range(end)]


async def test_events_survive_a_stop(broker: EmbeddedKafka) -> None:
    await create(broker, "kept.events")
    await send(broker, "kept.events", b"one")
    broker.stop()
    assert broker.running() is None
    broker.start()
    assert await read(broker, "kept.events") == [b"one"]


@pytest.mark.journey
async def test_events_survive_a_kill(broker: EmbeddedKafka) -> None:
    await create(broker, "kept.events")
    await send(broker, "kept.events", b"one")
    broker.kill()
    broker.start()
    await send(broker, "kept.events", b"two")
    assert await read(broker, "kept.events") == [b"one", b"two"]


async def test_a_running_broker_is_left_alone_and_is_small(broker: EmbeddedKafka) -> None:
    record = broker.running()
    assert record is not None
    assert broker.start() == record
    assert psutil.Process(record.pid).memory_info().rss < 400 * 2**20


async def test_a_topic_nobody_created_does_not_appear(broker: EmbeddedKafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.describe_topics(["unasked.events"])
        assert "unasked.events" not in await admin.list_topics()
    finally:
        await admin.close()


def test_a_taken_port_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        broker = EmbeddedKafka(tmp_path / "kafka", JARS, port, free_ports(1)[0])
        with pytest.raises(PortTaken, match=str(port)):
            broker.start()
    assert not (tmp_path / "kafka").exists()
