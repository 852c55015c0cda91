"""Topics are there with their shape afterwards, or whoever asked is told why not."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.embedded.kafka import EmbeddedKafka
from shared.messaging import kafka as clients
from shared.messaging.kafka import client_options
from shared.messaging.topics import TopicsRefusedError, all_topics, ensure_topics
from shared.settings import KernelSettings
from tests.support.messaging import case, settings


@pytest.fixture
def set_(kafka: EmbeddedKafka) -> KernelSettings:
    return settings(kafka_bootstrap_servers=kafka.bootstrap, topic_prefix=f"t{case().hex[-10:]}.")


async def test_they_are_created_once(set_: KernelSettings) -> None:
    made = await ensure_topics(set_, ("testing",))
    assert f"{set_.topic_prefix}testing.dead-letters" in made
    assert len(made) == len(all_topics(("testing",)))
    assert await ensure_topics(set_, ("testing",)) == []


async def test_two_who_create_them_at_once_do_not_fail(set_: KernelSettings) -> None:
    made = await asyncio.gather(*(ensure_topics(set_, ("testing",)) for _ in range(2)))
    assert len(made[0]) + len(made[1]) == len(all_topics(("testing",)))


async def test_a_refusal_is_told(set_: KernelSettings) -> None:
    too_many = set_.model_copy(update={"kafka_replication_factor": 3})
    with pytest.raises(TopicsRefusedError, match=r"preparation\.events: InvalidReplicationFactor"):
        await ensure_topics(too_many, ("testing",))


async def test_a_topic_of_another_shape_is_told(set_: KernelSettings) -> None:
    admin = AIOKafkaAdminClient(**client_options(set_))
    await admin.start()
    name = f"{set_.topic_prefix}site.events"
    await admin.create_topics([NewTopic(name, 3, 1)])
    while name not in await admin.list_topics():
        pass  # known to the controller, and soon to the broker
    await admin.close()
    with pytest.raises(TopicsRefusedError, match=r"site\.events has 3 partitions, not 12"):
        await ensure_topics(set_, ("testing",))


async def test_a_topic_the_broker_did_not_know_for_a_while_is_soon_heard_again(
    set_: KernelSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "METADATA_MS", 200)
    known, lost = (NewTopic(f"{set_.topic_prefix}{name}", 1, 1) for name in ("known", "lost"))
    consumer = clients.consumer(set_, "known", "lost", group=f"{set_.topic_prefix}group")
    async with AsyncExitStack() as stack:
        admin = AIOKafkaAdminClient(**client_options(set_))
        producer = clients.producer(set_, "testing")
        for client, end in ((admin, admin.close), (producer, producer.stop)):
            await client.start()
            stack.push_async_callback(end)
        await admin.create_topics([known, lost])
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        await admin.delete_topics([lost.name])
        while {each.topic for each in consumer.assignment()} != {known.name}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # the client tells nobody
        await admin.create_topics([lost])
        await producer.send_and_wait(lost.name, b"told")
        async with asyncio.timeout(60):
            assert (await consumer.getone()).value == b"told"
