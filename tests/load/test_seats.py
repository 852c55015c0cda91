"""Fifty clients on few seats, while the calendar is remade and a replica is killed again and again:
no seat is sold twice, no case is booked twice, and nothing that was confirmed is lost.
"""

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter

import pytest

from services.reservation.domain.rules import Rules
from services.reservation.handlers import sites
from shared.calendar import TOKYO, BusinessCalendar, business_date
from shared.clock import SystemClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, OpeningHours, Site, Weekday
from shared.db import Database
from shared.errors import Problem
from shared.ids import CaseId, new_id
from shared.security.citizen_tokens import CitizenKeys, CitizenTokens
from shared.settings import KernelSettings
from shared.unit import Units
from tests.conftest import DatabaseMaker
from tests.load.citizens import Client, Household, Ledger
from tests.load.replicas import Replica, kill_again_and_again, replicas
from tests.reservation.support import PEOPLE, SITE, WARD, make_site, signing_key
from tests.support.sizes import proof_size

CLIENTS, HOUSEHOLDS = 50, 120
LIFE = proof_size(1, 8)
"""Seconds that a replica lives before it is killed."""
CALENDAR = BusinessCalendar()
RULES = Rules(calendar=CALENDAR, horizon_days=20, made_ahead_days=1)
REPORT = Path("build/load/seats.json")
_CASES = """
INSERT INTO case_facts (case_id, ward, card_site_id, notice_seq, pickup_deadline, card_expires_on)
SELECT unnest($1::uuid[]), $2, $3, 1, $4, $4
"""
_OVERSOLD = """
SELECT count(*) FROM (
    SELECT c.capacity, c.booked, (
        SELECT count(*) FROM booking b WHERE b.site_id = c.site_id AND b.state = 'active'
            AND b.starts_at <= c.starts_at AND b.starts_at > c.starts_at - interval '1 hour'
            AND c.starts_at < b.starts_at + make_interval(mins => b.minutes)
    ) AS bookings, (
        SELECT coalesce(sum(seats), 0) FROM seat_return r
        WHERE r.site_id = c.site_id AND r.starts_at = c.starts_at
    ) AS coming_back
    FROM cell c
) AS cells
WHERE bookings > capacity OR booked > capacity OR booked <> bookings + coming_back
"""
_DOUBLE = """
SELECT count(*) FROM (
    SELECT FROM booking WHERE state = 'active' GROUP BY case_id HAVING count(*) > 1
) AS cases
"""
_LEAKED = """
SELECT count(*) FROM seat_return WHERE due_at > $1::timestamptz + interval '5 minutes'
"""


@dataclass
class Run:
    """What was seen while and after the clients were at it."""

    ledger: Ledger
    oversold: int = 0
    double: int = 0
    leaked: int = 0
    lost: set[str] = field(default_factory=set)
    untold: set[str] = field(default_factory=set)
    remade: int = 0
    refused: int = 0
    kills: int = 0
    seconds: float = 0.0

    @property
    def failures(self) -> list[str]:
        """Answers that no client should get."""
        return [answer for answer in self.ledger.answers if answer.startswith("5")]

    def report(self) -> Mapping[str, object]:
        """The figures."""
        return {
            "attempts": sum(self.ledger.attempts.values()),
            "holds_and_bookings": dict(self.ledger.attempts),
            "confirmed": len(self.ledger.confirmed),
            "cancelled": len(self.ledger.cancelled),
            "standing": len(self.ledger.standing),
            "sent_again": self.ledger.sent_again,
            "replica_kills": self.kills,
            "calendars_remade": self.remade,
            "calendars_refused": self.refused,
            "oversold": self.oversold,
            "double": self.double,
            "lost": len(self.lost),
            "untold": len(self.untold),
            "leaked": self.leaked,
            "seconds": round(self.seconds, 1),
            "answers": dict(self.ledger.answers.most_common()),
        }


@dataclass(frozen=True)
class City:
    """A room with few seats and many who want them."""

    database: Database
    days: Sequence[date]
    households: Sequence[Household]
    environment: Mapping[str, str]

    @property
    def units(self) -> Units:
        """Units of the room in real time."""
        source = "/141305/reservation"
        return Units(self.database, room="reservation", source=source, clock=SystemClock())

    @property
    def starts(self) -> list[str]:
        """The times that everybody wants."""
        return [
            datetime.combine(day, time(9, minute), TOKYO).isoformat()
            for day in self.days
            for minute in (0, 10, 20, 30)
        ]

    async def number(self, statement: str, *values: object) -> int:
        """One number of the database."""
        async with self.database.reader() as conn:
            found: int = await conn.fetchval(statement, *values)
        return found


@asynccontextmanager
async def city(url: str, folder: Path, households: int = HOUSEHOLDS) -> AsyncIterator[City]:
    """Two days of an hour with two counters, and twice as many cases as households."""
    database = await Database.connect(url, application="load", max_size=6)
    key = signing_key(folder)
    settings = KernelSettings()
    tokens = CitizenTokens(
        CitizenKeys.read(key), issuer=settings.citizen_issuer, audience=settings.oidc_audience
    )
    today = business_date(datetime.now(UTC))
    days = [CALENDAR.add_business_days(today, number) for number in (3, 4)]
    try:
        homes = await _households(database, tokens, households)
        made = City(database, days, homes, _environment(url, key))
        async with made.units.begin(PEOPLE["planner"]) as unit:
            await sites.put(unit, described(today, 2, 10), RULES, lambda _: None)
            await sites.open_(unit, SITE, RULES)
        yield made
    finally:
        await database.close()


def described(today: date, counters: int, closes: int) -> Site:
    """The site with so many counters, until ``closes`` o'clock."""
    return make_site(
        opens_on=today,
        open_on_holidays=True,
        counters=counters,
        terminals=counters,
        hours=tuple(
            OpeningHours(weekday=day, opens=time(9), closes=time(closes)) for day in Weekday
        ),
        acceptance=(Acceptance(procedure=Procedure.CARD_ISSUANCE),),
    )


async def _households(database: Database, tokens: CitizenTokens, count: int) -> list[Household]:
    pairs = [(CaseId(new_id()), CaseId(new_id())) for _ in range(count)]
    until = business_date(datetime.now(UTC)) + timedelta(days=80)
    async with database.reader() as conn:
        await conn.execute(_CASES, [one for pair in pairs for one in pair], WARD, SITE, until)
    return [
        Household(tuple(map(str, pair)), tokens.issue(str(pair[0]), list(pair)).token)
        for pair in pairs
    ]


def _environment(url: str, key: Path) -> Mapping[str, str]:
    ring = "n1:" + base64.b64encode(bytes([1]) * 32).decode()
    room = "MADOGUCHI_RESERVATION_"
    return {
        f"{room}DATABASE_URL": url,
        f"{room}CONSUME_PORT": "1",
        f"{room}RELAY_PORT": "1",
        f"{room}MASTER_KEYS": ring,
        f"{room}HORIZON_DAYS": "20",
        f"{room}MADE_AHEAD_DAYS": "1",
        f"{room}HOLD_MINUTES": "1",
        f"{room}RETURN_WITHIN_MINUTES": "0",
        f"{room}SESSION_CHANGES": "1000000000",
        "MADOGUCHI_CITIZEN_SIGNING_KEY_FILE": str(key),
        "MADOGUCHI_NOTICE_KEYS": ring,
        "MADOGUCHI_LOG_LEVEL": "CRITICAL",
    }


async def rush(made: City, served_by: Sequence[Replica], attempts: int, *, kill: bool) -> Run:
    """Let the clients at it; the calendar is remade meanwhile, and one replica killed."""
    run, started = Run(Ledger(attempts)), perf_counter()
    beside = [asyncio.create_task(_remake(made, run)), asyncio.create_task(_watch(made, run))]
    if kill:
        beside.append(asyncio.create_task(kill_again_and_again(served_by[0], LIFE)))
    clients = [
        Client(served_by, made.households, SITE, made.starts, run.ledger, random.Random(number))
        for number in range(CLIENTS)
    ]
    try:
        await asyncio.gather(*(client.run() for client in clients))
    finally:
        for task in beside:
            task.cancel()
        ends = await asyncio.gather(*beside, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
    run.kills, run.seconds = served_by[0].kills, perf_counter() - started
    await _settle(made, run)
    return run


async def _remake(made: City, run: Run) -> None:
    """Fewer counters and more, shorter hours and longer, without end."""
    choose, today = random.Random(0), business_date(datetime.now(UTC))
    while True:
        site = described(today, choose.choice((1, 2, 3)), choose.choice((10, 11)))
        try:
            async with made.units.begin(PEOPLE["planner"]) as unit:
                await sites.put(unit, site, RULES, lambda _: None)
            run.remade += 1
        except Problem:
            run.refused += 1
        await asyncio.sleep(0.1)


async def _watch(made: City, run: Run) -> None:
    """Look again and again whether a seat was sold twice."""
    while True:
        run.oversold = max(run.oversold, await made.number(_OVERSOLD))
        run.double = max(run.double, await made.number(_DOUBLE))
        await asyncio.sleep(0.5)


async def _settle(made: City, run: Run) -> None:
    """Compare what was promised with what there is."""
    run.oversold = max(run.oversold, await made.number(_OVERSOLD))
    run.double = max(run.double, await made.number(_DOUBLE))
    run.leaked = await made.number(_LEAKED, datetime.now(UTC))
    async with made.database.reader() as conn:
        rows = await conn.fetch("SELECT booking_id FROM booking WHERE state = 'active'")
    there = {str(row["booking_id"]) for row in rows}
    run.lost = run.ledger.standing.keys() - there
    run.untold = there - run.ledger.standing.keys()


def write(run: Run) -> None:
    """Keep the figures of a run."""
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(run.report(), indent=2))


@pytest.mark.proof
@pytest.mark.timeout(3600)
async def test_nothing_is_oversold_doubled_or_lost(
    make_database: DatabaseMaker, tmp_path: Path
) -> None:
    attempts = proof_size(1_500, 100_000)
    url = await make_database("reservation")
    async with (
        city(url, tmp_path) as made,
        replicas(2, made.environment) as served_by,
    ):
        run = await rush(made, served_by, attempts, kill=True)
    write(run)
    assert (run.oversold, run.double, run.leaked) == (0, 0, 0), run.report()
    assert (run.lost, run.untold) == (set(), set()), run.report()
    assert run.failures == [], run.report()
    assert sum(run.ledger.attempts.values()) == attempts
    assert run.ledger.confirmed
    assert run.remade
    assert run.kills


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("guard", "taken_out", "households"),
    [
        ("seats", "ALTER TABLE cell DROP CONSTRAINT never_oversold", HOUSEHOLDS),
        ("cases", "DROP INDEX one_active_booking_per_case", 4),
    ],
)
async def test_the_proof_notices_a_guard_that_is_missing(
    make_database: DatabaseMaker, tmp_path: Path, guard: str, taken_out: str, households: int
) -> None:
    url = await make_database("reservation")
    async with city(url, tmp_path, households) as made:
        async with made.database.reader() as conn:
            await conn.execute(taken_out)
        command = ("-m", "tests.load.broken", guard)
        async with replicas(2, made.environment, command) as served_by:
            run = await rush(made, served_by, 600, kill=False)
    assert (run.oversold if guard == "seats" else run.double) > 0, run.report()
