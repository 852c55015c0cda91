"""Which room hears which event, and what it does with it: tables, read by consumer and AsyncAPI."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.contracts.base import Event
from shared.messaging.envelope import Message
from shared.unit import Unit

E = TypeVar("E", bound=Event)
Handler = Callable[[Unit, Sequence[Message[E]]], Awaitable[None]]
"""Takes messages of one type, in order per key, in the unit's transaction; set-based SQL."""


@dataclass(frozen=True)
class Subscription:
    """A type heard on some topics, and its handler."""

    event_type: type[Event]
    handler: Handler[Any]
    topics: tuple[str, ...]
    together: str = ""
    """Types that name the same have one handler, which takes what a batch has of them mixed, in
    order per key, in one call: for facts that are merged before they are written."""

    @property
    def group(self) -> str:
        """What its messages are handled as: the type, or what it names."""
        return self.together or self.event_type.type


def on(event_type: type[E], handler: Handler[E], *, topics: tuple[str, ...] = ()) -> Subscription:
    """Hear ``event_type``; name ``topics`` only where the type is published on several.

    Raises ``ValueError`` when neither says on which topic.
    """
    where = topics or ((event_type.topic,) if event_type.topic else ())
    if not where:
        raise ValueError(f"{event_type.type}: name the topics it is heard on")
    return Subscription(event_type, handler, where)


def heard(subscriptions: Iterable[Subscription]) -> dict[tuple[str, str], Subscription]:
    """The subscription of each topic and type.

    Raises ``ValueError`` where types go together whose handlers differ: one would take all.
    """
    table = {(t, one.event_type.type): one for one in subscriptions for t in one.topics}
    handlers: dict[str, Handler[Any]] = {}
    for one in table.values():
        if one.together and handlers.setdefault(one.group, one.handler) != one.handler:
            raise ValueError(f"{one.event_type.type}: {one.together} has another handler")
    return table


def each(handle: Callable[[Unit, Message[E]], Awaitable[None]]) -> Handler[E]:
    """A handler for one message as the special case of a batch: one after the other."""

    async def handler(unit: Unit, messages: Sequence[Message[E]]) -> None:
        for message in messages:
            unit.caused_by(message)
            await handle(unit, message)
        unit.caused_by(None)

    return handler


def waves(
    messages: Sequence[Message[Any]], group_of: Callable[[Message[Any]], str] = lambda m: m.type
) -> Iterator[tuple[str, list[Message[Any]]]]:
    """Split a batch into few groups of one type each, keeping the order within every key.

    Keys have no order among each other, so all keys whose next message is of the same type go
    together: a batch of cases in different stages takes a handful of statements, not hundreds.
    ``group_of`` says which types are handled as one.
    """
    waiting: dict[str, deque[tuple[str, Message[Any]]]] = {}
    for message in messages:
        waiting.setdefault(message.subject, deque()).append((group_of(message), message))
    ready: dict[str, list[str]] = {}
    for subject, queue in waiting.items():
        ready.setdefault(queue[0][0], []).append(subject)
    while ready:
        kind = max(ready, key=lambda each: len(ready[each]))
        group: list[Message[Any]] = []
        for subject in ready.pop(kind):
            queue = waiting[subject]
            while queue and queue[0][0] == kind:
                group.append(queue.popleft()[1])
            if queue:
                ready.setdefault(queue[0][0], []).append(subject)
        yield kind, group
