"""The consume process: the room's consumer, the tries of what failed, and what is due."""

from contextlib import AsyncExitStack
from importlib import import_module
from math import inf

from shared.due import DueLoop
from shared.http.ops import serve_ops
from shared.messaging.consumer import Consumer
from shared.messaging.kafka import connected
from shared.messaging.processing import Processor
from shared.messaging.retrier import Retrier
from shared.processes.process import Work, after
from shared.room import Resources, Room


async def works(_: AsyncExitStack, room: Room, resources: Resources) -> list[Work]:
    """Consume, retry, work what is due, and say how it goes."""
    settings, metrics = resources.settings, resources.metrics
    processor = Processor(
        resources.doors.consumer(room.name),
        resources.units,
        room.subscribes,
        metrics=metrics,
        topic_prefix=settings.topic_prefix,
    )
    consumer = Consumer(processor, settings, metrics)
    checks = {**resources.checks, "kafka": connected(consumer, settings)}
    return [
        serve_ops(settings.host, resources.doors.consume_port, checks, metrics),
        after(resources.checks, consumer.run),
        after(resources.checks, Retrier(processor, settings, metrics).run),
        *_due(room, resources),
        *_beside(room, resources),
    ]


def _due(room: Room, resources: Resources) -> list[Work]:
    if room.due is None:
        resources.metrics.due_through.set(inf)  # nothing here waits for a time
        return []
    module, _, function = room.due.partition(":")
    dues = getattr(import_module(module), function)(resources)
    loop = DueLoop(room.name, resources.units, dues, resources.metrics)
    return [after(resources.checks, loop.run)]


def _beside(room: Room, resources: Resources) -> list[Work]:
    if room.beside is None:
        return []
    module, _, function = room.beside.partition(":")
    work = getattr(import_module(module), function)
    return [after(resources.checks, lambda: work(resources))]
