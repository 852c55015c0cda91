"""A room as the kernel sees it, and its processes: ``api | consume | relay | migrate``.

This is the only wiring of a process. Everything is opened here, handed down, and closed here.
"""

import argparse
import asyncio
import importlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from shared import migrate as migrations
from shared.clock import Clock, ReplayClock, SystemClock
from shared.contracts.base import Event
from shared.db import Database
from shared.messaging.subscriptions import Subscription
from shared.settings import Doors, KernelSettings, doors
from shared.telemetry.metrics import Metrics
from shared.unit import Units

ROLES = ("api", "consume", "relay", "migrate")


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


@dataclass(frozen=True)
class Resources:
    """What a process of a room holds open."""

    room: str
    settings: KernelSettings
    doors: Doors
    database: Database
    units: Units
    clock: Clock
    metrics: Metrics
