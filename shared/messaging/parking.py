"""Parking: a message that fails is set aside with every later message of its key; others go on.

The table is the truth. A key is parked as long as it has a row; its rows are worked in order.
The first has tries left, or is dead and waits for an operator; the others wait for the first.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka.structs import ConsumerRecord

from shared.db import Connection, Row
from shared.messaging.envelope import readable

LONGEST_KEY = 200
"""Characters; a longer key is known by its digest, so that it fits an index."""

_PARK = """
INSERT INTO parked (consumer, subject, event_id, topic, partition, offset_, key, headers, value,
                    attempt, next_attempt_at, reason, traceparent)
SELECT $1, p.subject, p.event_id, p.topic, p.partition, p.offset_, p.key, p.headers, p.value,
       $10, now() + make_interval(secs => $11), $12, p.traceparent
FROM unnest($2::text[], $3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::bytea[],
            $8::jsonb[], $9::bytea[], $13::text[])
     WITH ORDINALITY AS p(subject, event_id, topic, partition, offset_, key, headers, value,
                          traceparent, ordinal)
ORDER BY p.ordinal
ON CONFLICT (consumer, topic, partition, offset_) DO NOTHING
"""

# Steps from key to key along the index: thousands of messages behind one key are never looked at.
_DUE_KEYS = """
WITH RECURSIVE key AS (
    (SELECT subject FROM parked WHERE consumer = $1 ORDER BY subject LIMIT 1)
    UNION ALL
    SELECT (SELECT p.subject FROM parked p WHERE p.consumer = $1 AND p.subject > key.subject
            ORDER BY p.subject LIMIT 1)
    FROM key WHERE key.subject IS NOT NULL
)
SELECT key.subject FROM key CROSS JOIN LATERAL (
    SELECT p.dead, p.next_attempt_at FROM parked p
    WHERE p.consumer = $1 AND p.subject = key.subject ORDER BY p.id LIMIT 1
) head
WHERE NOT head.dead AND head.next_attempt_at <= now()
ORDER BY head.next_attempt_at LIMIT $2
"""

# A head that another instance has just released or failed is skipped, not replaced by the next.
_HEAD = """
SELECT * FROM parked
WHERE id = (SELECT p.id FROM parked p WHERE p.consumer = $1 AND p.subject = $2
            ORDER BY p.id LIMIT 1)
  AND NOT dead AND next_attempt_at <= now()
FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message was set aside and how long until it is tried again."""

    reason: str
    wait_seconds: float


def subject_of(record: ConsumerRecord) -> str:
    """The key that is parked; a record without one stands for its partition."""
    if not record.key:
        return f"{record.topic}/{record.partition}"
    key = readable(record.key)
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(record.key).hexdigest()


def event_id_of(record: ConsumerRecord) -> UUID | None:
    """The CloudEvents id where it can be read."""
    for name, value in record.headers:
        if name == "ce_id":
            try:
                return UUID(readable(value))
            except ValueError:
                return None
    return None


async def parked_among(conn: Connection, consumer: str, subjects: Iterable[str]) -> set[str]:
    """Which of ``subjects`` are parked."""
    rows = await conn.fetch(
        "SELECT DISTINCT subject FROM parked WHERE consumer = $1 AND subject = ANY($2)",
        consumer,
        list(set(subjects)),
    )
    return {row["subject"] for row in rows}


async def park(
    conn: Connection,
    consumer: str,
    records: Sequence[ConsumerRecord],
    failure: Failure | None = None,
) -> None:
    """Set ``records`` aside in order: after a failure, or because their key is parked already."""
    if not records:
        return
    await conn.execute(
        _PARK,
        consumer,
        [subject_of(record) for record in records],
        [event_id_of(record) for record in records],
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [record.key for record in records],
        [json.dumps(_readable(record)) for record in records],
        [record.value or b"" for record in records],
        1 if failure else 0,
        failure.wait_seconds if failure else 0.0,
        failure.reason if failure else None,
        [_readable(record).get("traceparent") for record in records],
    )


async def due_keys(conn: Connection, consumer: str, limit: int) -> list[str]:
    """Keys whose first parked message is to be tried now, longest due first."""
    rows = await conn.fetch(_DUE_KEYS, consumer, limit)
    return [row["subject"] for row in rows]


async def take_head(conn: Connection, consumer: str, subject: str) -> Row | None:
    """Lock and return a key's first message if its turn has come and nobody else works it."""
    return await conn.fetchrow(_HEAD, consumer, subject)


async def release(conn: Connection, parked_id: int) -> None:
    """The message is done: the next of its key may follow."""
    await conn.execute("DELETE FROM parked WHERE id = $1", parked_id)


async def failed_again(conn: Connection, row: Row, failure: Failure | None, why: str) -> bool:
    """Count a failed try of ``row``; without a ``failure`` to wait for, the message is dead.

    False when the row is no longer as it was taken: another instance has tried it meanwhile.
    """
    done = await conn.fetchval(
        """UPDATE parked SET attempt = attempt + 1, reason = $3, dead = $4,
                  next_attempt_at = now() + make_interval(secs => $5)
           WHERE id = $1 AND attempt = $2 AND NOT dead RETURNING true""",
        row["id"],
        row["attempt"],
        why,
        failure is None,
        failure.wait_seconds if failure else 0.0,
    )
    return bool(done)


async def counts(conn: Connection, consumer: str) -> tuple[int, int]:
    """How many messages are parked, and how many of them are dead."""
    row = await conn.fetchrow(
        "SELECT count(*) AS parked, count(*) FILTER (WHERE dead) AS dead FROM parked"
        " WHERE consumer = $1",
        consumer,
    )
    assert row is not None  # noqa: S101  an aggregate always has one row
    return row["parked"], row["dead"]


def record_of(row: Row) -> ConsumerRecord:
    """The Kafka record a parked row was made from."""
    headers = [(name, text.encode()) for name, text in json.loads(row["headers"]).items()]
    return ConsumerRecord(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset_"],
        timestamp=0,
        timestamp_type=0,
        key=row["key"],
        value=row["value"],
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=tuple(headers),
    )


def _readable(record: ConsumerRecord) -> dict[str, str]:
    return {readable(name.encode()): readable(value) for name, value in record.headers}
