"""A room as the kernel sees it, and its processes: ``api | consume | relay | migrate``.

This is the only wiring of a process: everything is opened here, handed down, and closed here.
A process starts whatever is missing around it; ``/readyz`` says what it waits for.
"""

import argparse
import asyncio
import itertools
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import uvloop

from shared import migrate as migrations
from shared.clock import Clock, ReplayClock, SystemClock
from shared.contracts.base import Event
from shared.db import Database
from shared.http import resources as http_resources
from shared.http.ops import Check, NotReadyError, findings, serve_ops
from shared.http.server import serve
from shared.messaging.clock_follower import ClockFollower
from shared.messaging.consumer import Consumer
from shared.messaging.kafka import reach
from shared.messaging.processing import Processor
from shared.messaging.relay import Relay
from shared.messaging.retrier import Retrier
from shared.messaging.subscriptions import Subscription
from shared.security.checkpoints import AuditSigner, CheckpointStore
from shared.security.my_number import mask_my_numbers
from shared.security.sealer import Sealer
from shared.settings import Doors, KernelSettings, doors
from shared.telemetry.logs import configure_logging
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import configure_tracing
from shared.unit import Units

ROLES = ("api", "consume", "relay", "migrate")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Room:
    """What makes a room: its name, its tables of events, its migrations, and where its API is.

    ``api`` is ``module:function`` and is imported by the api process alone, so that consumers
    and relays start without a web framework.
    """

    name: str
    migrations: Path
    publishes: Sequence[type[Event]]
    subscribes: Sequence[Subscription]
    api: str

    @property
    def migration_sources(self) -> list[tuple[str, Path]]:
        """The kernel's migrations, then the room's."""
        return [("kernel", migrations.KERNEL), (self.name, self.migrations)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources(http_resources.Resources):
    """What a process of a room holds open; its HTTP part is what the room's app needs."""

    settings: KernelSettings
    doors: Doors
    database: Database
    clock: Clock


def main(room: Room) -> None:
    """The command ``python -m services.<room> api|consume|relay|migrate``."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{room.name}")
    parser.add_argument("role", choices=ROLES, help="what this process does")
    role = parser.parse_args().role
    settings = KernelSettings()
    own_doors = doors(room.name)
    configure_logging(service=room.name, role=role, level=settings.log_level, mask=mask_my_numbers)
    if role == "migrate":
        applied = asyncio.run(migrations.migrate(own_doors.database_url, room.migration_sources))
        log.info("applied %d migrations: %s", len(applied), ", ".join(applied) or "up to date")
        return
    uvloop.run(_process(room, role, settings, own_doors))


async def _process(room: Room, role: str, settings: KernelSettings, own_doors: Doors) -> None:
    async with AsyncExitStack() as stack:
        tracing = configure_tracing(
            service=room.name,
            role=role,
            endpoint=settings.otlp_endpoint,
            ratio=settings.trace_ratio,
        )
        stack.callback(tracing.close)
        resources = await open_resources(stack, room, role, settings, own_doors)
        works: list[Coroutine[Any, Any, None]] = []
        if isinstance(resources.clock, ReplayClock):
            works.append(ClockFollower(resources.clock, settings).run())
        match role:
            case "api":
                works += await _api(stack, room, resources)
            case "consume":
                works += _consume(room, resources)
            case _:
                works += _relay(room, resources)
        log.info("started")
        await until_stopped(works)
        log.info("stopped")


async def open_resources(
    stack: AsyncExitStack, room: Room, role: str, settings: KernelSettings, own_doors: Doors
) -> Resources:
    """Open what every process of ``room`` needs; closed by ``stack``. Also used by tests."""
    database = await Database.connect(
        own_doors.database_url,
        application=f"madoguchi-{room.name}-{role}",
        max_size=settings.database_pool_size,
    )
    stack.push_async_callback(database.close)
    clock: Clock = ReplayClock() if settings.clock == "replay" else SystemClock()
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=5))
    verifier = _verifier(settings, http) if role == "api" else None
    metrics = Metrics(service=room.name, role=role)
    metrics.business_time.set_function(lambda: clock.now().timestamp())
    return Resources(
        room=room.name,
        units=Units(database, room=room.name, source=settings.source(room.name), clock=clock),
        authenticate=verifier.authenticate if verifier else _nobody,
        metrics=metrics,
        checks=_database_checks(room, database),
        cors_origins=settings.cors_origins,
        settings=settings,
        doors=own_doors,
        database=database,
        clock=clock,
    )


async def until_stopped(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run ``works`` side by side until SIGTERM or SIGINT, or until one fails, which is raised."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(work) for work in works]
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, waiting):
        task.cancel()
    await asyncio.gather(*tasks, waiting, return_exceptions=True)
    for task in done:
        task.result()


def _verifier(settings: KernelSettings, http: httpx.AsyncClient) -> Any:
    # Imported here: consumers and relays verify no tokens and can save the cryptography.
    from shared.security.citizen_tokens import CitizenKeys  # noqa: PLC0415
    from shared.security.jwks import FixedKeys  # noqa: PLC0415
    from shared.security.oidc import token_verifier  # noqa: PLC0415

    signing = settings.citizen_signing_key_file
    own = FixedKeys(CitizenKeys.read(signing).document()) if signing else None
    return token_verifier(settings, http, citizen_keys=own)


async def _nobody(_: str | None) -> Any:
    raise PermissionError("this process serves no callers")


def _database_checks(room: Room, database: Database) -> dict[str, Check]:
    async def migrated() -> None:
        async with database.reader() as conn:
            missing = await migrations.pending(conn, room.migration_sources)
        if missing:
            raise NotReadyError(f"not applied yet: {', '.join(missing)}")

    return {"postgresql": database.ping, "migrations": migrated}


async def _api(
    stack: AsyncExitStack, room: Room, resources: Resources
) -> list[Coroutine[Any, Any, None]]:
    module, _, function = room.api.partition(":")
    app = getattr(import_module(module), function)(resources)
    return [serve(app, host=resources.settings.host, port=resources.doors.api_port)]


def _consume(room: Room, resources: Resources) -> list[Coroutine[Any, Any, None]]:
    settings, metrics = resources.settings, resources.metrics
    processor = Processor(
        room.name,
        resources.units,
        room.subscribes,
        metrics=metrics,
        topic_prefix=settings.topic_prefix,
    )
    consumer = Consumer(processor, settings, metrics)
    retrier = Retrier(processor, settings, metrics)
    checks = {**resources.checks, "kafka": _connected(consumer, settings)}
    return [
        serve_ops(settings.host, resources.doors.consume_port, checks, metrics),
        _after(resources.checks, consumer.run),
        _after(resources.checks, retrier.run),
    ]


def _relay(room: Room, resources: Resources) -> list[Coroutine[Any, Any, None]]:
    settings, metrics = resources.settings, resources.metrics
    relay = Relay(room.name, resources.doors.database_url, settings, metrics)
    checks = {**resources.checks, "kafka": _connected(relay, settings)}
    return [
        serve_ops(settings.host, resources.doors.relay_port, checks, metrics),
        _after(resources.checks, relay.run),
        _after(resources.checks, _sealer(room, resources).run),
    ]


def _sealer(room: Room, resources: Resources) -> Sealer:
    settings = resources.settings
    audit_url, key_file = settings.audit_database_url, settings.audit_signing_key_file
    if audit_url is None or key_file is None:
        log.warning("no audit checkpoints: audit_database_url or audit_signing_key_file is not set")
    return Sealer(
        resources.doors.database_url,
        checkpoints=CheckpointStore(audit_url, settings.source(room.name)) if audit_url else None,
        signer=AuditSigner.read(key_file) if key_file else None,
    )


def _connected(client: Consumer | Relay, settings: KernelSettings) -> Check:
    async def connected() -> None:
        await reach(settings)
        if not client.connected:
            raise NotReadyError("not connected")

    return connected


async def _after(checks: Mapping[str, Check], work: Callable[[], Awaitable[None]]) -> None:
    """Begin ``work`` once the database is there and migrated; say now and then what is missing."""
    for round_ in itertools.count():
        found = await findings(checks)
        missing = {name: finding.why for name, finding in found.items() if not finding.ok}
        if not missing:
            break
        if round_ % 20 == 0:
            log.info("waiting: %s", missing)
        await asyncio.sleep(0.5)
    await work()
