"""`demo`: one lot of cards through the four rooms, then a small city that lives; all of it real.

Invariant: what the demo started it stops, whatever happens; what ran before goes on running. It
has a folder of its own, for its business time is replayed and runs ahead of the calendar.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.cli.display import Display, talk
from deploy.cli.house import addresses
from deploy.cli.interrupt import until_interrupted
from deploy.cli.options import HOME, Data, stack
from deploy.cli.replay_bar import ReplayBar
from deploy.embedded.errors import OperatorError
from deploy.embedded.plan import ROOMS

if TYPE_CHECKING:
    from deploy.embedded.stack import Stack
    from shared.settings import KernelSettings

DEMO_HOME = HOME / "demo"
# The jars of the main installation serve here too.
SETTINGS = {"MADOGUCHI_CLOCK": "replay", "MADOGUCHI_CACHE": str(HOME / "cache")}
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the simulation finds the city: API base URLs by room, staff tokens by roles and
    sites, and how Kafka is reached. Satisfies `simulation.doors.Endpoints`.
    """

    apis: Mapping[str, str]
    token: Callable[[Sequence[str], Sequence[str]], str]
    settings: "KernelSettings"


def demo(data: Data = DEMO_HOME) -> None:
    """Start what is needed, send a lot of cards through and show the month's table; then replay a
    week of a city's demand and let its days pass, 60 times as fast, until Ctrl-C. With
    MADOGUCHI_DEMO=once it ends after the table.
    """
    house = stack(data, **SETTINGS)
    with Display() as display:
        started = house.up(display)
    try:
        _show(asyncio.run(_story(house)))
        for line in addresses(house.plan):
            talk().print(line, soft_wrap=True)
        if os.environ.get("MADOGUCHI_DEMO") != "once":
            asyncio.run(until_interrupted(_live(house), ready=lambda: _invite(data)))
    finally:
        # A second Ctrl-C must not leave half of it running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if started:
            with Display() as display:
                house.stop(started, display)


async def _story(house: "Stack") -> Rows:
    # Loaded late, for they bring the HTTP client.
    from simulation.demo import run  # noqa: PLC0415
    from simulation.doors import RefusedError  # noqa: PLC0415

    try:
        with Display() as display:
            return await run(_endpoints(house), display)
    except (RefusedError, TimeoutError) as error:
        logs = house.plan.home.logs
        raise OperatorError(
            f"The demo could not go on: {error}. The logs are in {logs}.",
            f"デモを続けられませんでした: {error}。ログは {logs} にあります。",
        ) from error


def _invite(data: Path) -> None:
    talk().print(f"Processes: madoguchi status --data {data}")
    talk().print("[bold]Ctrl-C stops everything that was started here.[/]")


async def _live(house: "Stack") -> None:
    """A week of a small city's demand, then its days at 60 times their speed, until Ctrl-C."""
    import httpx  # noqa: PLC0415

    from deploy.cli.replay import House  # noqa: PLC0415
    from simulation.clock import ClockNotFollowedError  # noqa: PLC0415
    from simulation.demo import live as pass_time  # noqa: PLC0415
    from simulation.doors import RefusedError  # noqa: PLC0415
    from simulation.replay.crew import NotTakenError  # noqa: PLC0415
    from simulation.replay.live import live  # noqa: PLC0415

    with ReplayBar() as bar:
        try:
            await live(House.of(house), bar)
        except (
            RefusedError,
            NotTakenError,
            ClockNotFollowedError,
            TimeoutError,
            httpx.HTTPError,
        ) as error:
            said = str(error) or type(error).__name__
            talk().print(f"The city rests: {said}. Business time goes on.", soft_wrap=True)
    await pass_time(_endpoints(house))


def _endpoints(house: "Stack") -> Endpoints:
    apis = {room: house.plan.url(room) for room in ROOMS}
    return Endpoints(apis, house.token, house.settings())


def _show(rows: Rows) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(*(rows[0] if rows else ()), title="The month as reporting counts it")
    for row in rows:
        table.add_row(*(str(cell) for cell in row.values()))
    Console().print(table)
