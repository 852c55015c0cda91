"""Three sites, one full of bookings, and processes that close it until they are killed."""

import asyncio
import random
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from services.reservation.domain.closure import Answer
from services.reservation.handlers import answers, bookings, moves
from services.reservation.handlers.answers import Said
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.moves import Target
from shared.clock import FixedClock
from shared.contracts.place import OpeningHours, Weekday
from shared.db import Database
from shared.ids import BookingId, CaseId, SiteId
from tests.reservation.life import reachable
from tests.reservation.support import (
    OTHER_SITE,
    RULES,
    SITE,
    case,
    citizen,
    invite,
    make_site,
    open_site,
    tokyo,
    units,
)
from tests.support.sizes import proof_size

BOOKINGS = proof_size(80, 2_000)
COUNTERS = proof_size(4, 12)
FIRST = date(2026, 4, 7)
"""The Tuesday after the last day, Friday 3 April."""
THIRD = SiteId("third")
ALL_DAY = tuple(
    OpeningHours(weekday=day, opens=time(9), closes=time(17)) for day in tuple(Weekday)[:5]
)
Process = asyncio.subprocess.Process
PATIENCE = 100
"""Idle rounds, a fifth of a second each, after which a step is not due."""


async def three_sites(database: Database) -> None:
    """A site full of bookings, and two others that could take in its citizens."""
    for number, site_id in enumerate((SITE, OTHER_SITE, THIRD)):
        site = make_site(
            site_id,
            latitude=35.5 + number / 50,
            hours=ALL_DAY,
            counters=COUNTERS,
            terminals=COUNTERS,
        )
        await open_site(database, site)
    await fill(database)


async def fill(database: Database) -> None:
    """Book parties of one to three, day after day; every other citizen has an address."""
    choose = random.Random(1)
    everybody = [case("closing", number) for number in range(BOOKINGS)]
    await invite(database, *everybody, pickup_deadline=date(2026, 9, 30))
    times = [
        tokyo(FIRST + timedelta(days=day), hour, minute)
        for day in range(40)
        if (FIRST + timedelta(days=day)).weekday() < 5
        for hour in range(9, 17)
        for minute in (0, 20, 40)
    ]
    at, left = iter(times), COUNTERS
    now = next(at)
    while everybody:
        party = [everybody.pop() for _ in range(min(choose.choice((1, 1, 2, 3)), len(everybody)))]
        if len(party) > left:
            now, left = next(at), COUNTERS
        left -= len(party)
        async with units(database).begin(citizen(*party)) as unit:
            await bookings.book(unit, Request(tuple(party), SITE, now), RULES)
    await reachable(database, *(case("closing", number) for number in range(0, BOOKINGS, 2)))


@dataclass
class Closers:
    """Processes that work on closures, every one of them started here."""

    url: str
    processes: list[Process] = field(default_factory=list)

    async def start(self, now: datetime, *step: str) -> Process:
        """One that works as it is at ``now``, and dies in ``step`` if one is named."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.reservation.closer", self.url, now.isoformat(), *step),
            stdout=asyncio.subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    async def kill(self, process: Process) -> None:
        """End one as a crash would."""
        process.kill()
        await process.wait()
        self.processes.remove(process)

    async def dies_in(self, now: datetime, step: str, moment: str) -> None:
        """Let one take a step and die in it.

        It may be idle for a while, as long as the database has not noticed that another is dead.
        """
        process, idle = await self.start(now, step, moment), 0
        while await heard(process):
            idle += 1
            assert idle < PATIENCE, f"{step} is not due"
        await process.wait()
        self.processes.remove(process)
        assert process.returncode == -signal.SIGKILL

    async def until_idle(self, now: datetime, *, kills: int = 0) -> None:
        """Two work until nothing is due; before that, two at a time are killed again and again."""
        choose = random.Random(2)
        for _ in range(kills):
            both = [await self.start(now), await self.start(now)]
            await asyncio.sleep(choose.uniform(0.6, 2.0))
            for one in both:
                await self.kill(one)
        both = [await self.start(now), await self.start(now)]
        for one in both:
            await heard(one)
        # Who is idle first may have seen the other hold the closure: a last look, alone.
        for one in both:
            await self.kill(one)
        alone = await self.start(now)
        await heard(alone)
        await self.kill(alone)


async def heard(process: Process) -> bytes:
    """The next line of a process; empty where it has ended."""
    assert process.stdout is not None
    return await process.stdout.readline()


async def say(
    database: Database, clock: FixedClock, case_id: CaseId, how: str, choose: random.Random
) -> None:
    """One citizen answers, or moves or cancels the booking itself."""
    async with units(database, clock).begin(citizen(case_id)) as unit:
        booking_id = BookingId(
            await unit.conn.fetchval(
                "SELECT booking_id FROM booking WHERE case_id = $1 AND state = 'active'", case_id
            )
        )
        day = FIRST + timedelta(days=choose.choice((30, 31, 34)))
        seat = (THIRD, tokyo(day, choose.randrange(9, 16), choose.choice((0, 20, 40))))
        match how:
            case "accept":
                await answers.answer(unit, booking_id, Said(Answer.ACCEPT), RULES)
            case "choose":
                await answers.answer(unit, booking_id, Said(Answer.CHOOSE, *seat), RULES)
            case "cancel":
                await answers.answer(unit, booking_id, Said(Answer.CANCEL), RULES)
            case "move":
                alone = Target(*seat, together=False)
                await moves.move(unit, booking_id, alone, RULES, lambda _: None)
            case _:
                await bookings.cancel(unit, booking_id, RULES, lambda _: None)


async def ends(database: Database) -> Counter[str]:
    """How many bookings ended how."""
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT state, ended_at IS NULL AS open FROM displaced")
    return Counter("open" if row["open"] else row["state"] for row in rows)
