"""Counters of tries, in windows of real time. One statement counts several, in order of key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.reservation.domain.fair_use import Limit
from shared.db import Connection

_COUNT = """
INSERT INTO fair_use AS f (key, since, tries)
SELECT key, now(), 1 FROM unnest($1::text[], $2::interval[]) AS k(key, span) ORDER BY key
ON CONFLICT (key) DO UPDATE SET
    tries = CASE WHEN f.since + (
            SELECT span FROM unnest($1::text[], $2::interval[]) AS k(key, span)
            WHERE k.key = f.key) <= now() THEN 1 ELSE f.tries + 1 END,
    since = CASE WHEN f.since + (
            SELECT span FROM unnest($1::text[], $2::interval[]) AS k(key, span)
            WHERE k.key = f.key) <= now() THEN now() ELSE f.since END
RETURNING key, tries, now() - since AS age
"""
_FORGIVE = """
UPDATE fair_use SET tries = greatest(tries - 1, 0) WHERE key = ANY($1::text[])
"""
_PURGE = """
DELETE FROM fair_use WHERE key IN (
    SELECT key FROM fair_use WHERE since < now() - interval '1 day'
    ORDER BY since LIMIT $1 FOR UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True, slots=True)
class Count:
    """How often within a window that began ``age`` ago."""

    key: str
    tries: int
    age: timedelta


async def count(conn: Connection, limits: Sequence[Limit]) -> list[Count]:
    """Count one try under each key; how many there have been."""
    rows = await conn.fetch(_COUNT, [one.key for one in limits], [one.window for one in limits])
    return [Count(row["key"], row["tries"], row["age"]) for row in rows]


async def forgive(conn: Connection, keys: Sequence[str]) -> None:
    """Take one try under each key back."""
    await conn.execute(_FORGIVE, sorted(keys))


async def purge(conn: Connection, limit: int) -> int:
    """Forget up to ``limit`` counters older than any window."""
    status: str = await conn.execute(_PURGE, limit)
    return int(status.rsplit(maxsplit=1)[-1])
