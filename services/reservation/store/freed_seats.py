"""Freed seats, as the waiting list sees them: rows on their way back that nobody was asked about.

Nothing here waits: whoever takes seats holds their cells and wants these rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Connection
from shared.ids import SiteId

_FREED = """
SELECT return_id, site_id, min(due_at) AS due_at, array_agg(starts_at ORDER BY starts_at) AS starts,
       array_agg(seats ORDER BY starts_at) AS seats
FROM seat_return
WHERE NOT passed AND (held_until IS NULL OR held_until <= $1)
GROUP BY return_id, site_id
ORDER BY min(due_at), return_id
LIMIT $2
"""
_PASSED = """
UPDATE seat_return r SET passed = true
FROM (
    SELECT site_id, starts_at, return_id FROM seat_return
    WHERE return_id = ANY($1::uuid[]) AND NOT passed
    FOR UPDATE SKIP LOCKED
) AS p
WHERE r.site_id = p.site_id AND r.starts_at = p.starts_at AND r.return_id = p.return_id
"""
_LOOK_AGAIN = """
UPDATE seat_return r SET passed = false
FROM (
    SELECT site_id, starts_at, return_id FROM seat_return
    WHERE passed AND site_id = ANY($1::text[]) AND starts_at >= $2 AND starts_at < $3
        AND due_at > $4
    FOR UPDATE SKIP LOCKED
) AS p
WHERE r.site_id = p.site_id AND r.starts_at = p.starts_at AND r.return_id = p.return_id
"""


@dataclass(frozen=True, slots=True)
class Freed:
    """Seats of one return that nobody has been asked about yet; ``due_at``: free for everybody."""

    return_id: UUID
    site_id: SiteId
    due_at: datetime
    seats: Mapping[datetime, int]


async def unasked(conn: Connection, now: datetime, limit: int) -> list[Freed]:
    """Seats on their way back that nobody on the list has been asked about, without a lock."""
    return [
        Freed(
            row["return_id"],
            SiteId(row["site_id"]),
            row["due_at"],
            dict(zip(row["starts"], row["seats"], strict=True)),
        )
        for row in await conn.fetch(_FREED, now, limit)
    ]


async def passed(conn: Connection, return_ids: Sequence[UUID]) -> None:
    """Nobody on the list has use for these returns. Waits for nobody."""
    await conn.execute(_PASSED, return_ids)


async def look_again(
    conn: Connection, site_ids: Sequence[SiteId], start: datetime, end: datetime, now: datetime
) -> None:
    """Somebody new waits for these sites and days: ask about their seats again."""
    await conn.execute(_LOOK_AGAIN, site_ids, start, end, now)
