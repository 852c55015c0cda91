"""A closure is taken back while who takes it back, or works it off, is killed in every step.

Whoever has not moved keeps the seat that was booked, whoever has moved stays there, and cells count
what rows say.
"""

import random
from datetime import datetime, timedelta

import pytest

from shared.clock import FixedClock
from shared.db import Database
from tests.reservation.closer import BACK
from tests.reservation.closers import BOOKINGS, Closers, ends, say
from tests.reservation.life import wind_down, work
from tests.reservation.support import MORNING, SITE, case, counts


async def check_each_is_where_it_ended(database: Database) -> None:
    """Who stayed has the very seat that was booked, and who had moved has the other."""
    async with database.reader() as conn:
        wrong = await conn.fetch(
            """
            SELECT d.booking_id, d.state FROM displaced d JOIN booking b USING (booking_id)
            WHERE NOT CASE d.state
                WHEN 'kept' THEN b.state = 'active' AND (b.site_id, b.starts_at) = ($1, d.starts_at)
                WHEN 'cancelled' THEN b.state = 'cancelled'
                ELSE b.state = 'active' AND b.site_id <> $1 END
                OR d.seat_held OR d.ended_at IS NULL
            """,
            SITE,
        )
        assert wrong == []
        assert await conn.fetchval("SELECT count(*) FROM displaced") == BOOKINGS
        twice = await conn.fetch(
            """
            SELECT subject FROM outbox WHERE type IN ('booking.moved.v1', 'booking.cancelled.v1')
            GROUP BY subject HAVING count(*) <> 1
            """
        )
        assert twice == []
    assert all(booked == accounted for booked, accounted in await counts(database))


@pytest.mark.proof
@pytest.mark.timeout(1800)
async def test_a_closure_is_taken_back_although_the_process_dies_in_every_step(
    house: tuple[Database, Closers],
) -> None:
    database, closers = house
    await wind_down(database)
    await work(database, FixedClock(MORNING))
    now = MORNING + timedelta(hours=1)
    choose = random.Random(7)
    for number, how in enumerate(("accept", "choose", "cancel", "move", "give up") * 2):
        await say(database, FixedClock(now), case("closing", number * 4), how, choose)
    for step in BACK:
        for moment in ("before", "after"):
            await closers.dies_in(now, step, moment)
            if step == "withdraw":
                assert await taken_back(database) is (moment == "after")
    await work(database, FixedClock(now))
    done = await ends(database)
    assert set(done) == {"kept", "moved", "chosen", "cancelled"}
    assert done["kept"] == BOOKINGS - 10
    await check_each_is_where_it_ended(database)
    async with database.reader() as conn:
        state = await conn.fetchval("SELECT state FROM site WHERE site_id = $1", SITE)
        closure = await conn.fetchval("SELECT state FROM closure")
    assert (state, closure) == ("open", "done")


async def taken_back(database: Database) -> bool:
    """Whether the closure was taken back."""
    async with database.reader() as conn:
        at: datetime | None = await conn.fetchval("SELECT withdrawn_at FROM closure")
    return at is not None
