"""AsyncAPI 3 for the whole installation, made from what each room says it publishes and hears.

The rooms' tables come in as plain data: the kernel knows no room.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contracts.asyncapi_message import CLOUD_EVENT, Document, message
from shared.contracts.base import Event
from shared.contracts.catalog import topics_of
from shared.contracts.schemas import schema_of

KAFKA_BINDING = "0.5.0"
_HERE = "#/components/schemas/"


@dataclass(frozen=True)
class RoomTables:
    """What one service publishes and hears, each as (event, topic)."""

    room: str
    publishes: tuple[tuple[type[Event], str], ...]
    hears: tuple[tuple[type[Event], str], ...]


@dataclass(frozen=True)
class Installation:
    """What the document is about besides its rooms; ``examples`` are messages by type."""

    title: str
    version: str
    description: str
    partitions: Mapping[str, int]
    examples: Mapping[str, Document]


def document(installation: Installation, rooms: Iterable[RoomTables]) -> Document:
    """The AsyncAPI document of ``installation`` with these ``rooms``.

    Raises ``ValueError`` with every contradiction between the tables.
    """
    rooms = sorted(rooms, key=lambda tables: tables.room)
    if wrong := contradictions(rooms):
        raise ValueError("\n".join(wrong))
    events = sorted({event for event, _ in _places(rooms)}, key=lambda event: event.type)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": installation.title,
            "version": installation.version,
            "description": installation.description,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": _channels(rooms, installation.partitions),
        "operations": dict(_operations(rooms)),
        "components": _components(events, installation.examples),
    }


def contradictions(rooms: Sequence[RoomTables]) -> list[str]:
    """What cannot be true of a set of tables: two publishers of one event, or a wrong topic."""
    publisher: dict[tuple[str, str], str] = {}
    wrong = [
        f"{tables.room} has {event.type} on {topic}, but its topic is {_or(topics_of(event))}."
        for tables in rooms
        for event, topic in (*tables.publishes, *tables.hears)
        if topic not in topics_of(event)
    ]
    for tables in rooms:
        for event, topic in tables.publishes:
            first = publisher.setdefault((event.type, topic), tables.room)
            if first != tables.room:
                wrong.append(
                    f"{event.type} on {topic} is published by {first} and by {tables.room}; "
                    f"take it out of PUBLISHES in one of them."
                )
    return wrong


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)


def _server() -> Document:
    return {
        "host": "{bootstrapServers}",
        "protocol": "kafka",
        "description": "The broker: embedded, or the one the settings name.",
        "variables": {
            "bootstrapServers": {
                "default": "localhost:9392",
                "description": "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS",
            }
        },
    }


def _places(rooms: Iterable[RoomTables]) -> Iterator[tuple[type[Event], str]]:
    for tables in rooms:
        yield from tables.publishes
        yield from tables.hears


def _channels(rooms: Iterable[RoomTables], partitions: Mapping[str, int]) -> Document:
    types: dict[str, set[str]] = {}
    for event, topic in _places(rooms):
        types.setdefault(topic, set()).add(event.type)
    return {topic: _channel(topic, types[topic], partitions[topic]) for topic in sorted(types)}


def _channel(topic: str, types: Iterable[str], partitions: int) -> Document:
    return {
        "address": topic,
        "description": "Kafka topic; a setting may put a prefix before its name. "
        "Keeps its events, in order per key.",
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in sorted(types)},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1},
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _operations(rooms: Iterable[RoomTables]) -> Iterator[tuple[str, Document]]:
    for tables in rooms:
        for action, places in (("send", tables.publishes), ("receive", tables.hears)):
            by_topic: dict[str, set[str]] = {}
            for event, topic in places:
                by_topic.setdefault(topic, set()).add(event.type)
            for topic in sorted(by_topic):
                name = f"{tables.room}.{action}.{topic}"
                yield name, _operation(tables.room, action, topic, sorted(by_topic[topic]))


def _operation(room: str, action: str, topic: str, types: list[str]) -> Document:
    operation: Document = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "summary": f"{room} {'publishes on' if action == 'send' else 'hears'} {topic}.",
        "tags": [{"name": room}],
        "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in types],
    }
    if action == "receive":
        group = {"type": "string", "enum": [room]}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": KAFKA_BINDING}}
    return operation


def _components(events: Iterable[type[Event]], examples: Mapping[str, Document]) -> Document:
    schemas: Document = {"CloudEvent": CLOUD_EVENT}
    messages: Document = {}
    for event in events:
        body = _hoisted(schema_of(event))
        schemas.update(body.pop("$defs", {}))
        schemas[event.type] = {k: v for k, v in body.items() if k not in ("$schema", "$id")}
        messages[event.type] = message(event, examples.get(event.type))
    return {"messages": messages, "schemas": dict(sorted(schemas.items()))}


def _hoisted(node: Any) -> Any:
    """``node`` with its references to ``$defs`` led to the document's own schemas."""
    if isinstance(node, dict):
        return {
            key: value.replace("#/$defs/", _HERE) if key == "$ref" else _hoisted(value)
            for key, value in node.items()
        }
    return [_hoisted(item) for item in node] if isinstance(node, list) else node
