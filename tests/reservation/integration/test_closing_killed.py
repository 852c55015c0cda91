"""A site with many bookings closes while the process that closes it is killed in every step.

Each citizen ends as exactly one of moved, chosen, cancelled or on the phone list; nobody loses a
seat before another is theirs; and cells count what rows say.
"""

import asyncio
import random
from collections import Counter
from datetime import timedelta

import pytest

from services.reservation.domain.booking import CaseBusy, SlotTaken
from services.reservation.domain.closure import AlreadyAnswered
from shared.clock import FixedClock
from shared.db import Database
from shared.ids import CaseId
from tests.reservation.closer import STEPS
from tests.reservation.closers import BOOKINGS, Closers, ends, say
from tests.reservation.life import wind_down
from tests.reservation.support import (
    MORNING,
    SITE,
    case,
    counts,
)

FAILURES = (CaseBusy, SlotTaken, AlreadyAnswered)


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
            # Who answered when the others had just become idle has changed the booking already.
            """
            SELECT d.case_id FROM displaced d JOIN booking b USING (booking_id)
            WHERE d.ended_at IS NULL AND b.state = 'active' AND b.site_id = $2
            ORDER BY booking_id LIMIT $1
            """,
            how_many,
            SITE,
        )
    choose = random.Random(5)
    for row in rows:
        await say(database, clock, CaseId(row["case_id"]), "give up", choose)
