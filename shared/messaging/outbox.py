"""The outbox: events commit with the state they tell of, and keep their order per subject.

Publication order is ``(xid, pos)``, read only below the snapshot's ``xmin``. A row's ``xid`` is
the greater of its transaction's id and that of the subject's previous row. So

* no row is skipped: it carries at least its own transaction's id, and the relay never passes an
  id that is still running;
* a subject's rows keep their order, even when the later writer took its transaction id first.
"""

import json
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Connection
from shared.writes import Write, write

SHARDS = 4
CHANNEL = "madoguchi_outbox"
"""Notified at the commit of a row; the statements below name it."""

MANY = 200
"""From so many rows on they are copied: two round trips more, half of the work for each row."""

LARGEST = 900_000
"""Bytes of an event's body. A broker takes records of 1 MiB; a greater one would stop its shard."""

_APPEND = """
event AS (
    SELECT * FROM unnest($2::smallint[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                         $7::timestamptz[], $8::text[], $9::bytea[])
    WITH ORDINALITY AS e(shard, id, topic, type, subject, time, traceparent, data, ordinal)
), head AS (
    INSERT INTO outbox_head AS h (subject, sequence, xid)
    SELECT subject, count(*), pg_current_xact_id() FROM event GROUP BY subject ORDER BY subject
    ON CONFLICT (subject) DO UPDATE
        SET sequence = h.sequence + excluded.sequence, xid = greatest(h.xid, excluded.xid)
    RETURNING subject, sequence, xid
), written AS (
    INSERT INTO outbox (shard, xid, id, topic, source, type, subject, sequence, time,
                        traceparent, data)
    SELECT e.shard, head.xid, e.id, e.topic, $1, e.type, e.subject,
           head.sequence - count(*) OVER (PARTITION BY e.subject)
               + row_number() OVER (PARTITION BY e.subject ORDER BY e.ordinal),
           e.time, e.traceparent, e.data
    FROM event e JOIN head USING (subject)
    ORDER BY e.ordinal
)
"""

# One event without arrays: their plan would be made anew each time.
_APPEND_ONE = """
head AS (
    INSERT INTO outbox_head AS h (subject, sequence, xid) VALUES ($6, 1, pg_current_xact_id())
    ON CONFLICT (subject) DO UPDATE
        SET sequence = h.sequence + 1, xid = greatest(h.xid, excluded.xid)
    RETURNING sequence, xid
), written AS (
    INSERT INTO outbox (shard, xid, id, topic, source, type, subject, sequence, time,
                        traceparent, data)
    SELECT $2, xid, $3, $4, $1, $5, $6, sequence, $7, $8, $9 FROM head
)
"""

_HEADS = """
INSERT INTO outbox_head AS h (subject, sequence, xid)
SELECT subject, count, pg_current_xact_id()
FROM unnest($1::text[], $2::int[]) AS e(subject, count) ORDER BY subject
ON CONFLICT (subject) DO UPDATE
    SET sequence = h.sequence + excluded.sequence, xid = greatest(h.xid, excluded.xid)
RETURNING subject, sequence, xid
"""
_WAKE = "pg_notify('madoguchi_outbox', '')"
_COLUMNS = (
    "shard",
    "xid",
    "id",
    "topic",
    "source",
    "type",
    "subject",
    "sequence",
    "time",
    "traceparent",
    "data",
)

_APPEND_COPY = """
WITH written AS (
    INSERT INTO outbox (shard, xid, id, topic, source, type, subject, sequence, time,
                        traceparent, headers, data)
    VALUES ($1, pg_current_xact_id(), $2, $3, '', '', $4, 0, now(), NULL, $5, $6)
)
SELECT pg_notify('madoguchi_outbox', '')
"""


class EventTooLargeError(ValueError):
    """A body is greater than ``LARGEST``; the text names the event's type and size."""


@dataclass(slots=True)
class OutboxRow:
    """One event as it will be published; ``data`` is its JSON body. Not frozen: units make so many
    that the guard would cost as much as the event.

    Raises ``EventTooLargeError`` rather than let the relay meet what no broker takes.
    """

    id: UUID
    topic: str
    type: str
    subject: str
    time: datetime
    traceparent: str | None
    data: bytes

    def __post_init__(self) -> None:
        if len(self.data) > LARGEST:
            raise EventTooLargeError(f"{self.type}: {len(self.data)} bytes, not above {LARGEST}")


def shard_of(subject: str) -> int:
    """The shard of a subject: all its rows are published by one relay at a time."""
    return zlib.crc32(subject.encode()) % SHARDS


async def append(conn: Connection, source: str, rows: Sequence[OutboxRow]) -> None:
    """Write ``rows`` in the caller's transaction, in the order given, and wake the relay.

    Locks each subject's head in subject order; call it last in a transaction, so that no other
    lock is waited for while heads are held.
    """
    if len(rows) >= MANY:
        await _append_many(conn, source, rows)
    elif rows:
        await write(conn, [few(source, rows)])


def few(source: str, rows: Sequence[OutboxRow]) -> Write:
    """``append`` of less than ``MANY`` rows, and one at least, together with other writes."""
    if len(rows) == 1:
        row = rows[0]
        one = (row.id, row.topic, row.type, row.subject, row.time, row.traceparent, row.data)
        return Write(_APPEND_ONE, (source, shard_of(row.subject), *one), _WAKE)
    values = (
        source,
        [shard_of(row.subject) for row in rows],
        [row.id for row in rows],
        [row.topic for row in rows],
        [row.type for row in rows],
        [row.subject for row in rows],
        [row.time for row in rows],
        [row.traceparent for row in rows],
        [row.data for row in rows],
    )
    return Write(_APPEND, values, _WAKE)


async def _append_many(conn: Connection, source: str, rows: Sequence[OutboxRow]) -> None:
    counts = Counter(row.subject for row in rows)
    heads = {
        subject: _Head(shard_of(subject), xid, sequence - counts[subject])
        for subject, sequence, xid in await conn.fetch(_HEADS, list(counts), list(counts.values()))
    }
    written = [_written(source, heads[row.subject], row) for row in rows]
    await conn.copy_records_to_table("outbox", records=written, columns=_COLUMNS)
    await conn.execute(f"SELECT {_WAKE}")


@dataclass(slots=True)
class _Head:
    """A subject's locked head: what its next row bears. ``sequence`` is that of the last row."""

    shard: int
    xid: int
    sequence: int


def _written(source: str, head: _Head, row: OutboxRow) -> tuple[object, ...]:
    head.sequence += 1
    return (
        head.shard,
        head.xid,
        row.id,
        row.topic,
        source,
        row.type,
        row.subject,
        head.sequence,
        row.time,
        row.traceparent,
        row.data,
    )


async def append_copy(
    conn: Connection, *, topic: str, key: str, id_: UUID, headers: dict[str, str], value: bytes
) -> None:
    """Write a record that keeps the headers it came with: a copy for a dead-letter topic.

    It is no event of this room, so it takes no part in the room's sequences. A value that no
    broker takes together with its new headers is left out.
    """
    copy = value if len(value) <= LARGEST else b""
    await conn.execute(_APPEND_COPY, shard_of(key), id_, topic, key, json.dumps(headers), copy)
