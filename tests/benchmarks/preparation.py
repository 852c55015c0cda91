"""Import rows per second and cards per second through every desk, over HTTP and in bulk.

What stands beside it in the same run: a bare COPY of the same rows into a table like the room's,
without a check, a key per case, an event or an audit entry; the best of three, each right after a
checkpoint, as the imports are. Aims: the import at least 0.03 of the bare COPY with every check on;
1,000 cards/s through all stages in bulk; 100,000 rows in one file in bounded memory; so is what
refuses 200 MB of garbage.

The long file is taken in twice: by one process that does the room's due work, as a consume process
does, beside the one connection of the COPY; and by two. This process is its API and the client that
asks how far it is, and all of them and the database share this machine. CPU per row is what all of
them used, whatever waited for whom.
"""

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx
import psutil
import uvloop
from rich.progress import Progress

from deploy.embedded.postgres import EmbeddedPostgres
from services.preparation.bootstrap import ROOM
from shared.migrate import migrate
from shared.processes.collector import Collector
from simulation.lots import COLUMNS, draw_lot, write_csv
from tests.benchmarks.preparation_room import at_work, room
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
COPIES = 3
PIECE = 1 << 16
SITE = "kawasaki-ward-office"
STEPS = ("inspected", "registry_checked", "preset")
SHIPPED = date(2026, 4, 10)


@dataclass(frozen=True)
class Taken:
    """A file that was taken in: rows per second, and by row the CPU of clients and room and that of
    the database, in microseconds; and the MiB by which the greatest process grew.
    """

    rate: float
    processes: float
    database: float
    grown: float = 0.0

    @classmethod
    def of(cls, seconds: float, processes: float, database: float, grown: float = 0.0) -> Self:
        """From the seconds that all rows took."""
        return cls(ROWS / seconds, processes / ROWS * 1e6, database / ROWS * 1e6, grown)

    @property
    def cpu(self) -> float:
        """All CPU by row, in microseconds."""
        return self.processes + self.database


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
    # The two first: what this process grows by is its greatest size, which stays.
    two = await long_file(postgres, await migrated(postgres, "two"), WORKERS)
    one = await long_file(postgres, await migrated(postgres, "one"), 1)
    bare = await bare_copy(postgres, await migrated(postgres, "bare"))
    steps = await month(await migrated(postgres, "month"))
    imported = MONTH / steps["import"]
    staged = sum(seconds for name, seconds in steps.items() if name != "import")
    return [
        Figure("bare COPY over one connection, the best of three", bare.rate, "rows/s"),
        Figure("  its CPU per row, client and database", bare.cpu, "µs"),
        *figures(one, bare, "1 worker"),
        *figures(two, bare, f"{WORKERS} workers"),
        Figure(f"memory it added to a process, {WORKERS} workers", two.grown, "MiB"),
        Figure("memory that refusing 200 MB of garbage adds", await refused_garbage(), "MiB"),
        Figure(f"{MONTH:,} cards in lots of {LOT:,}", imported, "rows/s", bare.rate),
        Figure("all stages in bulk", MONTH / staged, "cards/s"),
        *(
            Figure(f"  {name}", MONTH / seconds, "cards/s")
            for name, seconds in steps.items()
            if name != "import"
        ),
        Figure("end to end", MONTH / (staged + steps["import"]), "cards/s"),
    ]


def figures(taken: Taken, bare: Taken, by: str) -> list[Figure]:
    """How fast a file was taken in, and what that cost."""
    return [
        Figure(
            f"one file of {ROWS:,} rows in slices, {by}, beside bare COPY",
            taken.rate,
            "rows/s",
            bare.rate,
        ),
        Figure(f"  {by}: CPU per row, API and workers", taken.processes, "µs"),
        Figure(f"  {by}: CPU per row, database", taken.database, "µs"),
        Figure(f"  {by}: CPU per row in all, beside bare COPY's", taken.cpu, "µs", bare.cpu),
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


async def bare_copy(postgres: EmbeddedPostgres, url: str) -> Taken:
    """A COPY of the file into a table with the card's keys."""
    body = lot_file("BARE", ROWS)
    conn = await asyncpg.connect(url)
    await conn.execute(
        "CREATE TABLE bare_card (lot text, row int, card_reference text PRIMARY KEY, ward text,"
        " kind text, applied_on date, shipped_on date, card_expires_on date, birth_date date,"
        " UNIQUE (lot, row))"
    )
    taken = []
    for _ in range(COPIES):
        await conn.execute("TRUNCATE bare_card")
        await conn.execute("CHECKPOINT")
        server, client = database_cpu(postgres), time.process_time()
        started = time.perf_counter()
        await conn.copy_to_table(
            "bare_card", source=pieces(body), columns=list(COLUMNS), format="csv", header=True
        )
        seconds = time.perf_counter() - started
        client = time.process_time() - client
        taken.append(Taken.of(seconds, client, database_cpu(postgres) - server))
    await conn.close()
    return max(taken, key=lambda each: each.rate)


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    """A file as a COPY takes it soonest: from memory, while the server reads what came before."""
    for at in range(0, len(body), PIECE):
        yield body[at : at + PIECE]


async def long_file(postgres: EmbeddedPostgres, url: str, count: int) -> Taken:
    """One long file, taken in by so many workers."""
    body = lot_file("LONG", ROWS)
    await checkpoint(url)
    async with room(url) as (client, _), at_work(url, count) as workers:
        before = peak()
        server, here = database_cpu(postgres), time.process_time()
        workers.start()
        started = time.perf_counter()
        answer = await client.post("/v1/lots", params={"background": True}, content=body)
        path = expect(answer, 202).headers["location"]
        await finished(client, path)
        seconds = time.perf_counter() - started
        here = time.process_time() - here
        server = database_cpu(postgres) - server
        job = expect(await client.get(path), 200).json()
        if (job["state"], job["accepted"]) != ("done", ROWS):
            raise SystemExit(f"the file was not taken in: {job}")
        grown = peak() - before
        spent = await asyncio.to_thread(workers.stop)
    processes = here + sum(each.cpu for each in spent)
    return Taken.of(seconds, processes, server, max(grown, *(each.grown for each in spent)))


async def checkpoint(url: str) -> None:
    """Write what earlier runs left to be written."""
    conn = await asyncpg.connect(url)
    await conn.execute("CHECKPOINT")
    await conn.close()


def database_cpu(postgres: EmbeddedPostgres) -> float:
    """Seconds of CPU that the server has used, its processes that have ended among them."""
    running = postgres.running()
    if running is None:
        raise SystemExit("the database has ended")
    server = psutil.Process(running.pid)
    used = server.cpu_times()
    seconds: float = used.user + used.system + used.children_user + used.children_system
    for child in server.children():
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            seconds += times.user + times.system
    return seconds


async def finished(client: httpx.AsyncClient, path: str) -> None:
    """Wait for the file, with a bar that shows what the API says."""
    with Progress(transient=True) as bar:
        task = bar.add_task("importing", total=ROWS)
        while (job := (await client.get(path)).json())["state"] == "running":
            bar.update(task, completed=job["rows_done"])
            await asyncio.sleep(0.05)


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
