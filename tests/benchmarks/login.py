"""Can the time of an answer tell whether a notice number exists? Medians of failed logins by kind.

One caller, one request after another, as somebody would measure who wants to know. The kinds take
turns, each round in another order, so that whatever else the machine does falls on all alike. Aim:
medians over 1,000 tries within 5 % of each other; the baseline is one kind against itself. Among
200,000 cases, over HTTP, with fsync on.
"""

import asyncio
import base64
import json
import os
import random
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Self

import asyncpg
import uvloop
from rich.progress import Progress

from deploy.embedded.ports import free_port
from deploy.embedded.postgres import EmbeddedPostgres
from services.reservation.bootstrap import ROOM
from shared.ids import new_id
from shared.migrate import migrate
from tests.benchmarks import load
from tests.benchmarks.parts import serve
from tests.benchmarks.report import Figure, report
from tests.reservation.support import BIRTH_DATE, INDEX, MASTERS, SITE, WARD, signing_key

TRIES = int(os.environ.get("BENCH_TRIES", "1000"))
CASES = int(os.environ.get("BENCH_CASES", "200000"))
RIGHT, WRONG = BIRTH_DATE, date(1990, 2, 4)
NOTICE = {
    "unknown number": ("U", WRONG),
    "wrong birth date": ("K", WRONG),
    "wrong birth date of an ended case": ("E", WRONG),
    "notice that another has replaced": ("R", RIGHT),
}
"""Kinds of failed login: how their numbers begin, and the date that is typed."""
ADMITTED = "right (not a failure)"
AGAIN = "another unknown number"
"""Measured apart from the first, to see how far medians of the very same thing lie apart here."""

_CASES = """
INSERT INTO case_facts (case_id, ward, card_site_id, notice_seq, number_key, login_key, key_id,
                        pickup_deadline, card_expires_on, done_at)
SELECT id, $2, $3, 1, number, login, 'n1', '2099-01-01', '2099-01-01', done
FROM unnest($1::uuid[], $4::text[], $5::text[], $6::timestamptz[]) AS c(id, number, login, done)
"""
_OTHERS = """
INSERT INTO case_facts (case_id, ward, card_site_id, notice_seq, number_key, login_key, key_id,
                        pickup_deadline, card_expires_on)
SELECT gen_random_uuid(), $1, $2, 1, md5(n::text), md5('login' || n), 'n1', '2099-01-01',
       '2099-01-01'
FROM generate_series(1, $3::int) AS n
"""


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer."""

    status: int
    body: bytes


class Client:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> Answer:
        """Send one request and wait for its answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return Answer(int(head[9:12]), await self._reader.readexactly(int(length)))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def main() -> None:
    """Run all and report."""
    async with city() as port:
        times = await measure(port)
    failures = {kind: median(times[kind]) for kind in NOTICE}
    same = {kind: median(times[kind]) for kind in ("unknown number", AGAIN)}
    email = {kind: median(times[kind]) for kind in (EMAIL_UNKNOWN, EMAIL_WRONG)}
    asked = {kind: median(times[kind]) for kind in (ASKED_UNKNOWN, ASKED_KNOWN)}
    figures = []
    for group in (failures, email, asked):
        middle = median(group.values())
        figures += [Figure(f"{kind}: median", took, "ms", middle) for kind, took in group.items()]
    figures.append(Figure(f"{ADMITTED}: median", median(times[ADMITTED]), "ms"))
    figures += [
        Figure("failed logins: medians apart (aim 5)", apart(failures), "%", apart(same)),
        Figure("failed logins by e-mail: medians apart", apart(email), "%"),
        Figure("asking for a code: medians apart", apart(asked), "%"),
    ]
    report("login", figures)


def apart(medians: Mapping[str, float]) -> float:
    """By how many percent the slowest lies above the fastest."""
    return 100 * (max(medians.values()) / min(medians.values()) - 1)


EMAIL_UNKNOWN, EMAIL_WRONG = "unknown request", "wrong code"
ASKED_UNKNOWN, ASKED_KNOWN = "code for an unknown address", "code for a known address"


async def measure(port: int) -> Mapping[str, Sequence[float]]:
    """Milliseconds of every try by its kind."""
    waiting = await _requests(port)
    times: dict[str, list[float]] = {kind: [] for kind in waiting}
    turns = list(_turns(list(waiting)))
    client = await Client.open(port)
    with Progress(transient=True) as bar:
        task = bar.add_task("logging in", total=len(turns))
        for kind in turns:
            request, status = next(waiting[kind])
            started = perf_counter()
            answer = await client.ask(request)
            times[kind].append(1000 * (perf_counter() - started))
            if answer.status != status:
                raise SystemExit(f"{kind}: {answer.status} {answer.body.decode()}")
            bar.advance(task)
    client.close()
    return times


def _turns(kinds: Sequence[str]) -> Iterator[str]:
    """Each kind once a round, in another order each round."""
    choose = random.Random(1)
    for _ in range(TRIES):
        yield from choose.sample(kinds, len(kinds))


async def _requests(port: int) -> Mapping[str, Iterator[tuple[bytes, int]]]:
    """What is asked, and the status that must come, for each kind."""
    asked = {
        kind: iter([(_log_in(first, number, typed), 401) for number in range(TRIES)])
        for kind, (first, typed) in NOTICE.items()
    }
    asked[AGAIN] = iter([(_log_in("V", number, WRONG), 401) for number in range(TRIES)])
    asked[ADMITTED] = iter([(_log_in("K", n, RIGHT), 201) for n in range(TRIES, 2 * TRIES)])
    client = await Client.open(port)
    known = [json.loads((await client.ask(_ask(f"c{n}@mail.example"))).body) for n in range(TRIES)]
    client.close()
    unknown = [str(new_id()) for _ in range(TRIES)]
    asked[EMAIL_UNKNOWN] = iter([(_confirm(one), 401) for one in unknown])
    asked[EMAIL_WRONG] = iter([(_confirm(one["request_id"]), 401) for one in known])
    asked[ASKED_KNOWN] = iter([(_ask(f"c{n}@mail.example"), 202) for n in range(TRIES)])
    asked[ASKED_UNKNOWN] = iter([(_ask(f"d{n}@mail.example"), 202) for n in range(TRIES)])
    return asked


def _log_in(first: str, number: int, typed: date) -> bytes:
    body = {"notice_number": f"{first}00-{number:06}", "birth_date": typed.isoformat()}
    return load.post("/v1/sessions", body)


def _confirm(request_id: str) -> bytes:
    return load.post("/v1/sessions:confirm", {"request_id": request_id, "code": "00000000"})


def _ask(email: str) -> bytes:
    return load.post("/v1/sessions:request", {"email": email})


@asynccontextmanager
async def city() -> AsyncIterator[int]:
    """A running api of the room among many cases; its port."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        await asyncio.to_thread(postgres.start)
        try:
            async with AsyncExitStack() as stack:
                port = free_port()
                environment = _environment(await _database(postgres), port, Path(folder))
                await serve(stack, ["services.reservation", "api"], environment, port)
                yield port
        finally:
            await asyncio.to_thread(postgres.stop)


async def _database(postgres: EmbeddedPostgres) -> str:
    admin = await asyncpg.connect(postgres.url("postgres"))
    await admin.execute("CREATE DATABASE reservation")
    await admin.close()
    url = postgres.url("reservation")
    await migrate(url, ROOM.migration_sources)
    conn = await asyncpg.connect(url)
    await conn.execute(_OTHERS, WARD, SITE, CASES)
    known = [(f"K00-{n:06}", None) for n in range(2 * TRIES)]
    ended = [(f"E00-{n:06}", datetime.now(UTC)) for n in range(TRIES)]
    rows = [
        (new_id(), INDEX.number_key(number).value, INDEX.login_key(number, RIGHT).value, done)
        for number, done in [*known, *ended, *((f"N00-{n:06}", None) for n in range(TRIES))]
    ]
    ids, numbers, logins, dones = zip(*rows, strict=True)
    await conn.execute(_CASES, ids, WARD, SITE, numbers, logins, dones)
    await conn.execute("VACUUM ANALYZE")
    await conn.close()
    return url


def _environment(url: str, port: int, folder: Path) -> Mapping[str, str]:
    ring = "n1:" + base64.b64encode(MASTERS["n1"]).decode()
    unlimited = str(10**9)
    return {
        "MADOGUCHI_RESERVATION_DATABASE_URL": url,
        "MADOGUCHI_RESERVATION_API_PORT": str(port),
        "MADOGUCHI_RESERVATION_CONSUME_PORT": "1",
        "MADOGUCHI_RESERVATION_RELAY_PORT": "1",
        "MADOGUCHI_RESERVATION_MASTER_KEYS": ring,
        "MADOGUCHI_RESERVATION_LOGIN_TRIES_PER_ADDRESS": unlimited,
        "MADOGUCHI_RESERVATION_CODES_PER_ADDRESS": unlimited,
        "MADOGUCHI_CITIZEN_SIGNING_KEY_FILE": str(signing_key(folder)),
        "MADOGUCHI_NOTICE_KEYS": ring,
        "MADOGUCHI_LOG_LEVEL": "WARNING",
    }


if __name__ == "__main__":
    uvloop.run(main())
