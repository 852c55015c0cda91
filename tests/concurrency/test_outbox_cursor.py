"""No committed row is skipped and every subject keeps its order, whatever writers do.

Sixteen writers share few subjects; half of them take their transaction id long before they write,
so that ids, positions and commits come in three different orders. The cursors that look simpler
fail here: by position, by position below xmin, and by the writer's own transaction id.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
import pytest

from shared.db import session
from shared.ids import new_id
from shared.messaging import outbox, outbox_reader
from tests.conftest import DatabaseMaker
from tests.support.messaging import NOON
from tests.support.sizes import proof_size

WRITERS = 16
ROWS_PER_TRANSACTION = 5
SUBJECTS = [f"case-{number}" for number in range(60)]

Seen = list[tuple[str, int]]


@dataclass
class Position:
    """Where a simpler reader stands."""

    pos: int = 0
    shards: list[int] = field(default_factory=lambda: list(range(outbox.SHARDS)))


async def by_xid_and_pos(conn: asyncpg.Connection, at: Position) -> Seen:
    """The relay's own reader."""
    rows = await outbox_reader.read(conn, at.shards, 500)
    if rows:
        await outbox_reader.advance(conn, {r["shard"]: (r["xid"], r["pos"]) for r in rows})
    return [(row["subject"], row["sequence"]) for row in rows]


async def by_pos(conn: asyncpg.Connection, at: Position) -> Seen:
    """A plain id cursor."""
    return await _by_pos(conn, at, "true")


async def by_pos_below_xmin(conn: asyncpg.Connection, at: Position) -> Seen:
    """An id cursor that at least does not look at running transactions."""
    return await _by_pos(conn, at, "xid < pg_snapshot_xmin(pg_current_snapshot())")


async def _by_pos(conn: asyncpg.Connection, at: Position, visible: str) -> Seen:
    rows = await conn.fetch(
        f"SELECT pos, subject, sequence FROM outbox WHERE pos > $1 AND {visible}"
        " ORDER BY pos LIMIT 500",
        at.pos,
    )
    if rows:
        at.pos = rows[-1]["pos"]
    return [(row["subject"], row["sequence"]) for row in rows]


Reader = Callable[[asyncpg.Connection, Position], Awaitable[Seen]]


async def write(url: str, number: int, transactions: int) -> None:
    """One adversarial writer."""
    choose = random.Random(number)
    conn = await session(url, application="writer")
    try:
        for _ in range(transactions):
            async with conn.transaction():
                if number % 2:
                    await conn.execute("SELECT pg_current_xact_id()")
                    await asyncio.sleep(choose.uniform(0, 0.02))
                await outbox.append(conn, "/141305/testing", _rows(choose))
                if choose.random() < 0.3:
                    await asyncio.sleep(choose.uniform(0, 0.01))
    finally:
        await conn.close()


def _rows(choose: random.Random) -> list[outbox.OutboxRow]:
    return [
        outbox.OutboxRow(
            id=new_id(),
            topic="preparation.events",
            type="test.v1",
            subject=choose.choice(SUBJECTS),
            time=NOON,
            traceparent=None,
            data=b"{}",
        )
        for _ in range(ROWS_PER_TRANSACTION)
    ]


async def race(url: str, reader: Reader, rows: int) -> Seen:
    """Write ``rows`` adversarially while ``reader`` follows; what it saw, in order."""
    transactions = rows // WRITERS // ROWS_PER_TRANSACTION
    writers = [asyncio.create_task(write(url, n, transactions)) for n in range(WRITERS)]
    conn = await session(url, application="reader")
    seen: Seen = []
    at = Position()
    try:
        while not all(writer.done() for writer in writers):
            seen += await reader(conn, at)
            await asyncio.sleep(0.002)
        await asyncio.gather(*writers)
        while batch := await reader(conn, at):
            seen += batch
        return seen
    finally:
        await conn.close()


def skipped(seen: Seen, rows: int) -> int:
    """How many rows a reader never saw."""
    return rows - len(set(seen))


def out_of_order(seen: Seen) -> int:
    """How often a subject's sequence went back."""
    last: dict[str, int] = {}
    count = 0
    for subject, sequence in seen:
        count += sequence < last.get(subject, 0)
        last[subject] = max(sequence, last.get(subject, 0))
    return count


STATEMENT, COPY = 10**6, 1
"""From how many rows on they are copied: never, always."""


@pytest.mark.proof
@pytest.mark.parametrize("many", [STATEMENT, COPY])
async def test_nothing_is_skipped_and_subjects_keep_their_order(
    make_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(outbox, "MANY", many)
    rows = proof_size(4_000, 24_000)
    seen = await race(await make_database(), by_xid_and_pos, rows)
    assert skipped(seen, rows) == 0
    assert len(seen) == rows
    assert out_of_order(seen) == 0


@pytest.mark.proof
@pytest.mark.parametrize("reader", [by_pos, by_pos_below_xmin])
async def test_the_naive_cursors_skip_rows(make_database: DatabaseMaker, reader: Reader) -> None:
    rows = proof_size(4_000, 24_000)
    seen = await race(await make_database(), reader, rows)
    assert skipped(seen, rows) > 0


@pytest.mark.proof
@pytest.mark.parametrize(("many", "name"), [(STATEMENT, "_APPEND"), (COPY, "_HEADS")])
async def test_the_writers_own_xid_alone_breaks_the_order(
    make_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch, many: int, name: str
) -> None:
    monkeypatch.setattr(outbox, "MANY", many)
    sql = getattr(outbox, name)
    own = sql.replace("greatest(h.xid, excluded.xid)", "excluded.xid")
    assert own != sql
    monkeypatch.setattr(outbox, name, own)
    rows = proof_size(4_000, 24_000)
    seen = await race(await make_database(), by_xid_and_pos, rows)
    assert skipped(seen, rows) == 0
    assert out_of_order(seen) > 0


async def test_rows_that_are_copied_are_written_like_the_others(
    make_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn = await session(await make_database(), application="writer")
    try:
        for many in (STATEMENT, COPY):
            monkeypatch.setattr(outbox, "MANY", many)
            rows = _rows(random.Random(1))
            async with conn.transaction():
                await outbox.append(conn, "/141305/testing", rows)
        written = await conn.fetch(
            "SELECT shard, topic, source, type, subject, time, traceparent, headers, data,"
            " weekday, sequence - first_value(sequence) OVER (PARTITION BY subject, xid"
            " ORDER BY pos) AS since FROM outbox ORDER BY xid, pos"
        )
        assert written[: len(rows)] == written[len(rows) :]
        heads = "SELECT count(*) FROM outbox_head h WHERE sequence <> "
        assert not await conn.fetchval(
            heads + "(SELECT max(sequence) FROM outbox o WHERE o.subject = h.subject)"
        )
    finally:
        await conn.close()


async def test_a_restored_dump_is_published_again_in_order(make_database: DatabaseMaker) -> None:
    conn = await session(await make_database(), application="reader")
    try:
        for _ in range(3):
            async with conn.transaction():
                await outbox.append(conn, "/141305/testing", _rows(random.Random(1)))
        at = Position()
        first = await by_xid_and_pos(conn, at)
        assert await by_xid_and_pos(conn, at) == []
        # What a dump brings along: another cluster's identity, and ids from its future.
        await conn.execute("UPDATE outbox_cursor SET system_identifier = 1, xid = '999999999'")
        await conn.execute("UPDATE outbox SET xid = (xid::text::bigint + 900000000)::text::xid8")
        assert await outbox_reader.adopt_cluster(conn)
        again = await by_xid_and_pos(conn, at)
        assert sorted(again) == sorted(first)
        assert out_of_order(again) == 0
        assert not await outbox_reader.adopt_cluster(conn)
    finally:
        await conn.close()


async def test_only_published_and_old_partitions_are_emptied(make_database: DatabaseMaker) -> None:
    conn = await session(await make_database(), application="reader")
    try:
        await outbox.append(conn, "/141305/testing", _rows(random.Random(1)))
        await conn.execute("UPDATE outbox SET recorded_at = now() - interval '3 days'")
        assert await outbox_reader.empty_published(conn, 48) == []
        await by_xid_and_pos(conn, Position())
        assert await outbox_reader.empty_published(conn, 96) == []
        assert len(await outbox_reader.empty_published(conn, 48)) == 1
        assert await conn.fetchval("SELECT count(*) FROM outbox") == 0
    finally:
        await conn.close()


async def test_looking_whether_a_day_can_be_emptied_locks_nobody_out(
    make_database: DatabaseMaker,
) -> None:
    url = await make_database()
    conn, reader = await session(url, application="relay"), await session(url, application="dump")
    try:
        await outbox.append(conn, "/141305/testing", _rows(random.Random(1)))
        async with reader.transaction():
            await reader.fetch("SELECT FROM outbox")  # as a dump does, for hours
            # Nothing is past its retention; waiting for the lock would keep every writer waiting.
            assert await outbox_reader.empty_published(conn, 48) == []
            await by_xid_and_pos(conn, Position())
            await conn.execute("UPDATE outbox SET recorded_at = now() - interval '3 days'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await outbox_reader.empty_published(conn, 48)
        assert len(await outbox_reader.empty_published(conn, 48)) == 1
    finally:
        await conn.close()
        await reader.close()
