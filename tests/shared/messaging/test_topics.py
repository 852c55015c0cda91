"""Topics are there with their shape afterwards, or whoever asked is told why not."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.embedded.kafka import EmbeddedKafka
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
