"""Import rows per second and cards per second through every desk, over HTTP and in bulk.

What stands beside it in the same run: a bare COPY of the same rows into a table like the room's,
without a check, a key per case, an event or an audit entry. Aims: the import at least 0.03 of the
bare COPY with every check on; 1,000 cards/s through all stages in bulk; 100,000 rows in one file
in bounded memory; so is what refuses 200 MB of garbage.

The long file is taken in by two processes that do the room's due work, as consume processes do,
while this one is its API; all of them and the database share this machine.
"""

import asyncio
import base64
import io
import multiprocessing
import os
import tempfile
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import uvloop
from pydantic import SecretStr
from rich.progress import Progress

from deploy.embedded.postgres import EmbeddedPostgres
from services.preparation.api import build
from services.preparation.bootstrap import ROOM
from services.preparation.handlers import uploads
from services.preparation.settings import PreparationSettings
from services.preparation.tools import Tools
from shared.clock import SystemClock
from shared.db import Database
from shared.migrate import migrate
from shared.processes.collector import Collector
from shared.room import Resources
from shared.security.principal import EVERY_SITE, Principal, Role
from shared.settings import Doors, KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Units
from simulation.lots import COLUMNS, draw_lot, write_csv
from tests.benchmarks.report import Figure, report
from tests.preparation.served import garbage, peak, rows_of_garbage, sent, served

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
MONTH = int(os.environ.get("BENCH_MONTH", "20959"))
"""Cards of July of FY R7, the city's greatest month (plan, table of demand)."""
GARBAGE = 200 * 1024 * 1024
LOT_HEADER = ",".join(COLUMNS).encode() + b"\r\n"
LOT = 2_000
WORKERS = 2
"""Processes that take slices, as two consume processes do."""
SITE = "kawasaki-ward-office"
STEPS = ("inspected", "registry_checked", "preset")
BOSS = Principal("staff:bench", frozenset({Role.SUPERVISOR}), frozenset({EVERY_SITE}))
KEYS = SecretStr("k1:" + base64.b64encode(bytes(32)).decode())
SHIPPED = date(2026, 4, 10)


async def main() -> None:
    """Run all and report."""
    Collector().start()  # as every process of a room has it
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        await asyncio.to_thread(postgres.start)
        try:
            report("preparation", await measure(postgres))
        finally:
            await asyncio.to_thread(postgres.stop)


async def measure(postgres: EmbeddedPostgres) -> list[Figure]:
    """Copy, import, and take a month of cards through."""
    whole, grown = await long_file(await migrated(postgres, "long"))
    bare = await bare_copy(await migrated(postgres, "bare"))
    steps = await month(await migrated(postgres, "month"))
    imported = MONTH / steps["import"]
    staged = sum(seconds for name, seconds in steps.items() if name != "import")
    return [
        Figure("bare COPY", bare, "rows/s"),
        Figure(
            f"one file of {ROWS:,} rows in slices, {WORKERS} workers, beside bare COPY",
            whole,
            "rows/s",
            bare,
        ),
        Figure("memory it added to a process", grown, "MiB"),
        Figure("memory that refusing 200 MB of garbage adds", await refused_garbage(), "MiB"),
        Figure(f"{MONTH:,} cards in lots of {LOT:,}", imported, "rows/s", bare),
        Figure("all stages in bulk", MONTH / staged, "cards/s"),
        *(
            Figure(f"  {name}", MONTH / seconds, "cards/s")
            for name, seconds in steps.items()
            if name != "import"
        ),
        Figure("end to end", MONTH / (staged + steps["import"]), "cards/s"),
    ]


async def refused_garbage() -> float:
    """MiB by which an API grows while it refuses 200 MB of garbage and 15 MB of rows of it."""
    async with served() as app:
        for body in (garbage(GARBAGE), rows_of_garbage(15 * 1024 * 1024, LOT_HEADER)):
            expect(await sent(app, body), 413)
        return app.grown()


async def migrated(postgres: EmbeddedPostgres, name: str) -> str:
    """The URL of a database of the room."""
    admin = await asyncpg.connect(postgres.url("postgres"))
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    await migrate(postgres.url(name), ROOM.migration_sources)
    return postgres.url(name)


async def bare_copy(url: str) -> float:
    """Rows per second of a COPY of the file into a table with the card's keys."""
    conn = await asyncpg.connect(url)
    await conn.execute(
        "CREATE TABLE bare_card (lot text, row int, card_reference text PRIMARY KEY, ward text,"
        " kind text, applied_on date, shipped_on date, card_expires_on date, birth_date date,"
        " UNIQUE (lot, row))"
    )
    source = io.BytesIO(lot_file("BARE", ROWS))
    started = time.perf_counter()
    await conn.copy_to_table(
        "bare_card", source=source, columns=list(COLUMNS), format="csv", header=True
    )
    seconds = time.perf_counter() - started
    await conn.close()
    return ROWS / seconds


async def long_file(url: str) -> tuple[float, float]:
    """Rows per second of one long file, and the MiB by which the greatest process grew."""
    body = lot_file("LONG", ROWS)
    async with room(url) as (client, _), at_work(url) as workers:
        before = peak()
        workers.start()
        started = time.perf_counter()
        answer = await client.post("/v1/lots", params={"background": True}, content=body)
        path = expect(answer, 202).headers["location"]
        await finished(client, path)
        seconds = time.perf_counter() - started
        job = expect(await client.get(path), 200).json()
        if (job["state"], job["accepted"]) != ("done", ROWS):
            raise SystemExit(f"the file was not taken in: {job}")
        return ROWS / seconds, max(peak() - before, *await asyncio.to_thread(workers.stop))


async def finished(client: httpx.AsyncClient, path: str) -> None:
    """Wait for the file, with a bar that shows what the API says."""
    with Progress(transient=True) as bar:
        task = bar.add_task("importing", total=ROWS)
        while (job := (await client.get(path)).json())["state"] == "running":
            bar.update(task, completed=job["rows_done"])
            await asyncio.sleep(0.05)


class Workers:
    """Processes that do the due work of files, each with a pool and a collector of its own."""

    def __init__(self, url: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._ready = spawn.Barrier(WORKERS + 1)
        self._begin, self._end = spawn.Event(), spawn.Event()
        self._grown = spawn.Queue()
        given = (url, self._ready, self._begin, self._end, self._grown)
        self._all = [
            spawn.Process(target=work_until_told, args=given, daemon=True) for _ in range(WORKERS)
        ]
        for each in self._all:
            each.start()
        self._ready.wait()

    def start(self) -> None:
        """Let them look for work."""
        self._begin.set()

    def stop(self) -> list[float]:
        """End them; the MiB by which each grew."""
        self._begin.set()
        self._end.set()
        grown = [self._grown.get(timeout=60) for _ in self._all]
        for each in self._all:
            each.join()
        return grown


@asynccontextmanager
async def at_work(url: str) -> AsyncIterator[Workers]:
    """Workers that have started and wait to begin."""
    yield await asyncio.to_thread(Workers, url)


def work_until_told(url: str, ready: Any, begin: Any, end: Any, grown: Any) -> None:
    """One worker: what a consume process does of long files."""
    Collector().start()
    uvloop.run(_work(url, ready, begin, end, grown))


async def _work(url: str, ready: Any, begin: Any, end: Any, grown: Any) -> None:
    async with room(url) as (_, resources):
        tools = Tools.read(resources.settings, resources.doors, PreparationSettings())
        take = uploads.work(tools)
        ready.wait()
        before = peak()
        await asyncio.to_thread(begin.wait)
        while not end.is_set():
            async with resources.units.begin(Principal.system("preparation")) as unit:
                done = await take(unit)
            await asyncio.sleep(0 if done else 0.05)
        grown.put(peak() - before)


async def month(url: str) -> dict[str, float]:
    """Seconds of each step for a month of cards, lot by lot through the bulk API."""
    sizes = [min(LOT, MONTH - first) for first in range(0, MONTH, LOT)]
    lots = {f"M{number:04d}": size for number, size in enumerate(sizes)}
    files = {lot: lot_file(lot, size) for lot, size in lots.items()}
    steps: dict[str, float] = {}
    async with room(url) as (client, _):
        started = time.perf_counter()
        for body in files.values():
            expect(await client.post("/v1/lots", content=body), 201)
        steps["import"] = time.perf_counter() - started
        for step in STEPS:
            steps[step] = await bulk(client, f"/v1/stages/{step}", lots, {})
        steps["shelved"] = await bulk(client, "/v1/stages/shelved", lots, {"site_id": SITE})
        steps["notified"] = await bulk(client, "/v1/notices", lots, {}, 201)
        page = expect(await client.get("/v1/lots", params={"limit": 100}), 200).json()
        if sum(lot["stages"].get("notified", 0) for lot in page["items"]) != MONTH:
            raise SystemExit("not every card was notified")
    return steps


async def bulk(
    client: httpx.AsyncClient,
    path: str,
    lots: dict[str, int],
    extra: dict[str, Any],
    code: int = 200,
) -> float:
    """Seconds of one step for all lots."""
    started = time.perf_counter()
    for lot, size in lots.items():
        headers = {"Idempotency-Key": f"{path} {lot}"}
        answer = await client.post(path, json={"lot_id": lot, **extra}, headers=headers)
        if expect(answer, code).json()["done"] != size:
            raise SystemExit(f"{path}: not every card went")
    return time.perf_counter() - started


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


def lot_file(lot: str, cards: int) -> bytes:
    """A lot file of invented cards, drawn by another process: this one's memory is measured."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as drawing:
        return drawing.submit(_drawn, lot, cards).result()


def _drawn(lot: str, cards: int) -> bytes:
    return write_csv(draw_lot(lot, cards, SHIPPED))


def expect(answer: httpx.Response, status: int) -> httpx.Response:
    """The answer; ends the run where it is another."""
    if answer.status_code != status:
        raise SystemExit(f"answered {answer.status_code}: {answer.text[:500]}")
    return answer


if __name__ == "__main__":
    uvloop.run(main())
