"""Confirmed bookings per second, spread over a year of slots and all on one; availability beside.

Aims: spread at least 0.8 of one bare statement, one hot slot at least 0.8 of spread, and the p99 of
availability at most five times that of a bare echo under the same load.

Everything runs on this machine: load, api process, PostgreSQL (fsync and synchronous_commit on).
The service does all it does in a city: a citizen's signed token, every check, the Idempotency-Key,
the event in the outbox, the audit entry. Baselines of the same run: a bare FastAPI echo of the same
body, and a booking by one bare statement, straight through asyncpg and behind a bare FastAPI route.
Rounds of all of them take turns, so that whatever else the machine does falls on all alike.
"""

import asyncio
import base64
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg
import uvloop
from rich.progress import Progress

from deploy.embedded.ports import free_port
from deploy.embedded.postgres import EmbeddedPostgres
from services.reservation.bootstrap import ROOM
from services.reservation.domain.rules import Rules
from services.reservation.handlers import sites
from shared.calendar import TOKYO, BusinessCalendar, business_date
from shared.clock import SystemClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, OpeningHours, Weekday
from shared.db import Database
from shared.ids import CaseId, SiteId, new_id
from shared.migrate import migrate
from shared.security.citizen_tokens import CitizenKeys, CitizenTokens
from shared.settings import KernelSettings
from shared.unit import Units
from tests.benchmarks import bare, load
from tests.benchmarks.load import Outcome
from tests.benchmarks.report import Figure, report
from tests.reservation.support import PEOPLE, WARD, make_site, signing_key

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PER_ROUND = int(os.environ.get("BENCH_REQUESTS", "1500"))
CLIENTS = 64
HORIZON_DAYS = 366
SITES = tuple(SiteId(f"site-{number:02}") for number in range(1, 16))
HOT = SITES[-1]
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))
ASKED, BOOKED = 300, 100
"""Availability and bookings per second when both are asked at once."""

_CASES = """
INSERT INTO case_facts (case_id, ward, card_site_id, notice_seq, pickup_deadline, card_expires_on)
SELECT unnest($1::uuid[]), $2, unnest($3::text[]), 1, $4, $4
"""


@dataclass(frozen=True)
class Seat:
    """A case and the seat it asks for."""

    case_id: CaseId
    site_id: SiteId
    starts_at: datetime

    @property
    def body(self) -> Mapping[str, object]:
        """As it is sent."""
        return {
            "case_ids": [str(self.case_id)],
            "site_id": self.site_id,
            "starts_at": self.starts_at.isoformat(),
        }


@dataclass
class City:
    """The running parts, and seats that nobody has asked for yet."""

    url: str
    api: int
    bare: int
    tokens: CitizenTokens
    database: Database
    pool: asyncpg.Pool
    choose: random.Random = field(default_factory=lambda: random.Random(1))

    async def spread(self, count: int) -> list[Seat]:
        """Seats anywhere in the year."""
        days = [day for day in _days() if day.weekday() < 5]
        return await self._seats(
            [
                (
                    self.choose.choice(SITES[:-1]),
                    self.choose.choice(days),
                    self.choose.randrange(24),
                )
                for _ in range(count)
            ]
        )

    async def hot(self, count: int) -> list[Seat]:
        """The same seat for all; its site has counters enough."""
        day = next(day for day in _days() if day.weekday() < 5)
        return await self._seats([(HOT, day, 3)] * count)

    async def _seats(self, wanted: list[tuple[SiteId, datetime, int]]) -> list[Seat]:
        made = [
            Seat(CaseId(new_id()), site, day + timedelta(minutes=20 * slot))
            for site, day, slot in wanted
        ]
        until = (datetime.now(UTC) + timedelta(days=800)).date()
        ids, places = [seat.case_id for seat in made], [seat.site_id for seat in made]
        async with self.database.reader() as conn:
            await conn.execute(_CASES, ids, WARD, places, until)
        return made

    def requests(self, seats: list[Seat]) -> list[bytes]:
        """The bookings as citizens send them, each with a token of their own."""
        return [load.post("/v1/bookings", seat.body, self._headers(seat)) for seat in seats]

    def _headers(self, seat: Seat) -> Mapping[str, str]:
        token = self.tokens.issue(str(seat.case_id), [seat.case_id]).token
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": str(new_id())}


def _days() -> list[datetime]:
    """Nine o'clock of each day on which a booking may lie, in UTC."""
    today = business_date(datetime.now(UTC))
    first = BusinessCalendar().next_business_day(today)
    return [
        datetime.combine(first + timedelta(days=number), time(9), TOKYO).astimezone(UTC)
        for number in range(HORIZON_DAYS - 10)
    ]


async def main() -> None:
    """Run all and report."""
    async with city() as running:
        with Progress(transient=True) as bar:
            figures = await measure(running, bar)
            figures += await beside(running, bar)
    report("reservation", figures)


async def measure(running: City, bar: Progress) -> list[Figure]:
    """Rounds of everything, in turns; medians of the rates."""
    kinds: Mapping[str, Callable[[City], Awaitable[float]]] = {
        "echo": echo,
        "bare": bare_statement,
        "bare route": bare_route,
        "spread": spread,
        "hot": hot,
    }
    rates: dict[str, list[float]] = {name: [] for name in kinds}
    task = bar.add_task("booking", total=(ROUNDS + 1) * len(kinds))
    for round_ in range(ROUNDS + 1):
        for name, kind in kinds.items():
            rate = await kind(running)
            if round_ > 0:  # the first fills pools and caches
                rates[name].append(rate)
            bar.advance(task)
    found = {name: median(each) for name, each in rates.items()}
    return [
        Figure("spread, beside one bare statement", found["spread"], "bookings/s", found["bare"]),
        Figure("spread, beside it on a route", found["spread"], "bookings/s", found["bare route"]),
        Figure("spread, beside a bare echo", found["spread"], "bookings/s", found["echo"]),
        Figure("one hot slot, beside spread", found["hot"], "bookings/s", found["spread"]),
    ]


async def echo(running: City) -> float:
    """The same bodies, echoed."""
    seats = [Seat(CaseId(new_id()), HOT, datetime.now(UTC)) for _ in range(PER_ROUND)]
    requests = [load.post("/echo", seat.body) for seat in seats]
    return (await load.flat_out(running.bare, requests, CLIENTS)).expect(200).rate


async def bare_statement(running: City) -> float:
    """One statement each, over as many connections as the service has."""
    waiting = iter(seats := await running.spread(PER_ROUND))

    async def client() -> None:
        for seat in waiting:
            await bare.book(running.pool, seat.case_id, seat.site_id, seat.starts_at)

    started = perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return len(seats) / (perf_counter() - started)


async def bare_route(running: City) -> float:
    """The same statement behind a bare FastAPI route."""
    seats = await running.spread(PER_ROUND)
    requests = [load.post("/bookings", seat.body) for seat in seats]
    return (await load.flat_out(running.bare, requests, CLIENTS)).expect(201).rate


async def spread(running: City) -> float:
    """The service, anywhere in the year."""
    requests = running.requests(await running.spread(PER_ROUND))
    return (await load.flat_out(running.api, requests, CLIENTS)).expect(201).rate


async def hot(running: City) -> float:
    """The service, everybody in one slot."""
    requests = running.requests(await running.hot(PER_ROUND))
    return (await load.flat_out(running.api, requests, CLIENTS)).expect(201).rate


async def beside(running: City, bar: Progress) -> list[Figure]:
    """Availability of sixty days at every site, at a steady rate, while others book."""
    task = bar.add_task("availability beside bookings", total=2 * (ROUNDS + 1))
    bare_runs: list[Outcome] = []
    ours: list[Outcome] = []
    for round_ in range(ROUNDS + 1):
        for runs, port, path in (
            (bare_runs, running.bare, "/echo"),
            (ours, running.api, "/v1/availability"),
        ):
            outcome = await _at_once(running, port, path)
            if round_ > 0:
                runs.append(outcome)
            bar.advance(task)
    name = f"availability at {ASKED}/s beside {BOOKED} bookings/s"
    return [
        Figure(
            f"{name}: {which}, beside a bare echo",
            median(getattr(one, which) for one in ours),
            "ms",
            median(getattr(one, which) for one in bare_runs),
        )
        for which in ("p50", "p99")
    ]


async def _at_once(running: City, port: int, path: str) -> Outcome:
    first = business_date(datetime.now(UTC)) + timedelta(days=1)
    query = (
        f"procedure={Procedure.CARD_ISSUANCE.value}&ward={WARD}&from={first}"
        f"&to={first + timedelta(days=59)}&starts=false"
    )
    asked = [load.get(f"{path}?{query}")] * (ASKED * SECONDS)
    booked = running.requests(await running.spread(BOOKED * SECONDS))
    answers, bookings = await asyncio.gather(
        load.at_rate(port, asked, ASKED), load.at_rate(running.api, booked, BOOKED)
    )
    bookings.expect(201)
    return answers.expect(200)


@asynccontextmanager
async def city() -> AsyncIterator[City]:
    """Everything started, with a year of slots at fifteen sites."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="madoguchi-bench-")))
        postgres = EmbeddedPostgres(folder / "postgres")
        await asyncio.to_thread(postgres.start)
        stack.callback(postgres.stop)
        url = await _database(postgres)
        database = await Database.connect(url, application="bench")
        stack.push_async_callback(database.close)
        pool = await stack.enter_async_context(asyncpg.create_pool(url, min_size=8, max_size=8))
        await _open_sites(database)
        await pool.execute(bare.TABLES)
        await pool.execute("VACUUM ANALYZE")
        ports, key = (free_port(), free_port()), signing_key(folder)
        settings = KernelSettings()
        keys = CitizenKeys.read(key)
        await _serve(
            stack,
            [sys.executable, "-m", "services.reservation", "api"],
            _environment(url, ports[0], key),
            ports[0],
        )
        await _serve(stack, _uvicorn(ports[1]), {"BARE_DATABASE_URL": url}, ports[1])
        yield City(
            url=url,
            api=ports[0],
            bare=ports[1],
            tokens=CitizenTokens(
                keys, issuer=settings.citizen_issuer, audience=settings.oidc_audience
            ),
            database=database,
            pool=pool,
        )


async def _database(postgres: EmbeddedPostgres) -> str:
    conn = await asyncpg.connect(postgres.url("postgres"))
    await conn.execute("CREATE DATABASE reservation")
    await conn.close()
    url = postgres.url("reservation")
    await migrate(url, ROOM.migration_sources)
    return url


async def _open_sites(database: Database) -> None:
    rules = Rules(calendar=BusinessCalendar(), horizon_days=HORIZON_DAYS)
    units = Units(database, room=ROOM.name, source="/141305/reservation", clock=SystemClock())
    for site_id in SITES:
        counters = 1_000_000 if site_id == HOT else 20
        site = make_site(
            site_id,
            opens_on=business_date(datetime.now(UTC)),
            open_on_holidays=True,
            counters=counters,
            terminals=counters,
            hours=tuple(
                OpeningHours(weekday=day, opens=time(8, 30), closes=time(17))
                for day in tuple(Weekday)[:5]
            ),
            acceptance=(Acceptance(procedure=Procedure.CARD_ISSUANCE),),
        )
        async with units.begin(PEOPLE["planner"]) as unit:
            await sites.put(unit, site, rules, lambda _: None)
            await sites.open_(unit, site_id, rules)


def _environment(url: str, port: int, key: Path) -> Mapping[str, str]:
    ring = "n1:" + base64.b64encode(bytes([1]) * 32).decode()
    return {
        "MADOGUCHI_RESERVATION_DATABASE_URL": url,
        "MADOGUCHI_RESERVATION_API_PORT": str(port),
        "MADOGUCHI_RESERVATION_CONSUME_PORT": "1",
        "MADOGUCHI_RESERVATION_RELAY_PORT": "1",
        "MADOGUCHI_RESERVATION_MASTER_KEYS": ring,
        "MADOGUCHI_RESERVATION_HORIZON_DAYS": str(HORIZON_DAYS),
        "MADOGUCHI_CITIZEN_SIGNING_KEY_FILE": str(key),
        "MADOGUCHI_NOTICE_KEYS": ring,
        "MADOGUCHI_LOG_LEVEL": "WARNING",
    }


def _uvicorn(port: int) -> list[str]:
    options = ["--port", str(port), "--log-level", "warning", "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", "tests.benchmarks.bare:app", *options]


async def _serve(
    stack: AsyncExitStack, command: list[str], environment: Mapping[str, str], port: int
) -> None:
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
    stack.push_async_callback(process.wait)
    stack.callback(process.terminate)
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise SystemExit(f"{command} does not answer")


if __name__ == "__main__":
    uvloop.run(main())
