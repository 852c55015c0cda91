"""Complete visits per second: five requests each (check-in, call, identity, PIN, hand-over) over
HTTP, and whole visits in batches; beside a bare echo, in turns. Part of ``bench-issuance``.

A visit leaves all it does in a city: role, site, rules, locks, Idempotency-Key, events in the
outbox, audit. CPU is that of the api process and of PostgreSQL together, per visit; publishing and
sealing are measured apart (``bench-messaging``, ``bench-audit``).
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from uuid import UUID

import asyncpg
import psutil

from shared.ids import new_id
from tests.benchmarks import load
from tests.benchmarks.report import Figure

VISITS = int(os.environ.get("BENCH_VISITS", "400"))
IN_BATCHES = int(os.environ.get("BENCH_BATCHED", "2000"))
ROWS = 500
CLIENTS = 16
SITE = "kawasaki-ward-office"
LICENCE = [{"class": "A", "type": "drivers_licence"}]

_BOOKED = """
WITH b AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS b (case_id, booking_id)
), f AS (
    INSERT INTO case_file (case_id, procedure, kind, ward, site_id, shelf_position, notified,
                           card_expires_on)
    SELECT case_id, 'card_issuance', 'new', '141313', $3, 'A-01', true, '2036-05-01' FROM b
)
INSERT INTO booking (booking_id, case_id, party_id, site_id, starts_at, business_date, minutes,
                     procedure, seat_seq, state, state_seq)
SELECT booking_id, case_id, booking_id, $3, $4, ($4 AT TIME ZONE 'Asia/Tokyo')::date, 20,
       'card_issuance', 1, 'active', 1
FROM b
"""


@dataclass(frozen=True)
class Parts:
    """Where the room and the bare service answer, and what serves the room."""

    url: str
    api: int
    bare: int
    token: str
    pids: Sequence[int]

    def cpu(self) -> float:
        """Seconds of CPU that the room's parts have taken so far."""
        spent = 0.0
        for pid in self.pids:
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                times = process.cpu_times()
                spent += times.user + times.system + times.children_user + times.children_system
        return spent


@dataclass(frozen=True)
class Round:
    """Visits, or echoes, per second, and milliseconds of CPU for each."""

    rate: float
    cpu: float = 0.0


async def measure(parts: Parts, rounds: int, advance: Callable[[], None]) -> list[Figure]:
    """Rounds of all three in turns, and their medians."""
    kinds: dict[str, Callable[[Parts], Awaitable[Round]]] = {
        "echo": _echo,
        "http": _over_http,
        "batch": _in_batches,
    }
    found: dict[str, list[Round]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, kind in kinds.items():
            found[name].append(await kind(parts))
            advance()
    rate = {name: median(one.rate for one in each) for name, each in found.items()}
    cpu = {name: median(one.cpu for one in each) for name, each in found.items()}
    return [
        Figure("visits over HTTP, five requests each", rate["http"], "/s", rate["echo"]),
        Figure("visits in batches of 500", rate["batch"], "/s", rate["echo"]),
        Figure("visits in batches against HTTP", rate["batch"], "/s", rate["http"]),
        Figure("CPU of a visit over HTTP (api and PostgreSQL)", cpu["http"], "ms"),
        Figure("CPU of a visit in a batch (api and PostgreSQL)", cpu["batch"], "ms"),
    ]


async def _echo(parts: Parts) -> Round:
    body = {"site_id": SITE, "booking_id": str(new_id())}
    requests = [load.post("/echo", body)] * (5 * VISITS)
    outcome = (await load.flat_out(parts.bare, requests, CLIENTS)).expect(200)
    return Round(outcome.rate)


async def _over_http(parts: Parts) -> Round:
    waiting = iter(await _booked(parts, VISITS))

    async def clerk() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", parts.api)
        for case_id, booking_id in waiting:
            desk = _Desk(parts, reader, writer)
            visit = await desk.post("/v1/visits", {"site_id": SITE, "booking_id": str(booking_id)})
            path = f"/v1/visits/{visit['visit_id']}"
            await desk.post(f"{path}:call", {"counter": "X1"})
            for step, said in (
                ("identity", {"documents": LICENCE}),
                ("pin-set", {"confirmed": True}),
                ("issue", {}),
            ):
                await desk.post(f"{path}/cases/{case_id}/{step}", said)
        writer.close()

    before, started = parts.cpu(), perf_counter()
    await asyncio.gather(*(clerk() for _ in range(CLIENTS)))
    return _round(parts, VISITS, before, started)


async def _in_batches(parts: Parts) -> Round:
    now = datetime.now(UTC)
    rows = [
        {
            "verb": "serve",
            "site_id": SITE,
            "booking_id": str(booking_id),
            "checked_in_at": (now - timedelta(seconds=3)).isoformat(),
            "called_at": (now - timedelta(seconds=2)).isoformat(),
            "ended_at": (now - timedelta(seconds=1)).isoformat(),
            "counter": "X1",
            "documents": LICENCE,
            "pin_set": True,
        }
        for _, booking_id in await _booked(parts, IN_BATCHES)
    ]
    before, started = parts.cpu(), perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", parts.api)
    for start in range(0, len(rows), ROWS):
        desk = _Desk(parts, reader, writer)
        answer = await desk.post("/v1/visits:batch", {"rows": rows[start : start + ROWS]})
        if answer["refused"]:
            raise SystemExit(f"refused: {answer}")
    writer.close()
    return _round(parts, IN_BATCHES, before, started)


def _round(parts: Parts, visits: int, before: float, started: float) -> Round:
    seconds = perf_counter() - started
    return Round(visits / seconds, 1000 * (parts.cpu() - before) / visits)


@dataclass(frozen=True)
class _Desk:
    """One connection; each request waits for its answer."""

    parts: Parts
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def post(self, path: str, body: object) -> dict[str, object]:
        """The answer's body; ends the run where it is refused."""
        headers = {
            "Authorization": f"Bearer {self.parts.token}",
            "Idempotency-Key": str(new_id()),
        }
        self.writer.write(load.post(path, body, headers))
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        content = await self.reader.readexactly(int(length))
        if int(head[9:12]) >= 300:
            raise SystemExit(f"{path} answered {content.decode()}")
        found: dict[str, object] = json.loads(content)
        return found


async def _booked(parts: Parts, count: int) -> list[tuple[UUID, UUID]]:
    """Cases with cards on the shelf and bookings for now."""
    made = [(new_id(), new_id()) for _ in range(count)]
    conn = await asyncpg.connect(parts.url)
    cases, bookings = [case for case, _ in made], [booking for _, booking in made]
    await conn.execute(_BOOKED, cases, bookings, SITE, datetime.now(UTC))
    await conn.execute("ANALYZE")
    await conn.close()
    return made
