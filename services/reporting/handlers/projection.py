"""A read model: its tables, and the handlers that fill them from the topics and nothing else.

A projection can be built again from offset zero beside the live one, so its handlers touch no
table but its own, and merge what is told by rules that give the same rows in any order and however
often: earliest, latest told, or once per event.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contracts.base import Event
from shared.messaging.envelope import Message
from shared.messaging.subscriptions import Handler, Subscription
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Projection:
    """A read model by its name; ``tables`` are all that its handlers write."""

    name: str
    tables: tuple[str, ...]
    subscriptions: tuple[Subscription, ...]


def together(projections: Iterable[Projection]) -> tuple[Subscription, ...]:
    """What a consumer of all ``projections`` hears: each type once, for every one that wants it,
    and all types of a batch at once, so that each handler writes its rows once.

    Raises ``ValueError`` where two projections hear a type on different topics.
    """
    found: dict[type[Event], list[Subscription]] = {}
    for projection in projections:
        for each in projection.subscriptions:
            found.setdefault(each.event_type, []).append(each)
    hears = _Hears({kind: [each.handler for each in group] for kind, group in found.items()})
    return tuple(_joined(group, hears) for group in found.values())


class _Hears:
    """Gives each handler, once, what a batch has of the types that it hears."""

    def __init__(self, handlers: Mapping[type[Event], Sequence[Handler[Any]]]) -> None:
        self._handlers = handlers

    async def __call__(self, unit: Unit, messages: Sequence[Message[Any]]) -> None:
        parts: dict[Handler[Any], list[Message[Any]]] = {}
        for message in messages:
            for handler in self._handlers[type(message.data)]:
                parts.setdefault(handler, []).append(message)
        for handler, part in parts.items():
            await handler(unit, part)


def _joined(group: Sequence[Subscription], hears: _Hears) -> Subscription:
    first = group[0]
    if any(set(each.topics) != set(first.topics) for each in group):
        raise ValueError(f"{first.event_type.type} is heard on different topics")
    return Subscription(first.event_type, hears, first.topics, together="facts")
