"""Topics: their names and shape.

All have the same number of partitions, so that the same key lies in the same partition of each;
all keep their events for ever, so that a read model or a new room can start at offset zero.
``clock.events`` alone has one partition: time has one order.
"""

from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.messaging.kafka import client_options
from shared.settings import KernelSettings

PARTITIONS = 12
EVENT_TOPICS = ("preparation.events", "reservation.events", "site.events", "issuance.events")
CLOCK_TOPIC = "clock.events"


@dataclass(frozen=True)
class Topic:
    """A topic's full name and number of partitions."""

    name: str
    partitions: int


def dead_letter_topic(room: str) -> str:
    """Where a room's consumer reports messages it could not handle (without the prefix)."""
    return f"{room}.dead-letters"


def all_topics(rooms: tuple[str, ...], prefix: str = "") -> list[Topic]:
    """Every topic of an installation with these rooms."""
    names = [*EVENT_TOPICS, *(dead_letter_topic(room) for room in rooms)]
    return [Topic(prefix + name, PARTITIONS) for name in names] + [Topic(prefix + CLOCK_TOPIC, 1)]


async def ensure_topics(settings: KernelSettings, rooms: tuple[str, ...]) -> list[str]:
    """Create the topics that are missing and return their names; existing ones stay as they are.

    Raises ``KafkaConnectionError`` when the broker cannot be reached.
    """
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [t for t in all_topics(rooms, settings.topic_prefix) if t.name not in existing]
        if missing:
            await admin.create_topics([_new(topic, settings) for topic in missing])
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def _new(topic: Topic, settings: KernelSettings) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=settings.kafka_replication_factor,
        topic_configs={"retention.ms": "-1", "cleanup.policy": "delete"},
    )
