"""What is due is done once, by however many; a piece that fails keeps nobody waiting."""

import asyncio
from datetime import UTC, datetime, timedelta

from shared.clock import FixedClock
from shared.db import Database
from shared.due import Due, DueLoop
from shared.telemetry.metrics import Metrics
from shared.unit import Unit, Units

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
BATCH = 3


async def prepare(database: Database, things: int) -> None:
    """A table of things, each due a minute after the other."""
    async with database.transaction() as conn:
        await conn.execute("CREATE TABLE thing (id int, due_at timestamptz, done int DEFAULT 0)")
        await conn.executemany(
            "INSERT INTO thing VALUES ($1, $2)",
            [(number, NOON + timedelta(minutes=number)) for number in range(things)],
        )


async def do_things(unit: Unit) -> int:
    """A batch of what is due."""
    rows = await unit.conn.fetch(
        """
        UPDATE thing SET done = done + 1 WHERE id IN (
            SELECT id FROM thing WHERE due_at <= $1 AND done = 0
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING id
        """,
        unit.now,
        BATCH,
    )
    return len(rows)


async def fail(unit: Unit) -> int:
    """Work that cannot be done."""
    await unit.conn.execute("UPDATE thing SET done = 100")
    raise RuntimeError("not today")


def loop(database: Database, clock: FixedClock, *dues: Due) -> DueLoop:
    """A loop of a room."""
    units = Units(database, room="test", source="/141305/test", clock=clock)
    return DueLoop("test", units, dues, Metrics(service="test", role="test"))


async def done(database: Database) -> list[int]:
    """How often each thing was done."""
    async with database.reader() as conn:
        return [row["done"] for row in await conn.fetch("SELECT done FROM thing ORDER BY id")]


async def test_only_what_is_due_is_done_and_in_batches(kernel_database: Database) -> None:
    await prepare(kernel_database, 9)
    clock = FixedClock(NOON + timedelta(minutes=4))
    working = loop(kernel_database, clock, Due("things", do_things))
    assert [await working.round() for _ in range(3)] == [3, 2, 0]
    assert await done(kernel_database) == [1] * 5 + [0] * 4
    clock.advance(timedelta(hours=1))
    assert await working.round() == 3


async def test_work_that_fails_is_undone_and_the_others_go_on(kernel_database: Database) -> None:
    await prepare(kernel_database, 2)
    clock = FixedClock(NOON + timedelta(hours=1))
    working = loop(kernel_database, clock, Due("fails", fail), Due("things", do_things))
    assert await working.round() == 2
    assert await done(kernel_database) == [1, 1]


async def test_what_did_nothing_is_not_asked_while_another_is_at_work(
    kernel_database: Database,
) -> None:
    await prepare(kernel_database, 3 * BATCH)
    asked = 0

    async def idle(_: Unit) -> int:
        nonlocal asked
        asked += 1
        return 0

    clock = FixedClock(NOON + timedelta(hours=1))
    working = loop(kernel_database, clock, Due("idle", idle), Due("things", do_things))
    assert await working.rounds() == 3 * BATCH
    assert asked == 1


async def test_several_loops_do_each_thing_once(kernel_database: Database) -> None:
    await prepare(kernel_database, 60)
    clock = FixedClock(NOON + timedelta(hours=2))
    loops = [loop(kernel_database, clock, Due("things", do_things)) for _ in range(6)]

    async def drain(one: DueLoop) -> None:
        while await one.round():
            pass

    await asyncio.gather(*(drain(one) for one in loops))
    # SKIP LOCKED may end a loop early while another still works; the next round finds the rest.
    await drain(loops[0])
    assert await done(kernel_database) == [1] * 60


async def test_a_loop_goes_on_until_it_is_cancelled(kernel_database: Database) -> None:
    await prepare(kernel_database, 4)
    seen = asyncio.Event()

    async def work(unit: Unit) -> int:
        did = await do_things(unit)
        if did == 0:
            seen.set()
        return did

    clock = FixedClock(NOON + timedelta(hours=1))
    task = asyncio.create_task(loop(kernel_database, clock, Due("things", work)).run())
    await seen.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await done(kernel_database) == [1] * 4
