"""Topics: their names and shape.

All have the same number of partitions, so that the same key lies in the same partition of each;
all keep their events for ever, so that a read model or a new room can start at offset zero.
``clock.events`` alone has one partition: time has one order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.messaging.kafka import client_options
from shared.settings import KernelSettings

PARTITIONS = 12
EVENT_TOPICS = (
    "preparation.events",
    "reservation.events",
    "site.events",
    "issuance.events",
    "reporting.events",
)
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


class TopicsRefusedError(Exception):
    """The broker refused topics, or has one of another shape; the text says which and why."""


async def ensure_topics(settings: KernelSettings, rooms: tuple[str, ...]) -> list[str]:
    """Create the topics that are missing and return their names; existing ones stay as they are.

    Raises ``KafkaConnectionError`` when the broker cannot be reached, ``TopicsRefusedError`` when
    it refuses, or when a topic has not the partitions by which keys find theirs.
    """
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        wanted = all_topics(rooms, settings.topic_prefix)
        existing = set(await admin.list_topics())
        _require_shape(wanted, await admin.describe_topics([t.name for t in wanted]))
        missing = [topic for topic in wanted if topic.name not in existing]
        if not missing:
            return []
        answer = await admin.create_topics([_new(topic, settings) for topic in missing])
        return _created(answer.topic_errors)
    finally:
        await admin.close()


def _created(answers: Iterable[tuple[Any, ...]]) -> list[str]:
    """The names created. One that somebody else has just created is no error."""
    codes = {name: code for name, code, *_ in answers if code != TopicAlreadyExistsError.errno}
    refused = [f"{name}: {for_code(code).__name__}" for name, code in codes.items() if code]
    if refused:
        raise TopicsRefusedError("topics were not created: " + ", ".join(refused))
    return list(codes)


def _require_shape(wanted: Iterable[Topic], described: Iterable[Mapping[str, Any]]) -> None:
    have = {one["topic"]: len(one["partitions"]) for one in described if not one["error_code"]}
    wrong = [
        f"{topic.name} has {have[topic.name]} partitions, not {topic.partitions}"
        for topic in wanted
        if have.get(topic.name, topic.partitions) != topic.partitions
    ]
    if wrong:
        raise TopicsRefusedError("; ".join(wrong))


def _new(topic: Topic, settings: KernelSettings) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=settings.kafka_replication_factor,
        topic_configs={"retention.ms": "-1", "cleanup.policy": "delete"},
    )
