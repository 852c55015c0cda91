"""A client that costs little: requests are bytes made beforehand, answers are counted and timed.

Client, service and database share the machine, so what the client spends is taken from the others;
it does the least that HTTP/1.1 over a kept connection needs.
"""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles

KEPT_SECONDS = 3


@dataclass
class Outcome:
    """What came back: how many of each status, and the milliseconds of each request."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    size: int = 0
    """Bytes of the body of the last answer."""
    example: bytes = b""
    """The body of the last answer that was no success."""

    @property
    def rate(self) -> float:
        """Successes per second."""
        return sum(n for status, n in self.statuses.items() if status < 300) / self.seconds

    @property
    def p50(self) -> float:
        """The median in milliseconds."""
        return quantiles(self.milliseconds, n=100)[49]

    @property
    def p99(self) -> float:
        """The 99th percentile in milliseconds."""
        return quantiles(self.milliseconds, n=100)[98]

    def expect(self, status: int) -> "Outcome":
        """Itself; ends the run where anything else was answered."""
        if set(self.statuses) - {status}:
            raise SystemExit(f"answered {dict(self.statuses)}: {self.example.decode()}")
        return self


def get(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A GET as it goes over the wire."""
    return _head("GET", path, headers or {}) + b"\r\n"


def post(path: str, body: object, headers: Mapping[str, str] | None = None) -> bytes:
    """A POST of JSON as it goes over the wire."""
    content = json.dumps(body).encode()
    fixed = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    return _head("POST", path, {**fixed, **(headers or {})}) + b"\r\n" + content


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n").encode()


async def flat_out(port: int, requests: Sequence[bytes], clients: int) -> Outcome:
    """Send everything over ``clients`` connections, each the next as soon as it has its answer."""
    found, waiting = Outcome(), iter(requests)

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            await _ask(reader, writer, request, time.perf_counter(), found)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    found.seconds = time.perf_counter() - started
    return found


async def at_rate(port: int, requests: Sequence[bytes], per_second: float) -> Outcome:
    """Send everything at a steady rate whatever the answers take; time counts from when a request
    was due, so that a service that stalls cannot hide it.
    """
    found = Outcome()
    free: deque[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = deque()
    started = time.perf_counter()

    async def one(request: bytes, due: float) -> None:
        reader, writer = await _kept(free) or await asyncio.open_connection("127.0.0.1", port)
        await _ask(reader, writer, request, due, found)
        free.append((time.perf_counter(), reader, writer))

    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            due = started + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(request, due))
    found.seconds = time.perf_counter() - started
    for _, _, writer in free:
        writer.close()
    return found


async def _kept(
    free: deque[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]],
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A connection that is free; servers give up those that were not used for five seconds."""
    while free:
        since, reader, writer = free.popleft()
        if time.perf_counter() - since < KEPT_SECONDS:
            return reader, writer
        writer.close()
    return None


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: bytes,
    since: float,
    found: Outcome,
) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    body = await reader.readexactly(int(length))
    status = int(head[9:12])
    found.milliseconds.append(1000 * (time.perf_counter() - since))
    found.statuses[status] += 1
    found.size = len(body)
    if status >= 300:
        found.example = body
