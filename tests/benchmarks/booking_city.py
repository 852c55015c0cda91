"""A city for the benchmark of reservation: PostgreSQL, an api process, a bare one, a year of slots.

PostgreSQL writes as a city's would (fsync and synchronous_commit on). CPU time is read from outside
each process, so what measuring costs falls on none of them.
"""

import asyncio
import base64
import random
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import asyncpg
import psutil

from deploy.embedded.issuer import sign
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
from shared.security.principal import EVERY_SITE, Role
from shared.settings import KernelSettings
from shared.unit import Units
from tests.benchmarks import bare, load
from tests.benchmarks.parts import serve
from tests.reservation.support import PEOPLE, WARD, make_site, signing_key

HORIZON_DAYS = 366
SITES = tuple(SiteId(f"site-{number:02}") for number in range(1, 16))
HOT = SITES[-1]

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


@dataclass(frozen=True)
class Process:
    """A process that serves on ``port``."""

    port: int
    seen: psutil.Process

    def cpu(self) -> float:
        """Seconds of CPU spent so far; the system counts in hundredths."""
        times = self.seen.cpu_times()
        return float(times.user + times.system)


@dataclass
class City:
    """The running parts, and seats that nobody has asked for yet; ``staff`` is a clerk's token."""

    url: str
    api: Process
    second: Process
    """Another replica of the api, which has nothing to do unless asked."""
    bare: Process
    postgres: psutil.Process
    staff: str
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

    def seats_apart(self, count: int) -> list[tuple[SiteId, datetime]]:
        """Sites and times anywhere in the year, for whoever brings cases of their own."""
        days = [day for day in _days() if day.weekday() < 5]
        return [
            (
                self.choose.choice(SITES[:-1]),
                self.choose.choice(days) + timedelta(minutes=20 * self.choose.randrange(24)),
            )
            for _ in range(count)
        ]

    def database_cpu(self) -> float:
        """Seconds of CPU that the database server has spent, in all its processes."""
        spent = 0.0
        for process in (self.postgres, *self.postgres.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                spent += times.user + times.system
        return spent

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


@asynccontextmanager
async def city() -> AsyncIterator[City]:
    """Everything started, with a year of slots at fifteen sites."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="madoguchi-bench-")))
        postgres = EmbeddedPostgres(folder / "postgres")
        server = await asyncio.to_thread(postgres.start)
        stack.callback(postgres.stop)
        url = await _database(postgres)
        database = await Database.connect(url, application="bench")
        stack.push_async_callback(database.close)
        pool = await stack.enter_async_context(asyncpg.create_pool(url, min_size=8, max_size=8))
        await _open_sites(database)
        await pool.execute(bare.TABLES)
        await pool.execute("VACUUM ANALYZE")
        ports, key = [free_port() for _ in range(4)], signing_key(folder)
        settings = KernelSettings()
        keys = CitizenKeys.read(key)
        issuer = f"http://127.0.0.1:{ports[3]}"
        await _serve(stack, _issuer(key, ports[3], issuer), {}, ports[3])
        room = ["services.reservation", "api"]
        api, second = [
            await _serve(stack, room, _environment(url, port, key, issuer), port)
            for port in (ports[0], ports[2])
        ]
        command, environment = _uvicorn(ports[1]), {"BARE_DATABASE_URL": url}
        yield City(
            url=url,
            api=api,
            second=second,
            postgres=psutil.Process(server.pid),
            staff=sign(key, issuer, subject="bench", roles=[Role.CLERK], sites=[EVERY_SITE]),
            bare=await _serve(stack, command, environment, ports[1]),
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
            acceptance=tuple(Acceptance(procedure=one) for one in Procedure),
        )
        async with units.begin(PEOPLE["planner"]) as unit:
            await sites.put(unit, site, rules, lambda _: None)
            await sites.open_(unit, site_id, rules)


def _environment(url: str, port: int, key: Path, issuer: str) -> Mapping[str, str]:
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
        "MADOGUCHI_OIDC_ISSUER": issuer,
        "MADOGUCHI_LOG_LEVEL": "WARNING",
    }


def _issuer(key: Path, port: int, issuer: str) -> list[str]:
    options = ["--keys", str(key), "--port", str(port), "--issuer", issuer]
    return ["deploy.embedded.issuer", *options]


def _uvicorn(port: int) -> list[str]:
    options = ["--port", str(port), "--log-level", "warning", "--no-access-log"]
    return ["uvicorn", "tests.benchmarks.bare:app", *options]


async def _serve(
    stack: AsyncExitStack, module: list[str], environment: Mapping[str, str], port: int
) -> Process:
    return Process(port, psutil.Process(await serve(stack, module, environment, port)))
