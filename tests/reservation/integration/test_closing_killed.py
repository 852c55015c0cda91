"""A site with many bookings closes while the process that closes it is killed in every step.

Each citizen ends as exactly one of moved, chosen, cancelled or on the phone list; nobody loses a
seat before another is theirs; and cells count what rows say.
"""

import asyncio
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import pytest

from services.reservation.domain.booking import CaseBusy, SlotTaken
from services.reservation.domain.closure import AlreadyAnswered, Answer
from services.reservation.handlers import answers, bookings, moves
from services.reservation.handlers.answers import Said
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.moves import Target
from shared.clock import FixedClock
from shared.contracts.place import OpeningHours, Weekday
from shared.db import Database
from shared.ids import BookingId, CaseId, SiteId
from tests.conftest import DatabaseMaker
from tests.reservation.closer import STEPS
from tests.reservation.life import reachable, wind_down
from tests.reservation.support import (
    MORNING,
    OTHER_SITE,
    RULES,
    SITE,
    case,
    citizen,
    counts,
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
FAILURES = (CaseBusy, SlotTaken, AlreadyAnswered)


@pytest.fixture
async def house(make_database: DatabaseMaker) -> AsyncIterator[tuple[Database, "Closers"]]:
    """A site full of bookings, and two others that could take in its citizens."""
    url = await make_database("reservation")
    database = await Database.connect(url, application="test", max_size=20)
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
    closers = Closers(url)
    yield database, closers
    for process in list(closers.processes):
        await closers.kill(process)
    await database.close()


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
        """Let one take a step and die in it."""
        process = await self.start(now, step, moment)
        said = await heard(process)
        assert said == b"", f"{step} was not due"
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


async def everybody_answers(database: Database, clock: FixedClock) -> Counter[str]:
    """Two thirds of the citizens say something, each in a way of their own."""
    choose = random.Random(3)
    said: Counter[str] = Counter()
    for number in range(BOOKINGS):
        how = choose.choice(
            ("accept", "choose", "cancel", "move", "give up", "silent", "silent", "silent")
        )
        if how == "silent":
            continue
        try:
            await say(database, clock, case("closing", number), how, choose)
            said[how] += 1
        except FAILURES:
            said["too late"] += 1
    return said


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


async def check_nobody_lost(database: Database) -> None:
    """Whoever did not cancel has a seat, and had another before the old one went."""
    async with database.reader() as conn:
        lost = await conn.fetch(
            """
            SELECT d.booking_id FROM displaced d JOIN booking b USING (booking_id)
            WHERE (d.state = 'cancelled') IS DISTINCT FROM (b.state = 'cancelled')
                OR (d.state <> 'cancelled' AND b.site_id = $1)
                OR (d.state IN ('moved', 'phone_list') AND d.to_site_id IS NULL)
                OR d.seat_held
            """,
            SITE,
        )
        assert lost == []
        twice = await conn.fetch(
            """
            SELECT subject FROM outbox WHERE type IN ('booking.moved.v1', 'booking.cancelled.v1')
            GROUP BY subject HAVING count(*) <> 1
            """
        )
        assert twice == []
        assert await conn.fetchval("SELECT count(*) FROM displaced") == BOOKINGS
        told = await conn.fetchval("SELECT count(*) FROM message WHERE kind = 'alternative'")
        assert told <= BOOKINGS
    assert all(booked == accounted for booked, accounted in await counts(database))


@pytest.mark.proof
@pytest.mark.timeout(1800)
async def test_a_site_closes_although_the_process_dies_in_every_step(
    house: tuple[Database, Closers],
) -> None:
    database, closers = house
    assert len(STEPS) == 6
    await wind_down(database)
    now = MORNING
    for step in ("list", "hold", "tell"):
        for moment in ("before", "after"):
            await closers.dies_in(now, step, moment)
    await closers.until_idle(now, kills=2)
    assert (await ends(database)) == {"open": BOOKINGS}
    now += timedelta(hours=1)
    said, _ = await asyncio.gather(
        everybody_answers(database, FixedClock(now)), closers.until_idle(now, kills=3)
    )
    assert set(said) >= {"accept", "choose", "cancel", "move", "give up"}
    # For the step that finds out what others have changed to die in.
    now += timedelta(hours=1)
    await some_give_up(database, FixedClock(now), 2)
    await closers.dies_in(now, "changed", "before")
    await closers.dies_in(now, "changed", "after")
    now += timedelta(days=5)
    for step in ("overdue", "finish"):
        for moment in ("before", "after"):
            await closers.dies_in(now, step, moment)
    await closers.until_idle(now)
    done = await ends(database)
    assert set(done) == {"moved", "chosen", "cancelled", "phone_list"}
    assert done.total() == BOOKINGS
    await check_nobody_lost(database)
    async with database.reader() as conn:
        state = await conn.fetchval("SELECT state FROM site WHERE site_id = $1", SITE)
        closed = await conn.fetchval("SELECT count(*) FROM outbox WHERE type = 'site.closed.v1'")
    assert (state, closed) == ("closed", 1)
    print(f"{BOOKINGS} bookings: {dict(done)}; answers: {dict(said)}; 12 deaths in steps")


async def some_give_up(database: Database, clock: FixedClock, how_many: int) -> None:
    """Some who have not answered yet cancel their bookings themselves."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT case_id FROM displaced WHERE ended_at IS NULL ORDER BY booking_id LIMIT $1",
            how_many,
        )
    choose = random.Random(5)
    for row in rows:
        await say(database, clock, CaseId(row["case_id"]), "give up", choose)
