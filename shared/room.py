"""A room as the kernel sees it, and the command that starts its processes."""

import argparse
import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from shared import migrate as migrations
from shared.clock import Clock
from shared.contracts.base import Event
from shared.db import Database
from shared.http import resources as http_resources
from shared.messaging.subscriptions import Subscription
from shared.security.my_number import mask_my_numbers
from shared.settings import Doors, KernelSettings, doors, unusable
from shared.telemetry.logs import configure_logging

ROLES = ("api", "consume", "relay", "migrate")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Room:
    """What makes a room: its name, its tables of events, its migrations, and where its API is.

    ``api`` is ``module:function`` and is imported by the api process alone, so that consumers
    and relays start without a web framework. ``due``, if there is any, is the ``module:function``
    that the consume process calls with its resources for the work that becomes due by the clock.
    ``beside``, likewise, gives a coroutine for work that talks to others outside a unit.
    ``planned_once`` is for a room whose api works many short commands: its statements find their
    rows by key and are planned once for a connection (``shared.db``).
    """

    name: str
    migrations: Path
    publishes: Sequence[type[Event]]
    subscribes: Sequence[Subscription]
    api: str
    due: str | None = None
    beside: str | None = None
    planned_once: bool = False

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
    """The command ``python -m services.<room> api|consume|relay|migrate``.

    Ends with 2 where a setting cannot be used, and with 1 where the role failed.
    """
    parser = argparse.ArgumentParser(prog=f"python -m services.{room.name}")
    parser.add_argument("role", choices=ROLES, help="what this process does")
    role = parser.parse_args().role
    try:
        settings = KernelSettings()
    except ValidationError as error:
        parser.exit(2, f"{unusable(error)}\n")
    try:
        own = doors(room.name)
    except ValidationError as error:
        parser.exit(2, f"{unusable(error, f'MADOGUCHI_{room.name.upper()}_')}\n")
    configure_logging(service=room.name, role=role, level=settings.log_level, mask=mask_my_numbers)
    try:
        _run(room, role, settings, own)
    except Exception as error:
        # Logged, not printed: logs withhold what a traceback would quote.
        log.critical("ended by an error: %s", type(error).__name__, exc_info=True)
        raise SystemExit(1) from None


def _run(room: Room, role: str, settings: KernelSettings, own: Doors) -> None:
    if role == "migrate":
        applied = asyncio.run(migrations.migrate(own.database_url, room.migration_sources))
        log.info("applied %d migrations: %s", len(applied), ", ".join(applied) or "up to date")
        return
    # Imported here: migrating needs none of what a process serves with.
    from shared.processes.process import run  # noqa: PLC0415

    run(room, role, settings, own)
