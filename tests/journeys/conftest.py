"""A whole installation of its own for each journey: every process real, on free ports."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from deploy.cli.demo import Endpoints
from deploy.cli.replay import SETTINGS
from deploy.cli.status import gather
from deploy.embedded.plan import DEFAULT_PORTS, ROOMS, Plan
from deploy.embedded.ports import free_ports
from deploy.embedded.processes import tail
from deploy.embedded.stack import Stack
from shared.calendar import TOKYO
from simulation.clock import SimulatedClock
from tests.conftest import JARS


@contextmanager
def started(**settings: str) -> Iterator[Stack]:
    """A house with these settings, stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as folder:
        stack = Stack(Plan.read(Path(folder), {**settings, **own_ports()}))
        try:
            stack.up()
            yield stack
        finally:
            try:
                _tell(stack)
            finally:
                stack.down()


def _tell(stack: Stack) -> None:
    """Print what waits where and how each log ends; pytest shows it where the last test failed."""
    for line in gather(stack.parts):
        print(line)
    for log in (*sorted(stack.plan.home.logs.glob("*.log")), stack.parts.kafka.log):
        print(f"== {log.name}\n{tail(log)}")


def own_ports() -> dict[str, str]:
    """The environment of a house on free ports, with the jars that are there."""
    ports = zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)), strict=True)
    return {
        "MADOGUCHI_CACHE": str(JARS),
        **{f"MADOGUCHI_{name}": str(port) for name, port in ports},
    }


@pytest.fixture(scope="module")
def house() -> Iterator[Stack]:
    """Started under replayed time."""
    with started(MADOGUCHI_CLOCK="replay") as stack:
        asyncio.run(_until_june(stack))
        yield stack


async def _until_june(stack: Stack) -> None:
    """Let the story begin on a day that is ahead and like many others, whatever day it is outside:
    two lots a few days apart then lie in one fiscal year.
    """
    june = datetime(datetime.now(TOKYO).year + 1, 6, 1, 8, tzinfo=TOKYO)
    async with SimulatedClock(stack.settings()) as clock:
        await clock.advance(june)


@pytest.fixture(scope="module")
def replayed() -> Iterator[Stack]:
    """Started as `madoguchi replay` starts it."""
    with started(**SETTINGS) as stack:
        yield stack


@pytest.fixture(scope="module")
def endpoints(house: Stack) -> Endpoints:
    """What the simulation is told of it."""
    apis = {room: house.plan.url(room) for room in ROOMS}
    return Endpoints(apis, house.token, house.settings())
