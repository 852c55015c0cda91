"""`demo`: one lot of cards through the four rooms, with everything real.

Invariant: what the demo started it stops, whatever happens; what ran before goes on running.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from deploy.cli.display import Display, talk
from deploy.cli.house import addresses
from deploy.cli.options import HOME, Data, stack
from deploy.embedded.plan import ROOMS
from deploy.embedded.progress import Progress

if TYPE_CHECKING:
    from deploy.embedded.stack import Stack
    from shared.settings import KernelSettings

TokenMaker = Callable[[Sequence[str], Sequence[str]], str]
Rows = Sequence[Mapping[str, object]]


class Simulation(Protocol):
    """What `simulation.demo` offers."""

    async def run(self, endpoints: "Endpoints", progress: Progress) -> Rows:
        """Send one lot through the rooms; returns the month's table as reporting gives it."""
        ...

    async def live(self, endpoints: "Endpoints") -> None:
        """Let business time pass until cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the simulation finds the city: API base URLs by room, staff tokens by roles and
    sites, and how Kafka is reached. Satisfies `simulation.doors.Endpoints`.
    """

    apis: Mapping[str, str]
    token: TokenMaker
    settings: "KernelSettings"


def demo(data: Data = HOME) -> None:
    """Start what is needed, send a sample lot through, show the month's table, and stay until
    Ctrl-C. With MADOGUCHI_DEMO=once it ends by itself.
    """
    # The story takes days: the rooms follow the time that the simulation tells.
    os.environ["MADOGUCHI_CLOCK"] = "replay"
    house = stack(data)
    with Display() as display:
        started = house.up(display)
    try:
        _show(asyncio.run(_flow(house)))
        for line in addresses(house.plan):
            talk().print(line)
        if os.environ.get("MADOGUCHI_DEMO") != "once":
            talk().print("[bold]Ctrl-C stops everything that was started here.[/]")
            _live_until_interrupted(house)
    finally:
        # A second Ctrl-C must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if started:
            with Display() as display:
                house.stop(started, display)


async def _flow(house: "Stack") -> Rows:
    with Display() as display:
        return await _simulation().run(_endpoints(house), display)


def _simulation() -> Simulation:
    # Loaded late, for it brings the HTTP client.
    return cast(Simulation, import_module("simulation.demo"))


def _endpoints(house: "Stack") -> Endpoints:
    apis = {room: house.plan.url(room) for room in ROOMS}
    return Endpoints(apis, house.token, house.settings())


def _live_until_interrupted(house: "Stack") -> None:
    with suppress(KeyboardInterrupt):
        asyncio.run(_simulation().live(_endpoints(house)))


def _show(rows: Rows) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(*(rows[0] if rows else ()), title="The month as reporting counts it")
    for row in rows:
        table.add_row(*(str(cell) for cell in row.values()))
    Console().print(table)
