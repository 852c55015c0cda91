"""The room of the benchmark: its app over a database, and processes that do its due work."""

import asyncio
import base64
import multiprocessing
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvloop
from pydantic import SecretStr

from services.preparation.api import build
from services.preparation.handlers import uploads
from services.preparation.settings import PreparationSettings
from services.preparation.tools import Tools
from shared.clock import SystemClock
from shared.db import Database
from shared.processes.collector import Collector
from shared.room import Resources
from shared.security.principal import EVERY_SITE, Principal, Role
from shared.settings import Doors, KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Units
from tests.preparation.served import peak

BOSS = Principal("staff:bench", frozenset({Role.SUPERVISOR}), frozenset({EVERY_SITE}))
KEYS = SecretStr("k1:" + base64.b64encode(bytes(32)).decode())


@dataclass(frozen=True)
class Spent:
    """What a process took since it began: MiB by which it grew, and seconds of CPU."""

    grown: float
    cpu: float


class Workers:
    """Processes that do the due work of files, each with a pool and a collector of its own."""

    def __init__(self, url: str, count: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._ready = spawn.Barrier(count + 1)
        self._begin, self._end = spawn.Event(), spawn.Event()
        self._spent = spawn.Queue()
        given = (url, self._ready, self._begin, self._end, self._spent)
        self._all = [
            spawn.Process(target=work_until_told, args=given, daemon=True) for _ in range(count)
        ]
        for each in self._all:
            each.start()
        self._ready.wait()

    def start(self) -> None:
        """Let them look for work."""
        self._begin.set()

    def stop(self) -> list[Spent]:
        """End them; what each took."""
        self._begin.set()
        self._end.set()
        spent = [self._spent.get(timeout=60) for _ in self._all]
        for each in self._all:
            each.join()
        return spent


@asynccontextmanager
async def at_work(url: str, count: int) -> AsyncIterator[Workers]:
    """Workers that have started and wait to begin."""
    yield await asyncio.to_thread(Workers, url, count)


def work_until_told(url: str, ready: Any, begin: Any, end: Any, spent: Any) -> None:
    """One worker: what a consume process does of long files."""
    Collector().start()
    uvloop.run(_work(url, ready, begin, end, spent))


async def _work(url: str, ready: Any, begin: Any, end: Any, spent: Any) -> None:
    async with room(url) as (_, resources):
        tools = Tools.read(resources.settings, resources.doors, PreparationSettings())
        take = uploads.work(tools)
        ready.wait()
        before, cpu = peak(), time.process_time()
        await asyncio.to_thread(begin.wait)
        while not end.is_set():
            async with resources.units.begin(Principal.system("preparation")) as unit:
                done = await take(unit)
            await asyncio.sleep(0 if done else 0.05)
        spent.put(Spent(peak() - before, time.process_time() - cpu))


@asynccontextmanager
async def room(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, Resources]]:
    """The room's app over its database."""
    database = await Database.connect(url, application="bench", max_size=4)
    clock = SystemClock()
    resources = Resources(
        room="preparation",
        units=Units(database, room="preparation", source="/141305/preparation", clock=clock),
        authenticate=_boss,
        metrics=Metrics(service="preparation", role="bench"),
        settings=KernelSettings(notice_keys=KEYS),
        doors=Doors(database_url=url, api_port=1, consume_port=1, relay_port=1, master_keys=KEYS),
        database=database,
        clock=clock,
    )
    transport = httpx.ASGITransport(build(resources))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://bench", timeout=600
    ) as client:
        yield client, resources
    await database.close()


async def _boss(_: str | None) -> Principal:
    return BOSS
