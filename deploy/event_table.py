"""Who tells what and who hears it, as a page for people: made from the same tables as AsyncAPI."""

from collections.abc import Iterable, Sequence
from inspect import getdoc

from shared.contracts.asyncapi import RoomTables
from shared.contracts.base import Event
from shared.contracts.catalog import EVENTS, topics_of

HEAD = """# Who tells what, and who hears it

Made by `madoguchi contracts write` from the tables in `services/*/events.py`; write nothing
here by hand. An event that nobody tells yet is part of the contracts already, so that rooms can
be built against it.
"""
COLUMNS = "| event | means | told by | heard by |\n|---|---|---|---|\n"


def page(rooms: Sequence[RoomTables]) -> str:
    """The Markdown page: one table per topic, in the order of the catalogue."""
    topics = dict.fromkeys(topic for event in EVENTS for topic in topics_of(event))
    return "\n".join([HEAD, *(_topic(topic, rooms) for topic in topics)])


def _topic(topic: str, rooms: Sequence[RoomTables]) -> str:
    events = [event for event in EVENTS if topic in topics_of(event)]
    lines = (_line(event, topic, rooms) for event in events)
    return f"## `{topic}`\n\n{COLUMNS}{''.join(lines)}"


def _line(event: type[Event], topic: str, rooms: Sequence[RoomTables]) -> str:
    told = _names(room.room for room in rooms if (event, topic) in room.publishes)
    heard = _names(room.room for room in rooms if (event, topic) in room.hears)
    return f"| `{event.type}` | {_meaning(event)} | {told} | {heard} |\n"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "–"


def _meaning(event: type[Event]) -> str:
    """The first paragraph of the model's docstring."""
    return " ".join((getdoc(event) or "").partition("\n\n")[0].split()).replace("``", "`")
