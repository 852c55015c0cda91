"""However many messages are parked, whose turn it is is found cheaply, and a try counts once."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from shared.db import Connection, Database
from shared.messaging import dead_letters, parking
from shared.security.principal import Principal
from tests.support import steps
from tests.support.messaging import StepTaken, case, record, units


@pytest.fixture
async def database(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    opened = await room_database("kernel")
    await steps.prepare(opened)
    return opened


async def park_many(conn: Connection, keys: int, each: int) -> None:
    """Rows whose content does not matter; the first of each key is dead."""
    await conn.execute(
        """INSERT INTO parked (consumer, subject, topic, partition, offset_, headers, value, dead)
           SELECT $1, 'case-' || k, 't', k, n, '{}', '', n = 1
           FROM generate_series(1, $2::int) k, generate_series(1, $3::int) n""",
        steps.ROOM,
        keys,
        each,
    )


def scanned(node: dict[str, Any]) -> Iterator[int]:
    """Rows that each scan of a plan has read, those it threw away too."""
    if "Scan" in node["Node Type"]:
        loops = node["Actual Loops"]
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        yield round(loops * read)
    for inner in node.get("Plans", ()):
        yield from scanned(inner)


@pytest.mark.parametrize("analyzed", [False, True])
async def test_looking_for_due_keys_reads_keys_and_not_what_waits_behind_them(
    database: Database, analyzed: bool
) -> None:
    async with database.transaction() as conn:
        await park_many(conn, keys=20, each=1000)
        if analyzed:
            await conn.execute("ANALYZE parked")
        explain = "EXPLAIN (ANALYZE, FORMAT JSON) " + parking._DUE_KEYS
        (plan,) = json.loads(await conn.fetchval(explain, steps.ROOM, 200))
    assert sum(scanned(plan["Plan"])) < 200


async def test_what_waits_behind_a_dead_message_is_not_due(database: Database) -> None:
    async with database.transaction() as conn:
        await park_many(conn, keys=3, each=5)
        await conn.execute("UPDATE parked SET dead = false WHERE subject = 'case-2'")
        assert await parking.due_keys(conn, steps.ROOM, 10) == ["case-2"]
        assert await parking.due_keys(conn, "another", 10) == []


async def test_keys_take_turns(database: Database) -> None:
    cases = [case(), case()]
    for number, case_id in enumerate(cases):
        await steps.poison(database, case_id, 0)
        await steps.consumer(database).handle(
            [record(StepTaken(case_id=case_id, step=n), number * 10 + n) for n in range(3)]
        )
    await steps.heal(database)
    retrier = steps.retrier(database)
    await retrier.work_one()
    await retrier.work_one()
    assert set(await steps.effects(database)) == set(cases)


async def test_a_try_that_another_instance_has_counted_does_not_count_again(
    database: Database,
) -> None:
    bad = case()
    await steps.poison(database, bad, 0)
    await steps.consumer(database).handle([record(StepTaken(case_id=bad, step=0), 0)])
    retrier = steps.retrier(database)
    async with database.reader() as conn:
        row = await parking.take_head(conn, steps.ROOM, str(bad))
    assert row is not None
    while await retrier.work_one():
        pass
    await retrier._count(row, steps.PoisonedError("late"))
    async with database.reader() as conn:
        (letter,) = await dead_letters.list_dead_letters(conn)
        copies = await conn.fetchval("SELECT count(*) FROM outbox")
    assert letter.attempts == 4
    assert copies == 1


async def test_a_dead_letter_is_reported_with_what_it_was_and_why(database: Database) -> None:
    bad = case()
    await steps.poison(database, bad, 0)
    step = record(StepTaken(case_id=bad, step=0), 7)
    await steps.consumer(database).handle([step])
    retrier = steps.retrier(database)
    while await retrier.work_one():
        pass
    async with database.reader() as conn:
        row = await conn.fetchrow("SELECT topic, subject, headers, data FROM outbox")
    assert row is not None
    headers = json.loads(row["headers"])
    assert row["topic"] == f"{steps.ROOM}.dead-letters"
    assert (row["subject"], row["data"]) == (str(bad), step.value)
    assert headers["ce_type"] == StepTaken.type
    assert headers["madoguchi-reason"] == "PoisonedError: this step cannot be taken"
    assert headers["madoguchi-origin"] == f"{StepTaken.topic}/0/7"


async def test_a_discarded_dead_letter_stays_out_of_a_replay_from_the_beginning(
    database: Database,
) -> None:
    bad = case()
    await steps.poison(database, bad, 0)
    walk = [record(StepTaken(case_id=bad, step=n), n) for n in range(3)]
    consumer, retrier = steps.consumer(database), steps.retrier(database)
    await consumer.handle(walk)
    while await retrier.work_one():
        pass
    async with database.reader() as conn:
        (letter,) = await dead_letters.list_dead_letters(conn)
    async with units(database).begin(Principal.system("operator")) as unit:
        await dead_letters.discard(unit, letter.id, "sent by a broken test")
    while await retrier.work_one():
        pass
    await steps.heal(database)
    await consumer.handle(walk)
    assert await steps.effects(database) == {bad: [1, 2]}
