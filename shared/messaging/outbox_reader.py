"""The relay's SQL: what is to be published, how far we are, and emptying what is done with."""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from shared.db import Row

_READ = """
SELECT o.shard, o.xid::text AS xid, o.pos, o.id, o.topic, o.source, o.type, o.subject, o.sequence,
       o.time, o.traceparent, o.headers, o.data
FROM outbox_cursor c
CROSS JOIN LATERAL (
    SELECT * FROM outbox
    WHERE outbox.shard = c.shard
      AND (outbox.xid, outbox.pos) > (c.xid, c.pos)
      AND outbox.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY outbox.xid, outbox.pos
    LIMIT $2
) o
WHERE c.shard = ANY($1::smallint[])
"""

_ADVANCE = """
UPDATE outbox_cursor c SET xid = v.xid, pos = v.pos
FROM (SELECT shard, xid::xid8 AS xid, pos
      FROM unnest($1::smallint[], $2::text[], $3::bigint[]) AS u(shard, xid, pos)) v
WHERE c.shard = v.shard AND (v.xid, v.pos) > (c.xid, c.pos)
"""

_BACKLOG = """
SELECT count(*) AS rows, coalesce(extract(epoch FROM now() - min(o.recorded_at)), 0) AS age
FROM outbox_cursor c
CROSS JOIN LATERAL (
    SELECT recorded_at FROM outbox
    WHERE outbox.shard = c.shard AND (outbox.xid, outbox.pos) > (c.xid, c.pos)
    ORDER BY outbox.xid, outbox.pos LIMIT 25000
) o
"""

# A dump restored into another cluster brings rows whose xids mean nothing there. They go back to
# the beginning of this cluster's time, in the order they had.
_REBASE = """
WITH old AS (DELETE FROM outbox RETURNING *)
INSERT INTO outbox (shard, xid, pos, weekday, recorded_at, id, topic, source, type, subject,
                    sequence, time, traceparent, headers, data)
OVERRIDING SYSTEM VALUE
SELECT shard, '0', row_number() OVER (PARTITION BY shard ORDER BY xid, pos), weekday, recorded_at,
       id, topic, source, type, subject, sequence, time, traceparent, headers, data
FROM old
"""


async def read(conn: asyncpg.Connection, shards: Iterable[int], limit: int) -> list[Row]:
    """Up to ``limit`` rows of each shard, in publication order within it."""
    return await conn.fetch(_READ, list(shards), limit)


async def advance(conn: asyncpg.Connection, last: Mapping[int, tuple[str, int]]) -> None:
    """Move the cursors to the last acknowledged ``(xid, pos)`` of each shard.

    Losing this to a crash publishes rows again, which the inbox knows; so it need not wait for
    the disk.
    """
    async with conn.transaction():
        await conn.execute("SET LOCAL synchronous_commit = off")
        shards = list(last)
        positions = [last[shard] for shard in shards]
        await conn.execute(_ADVANCE, shards, [x for x, _ in positions], [p for _, p in positions])


async def backlog(conn: asyncpg.Connection) -> tuple[int, float]:
    """Rows not published yet (counted up to 100,000) and the oldest one's age in seconds."""
    row = await conn.fetchrow(_BACKLOG)
    assert row is not None  # noqa: S101  an aggregate always has one row
    return row["rows"], float(row["age"])


async def adopt_cluster(conn: asyncpg.Connection) -> bool:
    """Make the cursors this cluster's own; True when they came from another (a restored dump).

    Every retained row is then published again: what the other cluster had published after the
    dump was taken is unknown here, and consumers know what they have handled.
    """
    async with conn.transaction():
        # Days of rows may be moved; cut off by a time-out, no relay would ever begin.
        await conn.execute("SET LOCAL statement_timeout = 0")
        foreign = await conn.fetch(
            """SELECT shard FROM outbox_cursor
               WHERE system_identifier <> (SELECT system_identifier FROM pg_control_system())
               FOR UPDATE"""
        )
        if not foreign:
            return False
        await conn.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
        await conn.execute(_REBASE)
        await conn.execute("UPDATE outbox_head SET xid = '0'")
        await conn.execute(
            """UPDATE outbox_cursor SET xid = '0', pos = 0,
               system_identifier = (SELECT system_identifier FROM pg_control_system())"""
        )
        return True


async def empty_published(conn: asyncpg.Connection, retention_hours: int) -> Sequence[int]:
    """Truncate weekday partitions whose rows are all published and past retention."""
    emptied = []
    for weekday in range(1, 8):
        async with conn.transaction():
            await conn.execute("SET LOCAL lock_timeout = '1s'")
            if not await _is_done_with(conn, weekday, retention_hours):
                continue
            # Only now the lock, which nobody can write or read beside, and then a second look.
            await conn.execute(f"LOCK TABLE outbox_{weekday} IN ACCESS EXCLUSIVE MODE")
            if await _is_done_with(conn, weekday, retention_hours):
                await conn.execute(f"TRUNCATE outbox_{weekday}")
                emptied.append(weekday)
    return emptied


async def _is_done_with(conn: asyncpg.Connection, weekday: int, retention_hours: int) -> bool:
    """Whether the partition has rows, all of them published and past retention."""
    done: bool = await conn.fetchval(
        f"""SELECT EXISTS (SELECT FROM outbox_{weekday}) AND NOT EXISTS (
                SELECT FROM outbox_{weekday} o LEFT JOIN outbox_cursor c USING (shard)
                WHERE o.recorded_at > now() - make_interval(hours => $1)
                   OR c.shard IS NULL OR (o.xid, o.pos) > (c.xid, c.pos))""",  # noqa: S608
        retention_hours,
    )
    return done
