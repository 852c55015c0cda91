"""The room's app in a process of its own, whose memory can be measured apart from the tests'."""

import asyncio
import multiprocessing
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.embedded.ports import free_port
from services.preparation.api import build
from shared.db import Database
from shared.http.server import serve
from tests.preparation.support import bearer, resources

PIECE = 1 << 16
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Served:
    """Where the app is, and the MiB by which its process has grown since it began to serve."""

    url: str
    grown: Callable[[], float]


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    """The app, with no database behind it: for what is refused before one is asked."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    port = free_port()
    process = spawn.Process(target=_run, args=(port, there), daemon=True)
    process.start()
    try:
        await asyncio.to_thread(here.recv)

        def grown() -> float:
            here.send(None)
            return float(here.recv())

        yield Served(f"http://127.0.0.1:{port}", grown)
    finally:
        process.terminate()
        await asyncio.to_thread(process.join)


async def sent(app: Served, body: Iterator[bytes], **headers: str) -> httpx.Response:
    """What the app answers to a lot file that comes piece by piece."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in body:
            yield piece

    # A server that has refused a body need not read the rest of it: the answer is what counts.
    async with httpx.AsyncClient(base_url=app.url, timeout=300) as client:
        return await client.post("/v1/lots", content=pieces(), headers=bearer(**headers))


def garbage(size: int) -> Iterator[bytes]:
    """``size`` bytes of text that is no table."""
    piece = b"garbage\n" * (PIECE // 8)
    for _ in range(size // PIECE):
        yield piece


def rows_of_garbage(size: int, header: bytes) -> Iterator[bytes]:
    """A good header, then ``size`` bytes of rows that are not."""
    yield header
    piece = b"x\r\n" * (PIECE // 3)
    for _ in range(size // len(piece)):
        yield piece


def _run(port: int, pipe: Any) -> None:
    asyncio.run(_serve(port, pipe))


async def _serve(port: int, pipe: Any) -> None:
    database = await Database.connect("postgresql://127.0.0.1:1/none", application="none")
    task = asyncio.create_task(serve(build(resources(database)), host="127.0.0.1", port=port))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        await _until_it_answers(client)
    before = peak()
    pipe.send(None)
    while not task.done():
        await asyncio.to_thread(pipe.recv)
        pipe.send(peak() - before)


async def _until_it_answers(client: httpx.AsyncClient) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            await client.get("/livez")
        except httpx.TransportError:
            await asyncio.sleep(0.05)
        else:
            return
    raise TimeoutError("the app does not answer")


def peak() -> float:
    """The most memory this process has had, in MiB."""
    if STATUS.exists():  # Linux counts what the parent had into a child's ``ru_maxrss``
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1024 * 1024 if sys.platform == "darwin" else 1024)
