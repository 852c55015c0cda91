"""Cells of the time grid, and seats on their way back to them.

Only two statements change ``booked``: ``claim`` takes seats and ``settle`` brings back all that
were returned. Both hold the cells' locks, taken in the order of the key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db import Connection
from shared.ids import BookingId, SiteId

_CLAIM = """
WITH locked AS (
    SELECT starts_at FROM cell
    WHERE site_id = $1 AND starts_at = ANY($2::timestamptz[])
    ORDER BY starts_at
    FOR NO KEY UPDATE
), returned AS (
    DELETE FROM seat_return r USING locked
    WHERE r.site_id = $1 AND r.starts_at = locked.starts_at AND r.due_at <= $4
    RETURNING r.starts_at
)
UPDATE cell SET booked = cell.booked + $3 - back.seats
FROM (
    SELECT locked.starts_at, count(returned.starts_at)::int AS seats
    FROM locked LEFT JOIN returned USING (starts_at)
    GROUP BY locked.starts_at
) AS back
WHERE cell.site_id = $1 AND cell.starts_at = back.starts_at
    AND cell.booked + $3 - back.seats <= cell.capacity
RETURNING cell.starts_at
"""
_EXISTING = """
SELECT count(*) FROM cell WHERE site_id = $1 AND starts_at = ANY($2::timestamptz[])
"""
_LOCK_RANGE = """
SELECT starts_at, booked FROM cell
WHERE site_id = $1 AND starts_at >= $2 AND starts_at < $3
ORDER BY starts_at
FOR NO KEY UPDATE
"""
_SETTLE = """
WITH returned AS (
    DELETE FROM seat_return
    WHERE site_id = $1 AND starts_at >= $2 AND starts_at < $3
    RETURNING starts_at
)
UPDATE cell SET booked = cell.booked - back.seats
FROM (SELECT starts_at, count(*)::int AS seats FROM returned GROUP BY starts_at) AS back
WHERE cell.site_id = $1 AND cell.starts_at = back.starts_at
"""
_DROP = """
DELETE FROM cell
WHERE site_id = $1 AND starts_at >= $2 AND starts_at < $3 AND NOT starts_at = ANY($4::timestamptz[])
"""
_PUT = """
INSERT INTO cell (site_id, starts_at, capacity)
SELECT $1, starts_at, capacity FROM unnest($2::timestamptz[], $3::int[]) AS c(starts_at, capacity)
ORDER BY starts_at
ON CONFLICT (site_id, starts_at) DO UPDATE SET capacity = excluded.capacity
WHERE cell.capacity <> excluded.capacity
"""
_FREE = """
SELECT c.site_id, c.starts_at, c.capacity, c.capacity - c.booked + coalesce(r.seats, 0) AS free
FROM cell c
LEFT JOIN (
    SELECT site_id, starts_at, count(*)::int AS seats FROM seat_return
    WHERE site_id = ANY($1::text[]) AND starts_at >= $2 AND starts_at < $3 AND due_at <= $4
    GROUP BY site_id, starts_at
) AS r USING (site_id, starts_at)
WHERE c.site_id = ANY($1::text[]) AND c.starts_at >= $2 AND c.starts_at < $3
ORDER BY c.site_id, c.starts_at
"""
# A cell that is booked cannot go, so every cell of the booking is found, without its lock.
_GIVE_BACK = """
INSERT INTO seat_return (site_id, starts_at, booking_id, due_at)
SELECT cell.site_id, cell.starts_at, b.booking_id, back.due_at
FROM unnest($1::uuid[], $2::timestamptz[]) AS back(booking_id, due_at)
JOIN booking b USING (booking_id)
JOIN cell ON cell.site_id = b.site_id AND cell.starts_at >= b.starts_at
    AND cell.starts_at < b.starts_at + make_interval(mins => b.minutes)
"""


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell as it stands: all its seats, and those that can be taken now."""

    site_id: SiteId
    starts_at: datetime
    capacity: int
    free: int


async def claim(
    conn: Connection, site_id: SiteId, starts: Sequence[datetime], seats: int, now: datetime
) -> bool:
    """Take ``seats`` in every one of the cells at ``starts``; false where one has too few.

    After false some cells may have been taken: the caller has to roll back.
    """
    rows = await conn.fetch(_CLAIM, site_id, starts, seats, now)
    return len(rows) == len(starts)


async def all_exist(conn: Connection, site_id: SiteId, starts: Sequence[datetime]) -> bool:
    """Whether every one of the cells is on the site's calendar."""
    found: int = await conn.fetchval(_EXISTING, site_id, starts)
    return found == len(starts)


async def lock_range(
    conn: Connection, site_id: SiteId, start: datetime, end: datetime
) -> dict[datetime, int]:
    """Lock the cells from ``start`` to before ``end``, bring back every returned seat, and give
    the seats still booked by cell.

    Seats on their way back come at once: a calendar must not wait for their delay.
    """
    await conn.execute(_LOCK_RANGE, site_id, start, end)
    await conn.execute(_SETTLE, site_id, start, end)
    rows = await conn.fetch(_LOCK_RANGE, site_id, start, end)
    return {row["starts_at"]: row["booked"] for row in rows}


async def replace(
    conn: Connection,
    site_id: SiteId,
    start: datetime,
    end: datetime,
    capacities: Mapping[datetime, int],
) -> None:
    """Make the locked cells from ``start`` to before ``end`` those of ``capacities``.

    What is booked in them stays booked.
    """
    await conn.execute(_DROP, site_id, start, end, list(capacities))
    await conn.execute(_PUT, site_id, list(capacities), list(capacities.values()))


async def free(
    conn: Connection, site_ids: Sequence[SiteId], start: datetime, end: datetime, now: datetime
) -> list[CellRow]:
    """The cells of the sites from ``start`` to before ``end``, as they stand at ``now``."""
    rows = await conn.fetch(_FREE, site_ids, start, end, now)
    return [
        CellRow(SiteId(row["site_id"]), row["starts_at"], row["capacity"], row["free"])
        for row in rows
    ]


async def give_back(conn: Connection, told: Sequence[tuple[BookingId, datetime]]) -> None:
    """Let the seats of bookings go on their way back: (booking, when they are free again).

    Touches no cell, so it never waits for one.
    """
    await conn.execute(_GIVE_BACK, *zip(*told, strict=True))
