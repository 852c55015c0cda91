"""Read models built again: the same as the live one, which goes on meanwhile and loses nothing."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.structs import ConsumerRecord

from deploy.embedded.kafka import EmbeddedKafka
from services.reporting.events import CASES, PROJECTIONS, SITES, SUBSCRIBES
from services.reporting.rebuild import BeingBuilt, Replay, ShapeChanged, WouldLose
from services.reporting.store import projections, shapes
from shared.db import Connection, Database
from shared.messaging.subscriptions import Subscription
from tests.reporting import topics
from tests.reporting.topics import House
from tests.support.rooms import history
from tests.support.sizes import proof_size

HEARD = {topic for each in SUBSCRIBES for topic in each.topics}
RECORDS = [each for each in history(cases=40, seed=7) if each.topic in HEARD]

_SHAPE = """
SELECT 'column' AS part, attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull
       || ' ' || attgenerated::text || ' ' || attidentity::text
FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0
UNION ALL
SELECT 'constraint', conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid = $1::regclass
UNION ALL
SELECT 'index', replace(pg_get_indexdef(indexrelid), $2, '') FROM pg_index
WHERE indrelid = $1::regclass
UNION ALL
SELECT 'storage', coalesce(reloptions::text, '') FROM pg_class WHERE oid = $1::regclass
ORDER BY 1, 2
"""


@pytest_asyncio.fixture
async def house(
    make_database: Callable[..., Awaitable[str]], kafka: EmbeddedKafka
) -> AsyncIterator[House]:
    """A room with topics of its own."""
    async with topics.house(await make_database("reporting"), kafka.bootstrap) as made:
        yield made


async def shape(conn: Connection, schema: str, table: str) -> list[tuple[object, ...]]:
    rows = await conn.fetch(_SHAPE, f"{schema}.{table}", f" ON {schema}.")
    return [tuple(row) for row in rows]


async def test_a_copy_has_the_shape_of_its_table(
    room_database: Callable[[str], Awaitable[Database]],
) -> None:
    database = await room_database("reporting")
    async with database.transaction() as conn:
        for each in PROJECTIONS:
            await shapes.copy(conn, f"copy_{each.name}", each.tables)
            for table in each.tables:
                copied = await shape(conn, f"copy_{each.name}", table)
                assert copied == await shape(conn, "public", table)
        with pytest.raises(shapes.TableMissingError, match="nowhere"):
            await shapes.copy(conn, "more", ["nowhere"])


async def test_a_rebuild_equals_the_live_one_which_goes_on(house: House) -> None:
    early, late = RECORDS[: len(RECORDS) // 2], RECORDS[len(RECORDS) // 2 :]
    await house.publish(early)
    async with house.live() as _:
        publishing = asyncio.create_task(trickle(house, late))
        for each in PROJECTIONS:
            assert (await house.rebuild(each)).generation == 2
        await publishing
        await house.until_handled(len(RECORDS))
        after = await house.state()
        for each in PROJECTIONS:
            done = await house.rebuild(each)
            assert (done.same, done.generation) == (True, 3)
    assert await house.state() == after == await state_in_order(house)


async def trickle(house: House, records: list[ConsumerRecord]) -> None:
    for start in range(0, len(records), 25):
        await house.publish(records[start : start + 25])


async def state_in_order(house: House) -> str:
    """What the same records come to where nothing is rebuilt: all tables emptied, all heard."""
    async with house.database.transaction() as conn:
        tables = ", ".join(table for each in PROJECTIONS for table in each.tables)
        await conn.execute(f"TRUNCATE {tables}, inbox")
    await house.hear(RECORDS)
    return await house.state()


async def test_a_consumer_killed_in_the_middle_changes_nothing(house: House) -> None:
    await house.publish(RECORDS)
    for share in (0.2, 0.4, 0.6, 0.8)[: proof_size(1, 4)]:
        async with house.live(batch=20) as process:
            await house.until_handled(int(len(RECORDS) * share))
            process.kill()
    async with house.live():
        await house.until_handled(len(RECORDS))
    assert await house.state() == await state_in_order(house)


async def test_a_rebuild_that_was_ended_goes_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.publish(RECORDS)
    await house.hear(RECORDS)
    handle, polls = Replay.handle, 0

    async def ends_in_the_middle(self: Replay, *args: object) -> object:
        nonlocal polls
        polls += 1
        if polls == 3:
            raise ConnectionError("pulled")
        return await handle(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Replay, "handle", ends_in_the_middle)
    with pytest.raises(ConnectionError):
        await house.rebuild(CASES)
    done = await house.rebuild(CASES)
    assert (done.same, done.generation) == (True, 2)
    assert polls < 2 + len(RECORDS) // 50


async def test_what_is_heard_during_the_switch_is_in_the_new_tables(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail without ``hold_still``: then it is written into tables that are thrown away."""
    early, late = RECORDS[:-50], RECORDS[-50:]
    await house.publish(early)
    await house.hear(early)
    hearing: list[asyncio.Task[None]] = []
    lost = projections.lost

    async def lost_while_more_comes(*args: object) -> object:
        hearing.append(asyncio.create_task(house.hear(late)))
        await asyncio.wait(hearing, timeout=0.5)
        return await lost(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(projections, "lost", lost_while_more_comes)
    assert (await house.rebuild(CASES)).generation == 2
    await asyncio.gather(*hearing)
    assert await house.state() == await state_in_order(house)


async def test_the_command_rebuilds_and_lists(house: House, tmp_path: Path) -> None:
    await house.publish(RECORDS)
    await house.hear(RECORDS)
    async with house.database.transaction() as conn:
        await conn.execute("INSERT INTO projection_behind VALUES ('cases', 6)")
    _, _, listed = await madoguchi(house, tmp_path, "list", "--json")
    behind = [each["name"] for each in json.loads(listed) if each["rebuild_needed"]]
    assert behind == ["cases"]
    code, told, _ = await madoguchi(house, tmp_path, "rebuild", "sites", "cases")
    assert code == 0, told
    assert "sites: generation 2 is live" in told
    assert told.count("the same rows as before") == 2
    _, _, listed = await madoguchi(house, tmp_path, "list", "--json")
    live = {each["name"]: each["live"] for each in json.loads(listed)}
    assert not any(each["rebuild_needed"] for each in json.loads(listed))
    assert live == {
        "cases": 2,
        "sites": 2,
        "measures": 1,
        "site_days": 1,
        "free_days": 1,
        "searches": 1,
    }


async def madoguchi(house: House, folder: Path, *arguments: str) -> tuple[int | None, str, str]:
    """The end of `madoguchi projections …`, and what it said on standard error and output."""
    clean = {name: value for name, value in os.environ.items() if "MADOGUCHI" not in name}
    told = {
        "MADOGUCHI_HOME": str(folder),
        "MADOGUCHI_REPORTING_DATABASE_URL": house.url,
        "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS": house.settings.kafka_bootstrap_servers,
        "MADOGUCHI_TOPIC_PREFIX": house.settings.topic_prefix,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from deploy.cli.main import main; main()", "projections"),
        *arguments,
        env={**clean, "LC_ALL": "C.UTF-8", **told},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, err.decode(), out.decode()


async def test_two_never_build_the_same(house: House) -> None:
    async with house.database.reader() as conn:
        assert await projections.claim(conn, "cases")
        with pytest.raises(BeingBuilt):
            await house.rebuild(CASES)
        await conn.execute("SELECT pg_advisory_unlock_all()")


async def test_nothing_is_switched_that_would_lack_an_event(house: House) -> None:
    """A handler that fails, here because it reaches for a live table, keeps the live one live."""
    await house.publish(RECORDS)
    await house.hear(RECORDS)
    before = await house.state()

    async def reaches_out(unit: object, _: object) -> None:
        await unit.conn.execute("DELETE FROM case_fact")  # type: ignore[attr-defined]

    first = SITES.subscriptions[0]
    broken = Subscription(first.event_type, reaches_out, first.topics)
    with pytest.raises(WouldLose, match="UndefinedTableError"):
        await house.rebuild(replace(SITES, subscriptions=(broken, *SITES.subscriptions[1:])))
    async with house.database.transaction() as conn:
        await conn.execute("DELETE FROM parked")  # what the failed build set aside
    assert await house.state() == before
    assert (await house.rebuild(SITES, fresh=True)).same


async def test_a_migration_in_between_ends_the_rebuild(house: House) -> None:
    async with house.database.transaction() as conn:
        await projections.begin(conn, "cases", CASES.tables)
        await conn.execute("UPDATE projection SET building_shape = building_shape - 1")
    with pytest.raises(ShapeChanged):
        await house.rebuild(CASES)
    assert (await house.rebuild(CASES, fresh=True)).generation == 3


def test_each_table_belongs_to_one_read_model() -> None:
    tables = [table for each in PROJECTIONS for table in each.tables]
    assert len(tables) == len(set(tables))
