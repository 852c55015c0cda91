"""Complete visits per second (``visits``), and how late a waiting-room board is, with hundreds of
listeners.

Everything runs on this machine: the clerk, the listeners, the api process, PostgreSQL (fsync and
synchronous_commit on). A delay runs from the moment the clerk sends the command that changes the
queue (a ticket is drawn: role, site, rules, idempotency, audit, commit) to the moment at which a
listener has read the board with it. The baseline of the same run is a bare service that tells the
same text to as many listeners, with no database behind it; rounds of both take turns.
"""

import asyncio
import base64
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import asyncpg
import httpx
import uvloop
from rich.progress import Progress

from deploy.embedded.issuer import sign
from deploy.embedded.ports import free_ports
from deploy.embedded.postgres import EmbeddedPostgres
from services.issuance.bootstrap import ROOM
from shared.ids import new_id
from shared.migrate import migrate
from shared.security.principal import Role
from tests.benchmarks import visits
from tests.benchmarks.listeners import Listeners, listeners
from tests.benchmarks.parts import serve
from tests.benchmarks.report import Figure, report
from tests.reservation.support import signing_key

LISTENERS = int(os.environ.get("BENCH_LISTENERS", "500"))
CHANGES = int(os.environ.get("BENCH_CHANGES", "60"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
WAITING, COUNTERS = 30, 8
PAUSE = 0.3
"""Seconds between two changes; a site with eight counters has one every minute or two."""

SITE = "kawasaki-ward-office"


@dataclass
class Room:
    """The running room, and a clerk with a token."""

    port: int
    bare: int
    http: httpx.AsyncClient
    parts: visits.Parts

    async def post(self, path: str, body: object = None) -> dict[str, Any]:
        """The answer; ends the run where it is refused."""
        headers = {"Idempotency-Key": str(new_id())}
        answer = await self.http.post(path, json=body, headers=headers)
        if answer.status_code >= 300:
            raise SystemExit(f"{path} answered {answer.status_code}: {answer.text}")
        found: dict[str, Any] = answer.json()
        return found

    async def draw(self) -> dict[str, Any]:
        """A ticket for a question."""
        return await self.post("/v1/tickets", {"site_id": SITE, "purpose": "question"})


@dataclass
class Delays:
    """Milliseconds from the command, and from its answer, to each listener."""

    from_command: list[float]
    from_answer: list[float]


async def main() -> None:
    """Run all and report."""
    ours, bare = Delays([], []), Delays([], [])
    async with room() as running:
        with Progress(transient=True) as bar:
            task = bar.add_task("serving visits", total=3 * ROUNDS)
            served = await visits.measure(running.parts, ROUNDS, lambda: bar.advance(task))
        await _fill(running)
        with Progress(transient=True) as bar:
            task = bar.add_task("telling boards", total=2 * ROUNDS)
            for _ in range(ROUNDS):
                await _round(running, ours)
                bar.advance(task)
                await _bare_round(running, bare)
                bar.advance(task)
    name = f"board, {LISTENERS} listeners"
    report(
        "issuance",
        [
            *served,
            Figure(f"{name}: p50 from command to listener", *_pair(ours, bare, 49)),
            Figure(f"{name}: p99 from command to listener", *_pair(ours, bare, 98)),
            Figure(f"{name}: p99 from answer to listener", _at(ours.from_answer, 98), "ms"),
            Figure(f"{name}: slowest of {len(ours.from_command):,}", max(ours.from_command), "ms"),
        ],
    )


def _pair(ours: Delays, bare: Delays, percent: int) -> tuple[float, str, float]:
    return _at(ours.from_command, percent), "ms", _at(bare.from_command, percent)


def _at(delays: list[float], percent: int) -> float:
    return quantiles(delays, n=100)[percent]


async def _fill(running: Room) -> None:
    """A waiting room as at noon: every counter serves, many wait."""
    for number in range(1, COUNTERS + 1):
        await running.post(f"/v1/counters/{SITE}/{number}:open", {"purposes": ["question"]})
    for _ in range(WAITING + COUNTERS):
        await running.draw()
    for number in range(1, COUNTERS + 1):
        await running.post(f"/v1/counters/{SITE}/{number}:next")


async def _round(running: Room, delays: Delays) -> None:
    """Tickets drawn, each told to all; each then leaves again, so that the room stays as full."""
    async with listeners(LISTENERS, running.port, f"/v1/board?site_id={SITE}") as boards:
        last = (await running.draw())["ticket"]
        for _ in range(CHANGES):
            await asyncio.sleep(PAUSE)
            last = f"C{int(last[1:]) + 1:03d}"
            boards.await_(f'"{last}"'.encode())
            started = perf_counter()
            visit = await running.draw()
            answered = perf_counter()
            if visit["ticket"] != last:
                raise SystemExit(f"expected {last}, drew {visit['ticket']}")
            await _note(boards, delays, started, answered)
            await asyncio.sleep(PAUSE)
            await running.post(f"/v1/tickets/{visit['visit_id']}:leave")


async def _bare_round(running: Room, delays: Delays) -> None:
    text = json.dumps([{"ticket": f"C{n:03d}", "minutes": n} for n in range(WAITING)])
    async with listeners(LISTENERS, running.bare, "/board") as boards:
        for _ in range(CHANGES):
            await asyncio.sleep(PAUSE)
            mark = str(new_id()).encode()
            boards.await_(mark)
            started = perf_counter()
            await running.http.post(
                f"http://127.0.0.1:{running.bare}/tell", content=text.encode() + mark
            )
            await _note(boards, delays, started, perf_counter())


async def _note(boards: Listeners, delays: Delays, started: float, answered: float) -> None:
    await asyncio.wait_for(boards.all_seen.wait(), 30)
    delays.from_command += [1000 * (at - started) for at in boards.seen.values()]
    delays.from_answer += [1000 * (at - answered) for at in boards.seen.values()]


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    """The api process over a database of its own, an issuer, and the bare service beside."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="madoguchi-bench-")))
        postgres = EmbeddedPostgres(folder / "postgres")
        server = await asyncio.to_thread(postgres.start)
        stack.callback(postgres.stop)
        url, keys = await _database(postgres), signing_key(folder)
        api, bare, issuer = free_ports(3)
        address = f"http://127.0.0.1:{issuer}"
        names = ["--keys", str(keys), "--port", str(issuer), "--issuer", address]
        await serve(stack, ["deploy.embedded.issuer", *names], {}, issuer)
        served = await serve(
            stack, ["services.issuance", "api"], _environment(url, api, address), api
        )
        options = ["--port", str(bare), "--log-level", "warning", "--no-access-log"]
        await serve(stack, ["uvicorn", "tests.benchmarks.bare_board:app", *options], {}, bare)
        token = sign(keys, address, subject="bench", roles=[Role.CLERK], sites=[SITE])
        client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{api}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        pids = (served, server.pid)
        yield Room(
            api,
            bare,
            await stack.enter_async_context(client),
            visits.Parts(url, api, bare, token, pids),
        )


async def _database(postgres: EmbeddedPostgres) -> str:
    conn = await asyncpg.connect(postgres.url("postgres"))
    await conn.execute("CREATE DATABASE issuance")
    await conn.close()
    url = postgres.url("issuance")
    await migrate(url, ROOM.migration_sources)
    return url


def _environment(url: str, port: int, issuer: str) -> Mapping[str, str]:
    return {
        "MADOGUCHI_ISSUANCE_DATABASE_URL": url,
        "MADOGUCHI_ISSUANCE_API_PORT": str(port),
        "MADOGUCHI_ISSUANCE_CONSUME_PORT": "1",
        "MADOGUCHI_ISSUANCE_RELAY_PORT": "1",
        "MADOGUCHI_NOTICE_KEYS": "n1:" + base64.b64encode(bytes([1]) * 32).decode(),
        "MADOGUCHI_OIDC_ISSUER": issuer,
        "MADOGUCHI_LOG_LEVEL": "WARNING",
    }


if __name__ == "__main__":
    uvloop.run(main())
