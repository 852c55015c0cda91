"""Every committed entry is sealed once, whatever order transactions begin, write and commit in."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from shared.security import audit, sealer
from shared.security.checkpoints import CheckpointStore, SignedCheckpoint
from tests.support.audited import AuditedRoom, entry

NAIVE = {
    "position alone": """
        SELECT * FROM audit_entry WHERE pos > $2 AND ($1::xid8, $3::bigint) IS NOT NULL
        ORDER BY pos LIMIT 5000""",
    "position, finished transactions": """
        SELECT * FROM audit_entry
        WHERE pos > $2 AND ($1::xid8, $3::bigint) IS NOT NULL
          AND xid < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY pos LIMIT 5000""",
    "transaction and position, unfinished too": """
        SELECT * FROM audit_entry WHERE (xid, pos) > ($1, $2) AND pos > $3
        ORDER BY xid, pos LIMIT 5000""",
}


class Writer:
    """A transaction that takes its id, writes and commits when it is told to."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn
        self._transaction = conn.transaction()

    async def begin(self) -> None:
        await self._transaction.start()
        await self._conn.execute("SELECT pg_current_xact_id()")

    async def write(self) -> None:
        await audit.append(self._conn, [entry(1)])

    async def commit(self) -> None:
        await self._transaction.commit()


@asynccontextmanager
async def two_writers(room: AuditedRoom) -> AsyncIterator[tuple[Writer, Writer]]:
    """The first has the smaller transaction id."""
    one, two = await asyncpg.connect(room.url), await asyncpg.connect(room.url)
    try:
        early, late = Writer(one), Writer(two)
        await early.begin()
        await late.begin()
        yield early, late
    finally:
        await one.close()
        await two.close()


async def smaller_position_commits_last(room: AuditedRoom) -> None:
    async with two_writers(room) as (early, late):
        await early.write()
        await late.write()
        await late.commit()
        await room.seal()
        await early.commit()


async def smaller_id_takes_the_larger_position(room: AuditedRoom) -> None:
    async with two_writers(room) as (early, late):
        await late.write()
        await early.write()
        await early.commit()
        await room.seal()
        await late.commit()


async def smaller_id_writes_after_the_larger_was_there(room: AuditedRoom) -> None:
    async with two_writers(room) as (early, late):
        await late.write()
        await late.commit()
        await room.seal()
        await early.write()
        await early.commit()


SCHEDULES = [
    smaller_position_commits_last,
    smaller_id_takes_the_larger_position,
    smaller_id_writes_after_the_larger_was_there,
]


async def lost(room: AuditedRoom) -> int:
    await room.seal()
    await room.seal()
    missing: int = await room.conn.fetchval(
        "SELECT count(*) FROM audit_entry WHERE pos NOT IN (SELECT pos FROM audit_seal)"
    )
    return missing


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda each: each.__name__)
async def test_late_commits_are_not_skipped(
    room: AuditedRoom, schedule: Callable[[AuditedRoom], asyncio.Future[None]]
) -> None:
    await schedule(room)
    assert await lost(room) == 0
    assert (await room.verify()).ok


@pytest.mark.parametrize("cursor", list(NAIVE))
async def test_naive_cursors_skip(
    room: AuditedRoom, monkeypatch: pytest.MonkeyPatch, cursor: str
) -> None:
    """Each naive cursor loses entries in at least one of the schedules, so each guard is needed."""
    monkeypatch.setattr(sealer, "_UNSEALED", NAIVE[cursor])
    for schedule in SCHEDULES:
        await schedule(room)
    assert await lost(room) > 0
    monkeypatch.undo()
    assert (await room.verify()).first_break is not None, "and verifying tells"


async def adversary(room: AuditedRoom, seed: int, transactions: int) -> None:
    """Half of the transactions take their id early; all pause before writing and committing."""
    dice = random.Random(seed)
    conn = await asyncpg.connect(room.url)
    for _ in range(transactions):
        async with conn.transaction():
            if dice.random() < 0.5:
                await conn.execute("SELECT pg_current_xact_id()")
            await asyncio.sleep(dice.random() * 0.01)
            await audit.append(conn, [entry(n) for n in range(dice.randint(1, 4))])
            await asyncio.sleep(dice.random() * 0.01)
    await conn.close()


async def test_nothing_is_skipped_while_many_write(room: AuditedRoom) -> None:
    await room.seal()
    writers = asyncio.gather(*(adversary(room, seed, 60) for seed in range(8)))
    while not writers.done():
        await room.seal()
        await asyncio.sleep(0.001)
    await writers
    assert await lost(room) == 0
    assert (await room.verify()).ok


async def sealed(room: AuditedRoom, count: int) -> None:
    """Wait until ``count`` entries are sealed."""
    while True:
        if await room.conn.fetchval("SELECT count(*) FROM audit_seal") >= count:
            return
        await asyncio.sleep(0.05)


async def sealers_backends(room: AuditedRoom) -> list[int]:
    rows = await room.conn.fetch(
        """SELECT pid FROM pg_stat_activity
           WHERE application_name = 'madoguchi-sealer' AND datname = current_database()"""
    )
    return [row["pid"] for row in rows]


@asynccontextmanager
async def running(*sealers: sealer.Sealer) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in sealers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_two_sealers_make_one_chain(room: AuditedRoom) -> None:
    pair = [room.sealer(), room.sealer()]
    async with running(*pair):
        await room.write(20)
        await sealed(room, 20)
        assert [each.owner for each in pair].count(True) == 1
        for round_ in range(2, 5):
            owner = next(each for each in pair if each.owner)
            for pid in await sealers_backends(room):
                await room.conn.execute("SELECT pg_terminate_backend($1)", pid)
            await room.write(20)
            await sealed(room, 20 * round_)
            assert owner in pair
    report = await room.verify()
    assert report.ok, report
    assert (report.sealed, report.unsealed) == (80, 0)
    assert report.checkpoints > 0


async def test_a_second_sealer_without_the_lock_cannot_fork_the_chain(room: AuditedRoom) -> None:
    """The lock is for peace; the primary key is the guard."""
    await room.write(3)
    tip = await sealer.open_chain(room.conn)
    await room.seal()
    await room.write(1)
    rows = await room.conn.fetch("SELECT * FROM audit_entry WHERE pos = 4")
    with pytest.raises(asyncpg.UniqueViolationError):
        await sealer._write(room.conn, tip, rows)
    await room.seal()
    assert (await room.verify()).ok


async def test_sealing_goes_on_while_the_audit_database_is_away(room: AuditedRoom) -> None:
    await room.write(2)
    store = CheckpointStore(room.audit_url.replace("audit_", "nowhere_"), room.chain)
    alone = sealer.Sealer(room.url, checkpoints=store, signer=room.signer, every=0)
    assert await alone.seal_all(room.conn) == 2
    report = await room.verify()
    assert report.ok
    assert report.checkpoints == 0


async def test_sealing_does_not_wait_for_a_slow_audit_database(room: AuditedRoom) -> None:
    class Slow(CheckpointStore):
        async def last(self) -> SignedCheckpoint | None:
            await asyncio.Event().wait()
            return None

    slow = Slow(room.audit_url, room.chain)
    async with running(sealer.Sealer(room.url, checkpoints=slow, signer=room.signer, every=0)):
        for round_ in range(1, 4):
            await room.write(1)
            await sealed(room, round_)
    assert (await room.verify()).ok


async def test_a_checkpoint_only_where_something_is_new(room: AuditedRoom) -> None:
    await room.seal()
    assert (await room.verify()).checkpoints == 0, "an empty chain needs none"
    await room.write(2)
    for _ in range(3):
        await room.seal()
    assert (await room.verify()).checkpoints == 1


async def test_a_restored_dump_begins_a_new_era(room: AuditedRoom) -> None:
    """The other cluster was at far larger transaction ids, and left two entries unsealed."""
    await room.write(5)
    await room.tamper("UPDATE audit_entry SET xid = '900000000000'")
    await room.seal_below("900000000001")
    await room.write(2)
    await room.tamper(
        "UPDATE audit_entry SET xid = '900000000002' WHERE pos > 5",
        "UPDATE audit_era SET system_identifier = 1",
    )
    assert await room.seal() == 0, "sealed as the era began"
    await room.write(4)
    assert await room.seal() == 4
    assert await lost(room) == 0
    report = await room.verify()
    assert report.ok, report
    assert report.sealed == 11
