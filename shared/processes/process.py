"""One process of a room: everything is opened here, handed down, and closed here.

A process starts whatever is missing around it; ``/readyz`` says what it waits for.
"""

import asyncio
import itertools
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import uvloop

from shared import migrate as migrations
from shared.clock import Clock, ReplayClock, SystemClock
from shared.db import Database
from shared.http.ops import Check, NotReadyError, findings
from shared.processes.collector import Collector
from shared.room import Resources, Room
from shared.security.principal import Principal
from shared.settings import Doors, KernelSettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import configure_tracing
from shared.unit import Units

Work = Coroutine[Any, Any, None]
log = logging.getLogger(__name__)


def run(room: Room, role: str, settings: KernelSettings, doors: Doors) -> None:
    """Run a role until SIGTERM or SIGINT."""
    uvloop.run(_run(room, role, settings, doors))


async def _run(room: Room, role: str, settings: KernelSettings, doors: Doors) -> None:
    async with AsyncExitStack() as stack:
        tracing = configure_tracing(
            service=room.name,
            role=role,
            endpoint=settings.otlp_endpoint,
            ratio=settings.trace_ratio,
        )
        stack.callback(tracing.close)
        resources = await open_resources(stack, room, role, settings, doors)
        follows = []
        if isinstance(resources.clock, ReplayClock):
            from shared.messaging.clock_follower import ClockFollower  # noqa: PLC0415

            follower = ClockFollower(resources.clock, settings)
            follows.append(follower.run())
            resources = replace(resources, checks={**resources.checks, "clock": follower.known})
        works = await import_module(f"shared.processes.{role}").works(stack, room, resources)
        works += follows
        collector = Collector()
        collector.start()
        stack.callback(collector.stop)
        works.append(collector.run())
        log.info("started")
        await until_stopped(works)
        log.info("stopped")


async def open_resources(
    stack: AsyncExitStack, room: Room, role: str, settings: KernelSettings, doors: Doors
) -> Resources:
    """Open what every process of ``room`` needs; closed by ``stack``."""
    database = await Database.connect(
        doors.database_url,
        application=f"madoguchi-{room.name}-{role}",
        max_size=settings.database_pool_size,
        planned_once=room.planned_once and role == "api",
    )
    stack.push_async_callback(database.close)
    clock: Clock = ReplayClock() if settings.clock == "replay" else SystemClock()
    metrics = Metrics(service=room.name, role=role)
    metrics.business_time.set_function(lambda: clock.now().timestamp())
    return Resources(
        room=room.name,
        units=Units(database, room=room.name, source=settings.source(room.name), clock=clock),
        authenticate=_nobody,
        metrics=metrics,
        checks=_database_checks(room, database),
        cors_origins=settings.cors_origins,
        body_limit=settings.body_limit_mib * 1024 * 1024,
        answers_kept=timedelta(hours=settings.idempotency_hours),
        settings=settings,
        doors=doors,
        database=database,
        clock=clock,
    )


async def until_stopped(works: Sequence[Work]) -> None:
    """Run ``works`` side by side until SIGTERM or SIGINT, or until one fails, which is raised.

    Raises ``RuntimeError`` when one ends by itself: none has an end, and nobody would notice.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(work) for work in works]
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiting):
        task.cancel()
    ended = await asyncio.gather(*tasks, waiting, return_exceptions=True)
    for task in done - {waiting}:
        task.result()
        raise RuntimeError("a part of the process ended by itself")
    for error in ended:
        if isinstance(error, Exception):
            log.error("failed while stopping: %s", type(error).__name__, exc_info=error)


async def after(checks: Mapping[str, Check], work: Callable[[], Awaitable[None]]) -> None:
    """Begin ``work`` once nothing is missing; say now and then what is."""
    for round_ in itertools.count():
        found = await findings(checks)
        missing = {name: finding.why for name, finding in found.items() if not finding.ok}
        if not missing:
            break
        if round_ % 20 == 0:
            log.info("waiting: %s", missing)
        await asyncio.sleep(0.5)
    await work()


def _database_checks(room: Room, database: Database) -> dict[str, Check]:
    async def migrated() -> None:
        async with database.reader() as conn:
            missing = await migrations.pending(conn, room.migration_sources)
        if missing:
            raise NotReadyError(f"not applied yet: {', '.join(missing)}")

    return {"postgresql": database.ping, "migrations": migrated}


async def _nobody(_: str | None) -> Principal:
    raise PermissionError("this process serves no callers")
