"""A read model: its tables, and the handlers that fill them from the topics and nothing else.

A projection can be built again from offset zero beside the live one, so its handlers touch no
table but its own, and merge what is told by rules that give the same rows in any order and however
often: earliest, latest told, or once per event.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
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
    """What a consumer of all ``projections`` hears: each type once, for every one that wants it.

    Raises ``ValueError`` where two projections hear a type on different topics.
    """
    found: dict[type[Event], list[Subscription]] = {}
    for projection in projections:
        for each in projection.subscriptions:
            found.setdefault(each.event_type, []).append(each)
    return tuple(_joined(group) for group in found.values())


def _joined(group: Sequence[Subscription]) -> Subscription:
    first = group[0]
    if len(group) == 1:
        return first
    if any(set(each.topics) != set(first.topics) for each in group):
        raise ValueError(f"{first.event_type.type} is heard on different topics")
    handlers = tuple(each.handler for each in group)
    return Subscription(first.event_type, partial(_all, handlers), first.topics)


async def _all(
    handlers: tuple[Handler[Any], ...], unit: Unit, messages: Sequence[Message[Any]]
) -> None:
    for handler in handlers:
        await handler(unit, messages)
