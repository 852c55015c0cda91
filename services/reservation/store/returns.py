"""Seats on their way back to their cells, whoever had them: a booking, a hold, an offer.

Nothing here touches a cell, so whoever gives seats back or keeps held ones waits for no cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Connection
from shared.ids import BookingId, SiteId

# A cell that is booked cannot go, so every cell of the booking is found, without its lock.
_GIVE_BACK = """
INSERT INTO seat_return (site_id, starts_at, return_id, due_at)
SELECT cell.site_id, cell.starts_at, b.booking_id, back.due_at
FROM unnest($1::uuid[], $2::timestamptz[]) AS back(booking_id, due_at)
JOIN booking b USING (booking_id)
JOIN cell ON cell.site_id = b.site_id AND cell.starts_at >= b.starts_at
    AND cell.starts_at < b.starts_at + make_interval(mins => b.minutes)
"""
_PUT_BACK = """
INSERT INTO seat_return (site_id, starts_at, return_id, seats, held_until, due_at)
SELECT $1, starts_at, $4, seats, $5, $6
FROM unnest($2::timestamptz[], $3::int[]) AS r(starts_at, seats)
"""
_PUT_BACK_ALL = """
INSERT INTO seat_return (site_id, starts_at, return_id, seats, due_at)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::int[], $5::timestamptz[])
"""
_THERE = "SELECT count(*) FROM seat_return WHERE return_id = $1 AND held_until > $2"
_HELD = """
SELECT starts_at FROM seat_return WHERE return_id = $1 AND held_until > $2
ORDER BY starts_at FOR UPDATE
"""
_KEEP = "DELETE FROM seat_return WHERE return_id = $1"
_LET_GO = """
UPDATE seat_return SET held_until = NULL, due_at = $2, passed = false WHERE return_id = $1
"""


async def give_back(conn: Connection, told: Sequence[tuple[BookingId, datetime]]) -> None:
    """Let the seats of bookings go on their way back: (booking, when they are free again).

    Touches no cell, so it never waits for one.
    """
    await conn.execute(_GIVE_BACK, *zip(*told, strict=True))


async def put_back(
    conn: Connection,
    site_id: SiteId,
    seats: Mapping[datetime, int],
    return_id: UUID,
    *,
    held_until: datetime | None,
    due_at: datetime,
) -> None:
    """Let seats that somebody has in these cells go on their way back, under an id of their own.

    Until ``held_until`` they can be kept (``keep``). Touches no cell.
    """
    values = (list(seats), list(seats.values()), return_id, held_until, due_at)
    await conn.execute(_PUT_BACK, site_id, *values)


@dataclass(frozen=True, slots=True)
class Back:
    """Seats of some cells of a site that go on their way back under one id."""

    site_id: SiteId
    seats: Mapping[datetime, int]
    return_id: UUID
    due_at: datetime


async def put_back_all(conn: Connection, left: Sequence[Back]) -> None:
    """``put_back`` of seats that nobody holds, for several at once."""
    values = [
        (one.site_id, at, one.return_id, seats, one.due_at)
        for one in left
        for at, seats in one.seats.items()
    ]
    if values:
        await conn.execute(_PUT_BACK_ALL, *zip(*values, strict=True))


async def there(conn: Connection, return_id: UUID, now: datetime) -> int:
    """In how many cells there are seats still held under this id, without a lock."""
    found: int = await conn.fetchval(_THERE, return_id, now)
    return found


async def held(conn: Connection, return_id: UUID, now: datetime) -> int:
    """In how many cells there are seats still held under this id; they are locked."""
    return len(await conn.fetch(_HELD, return_id, now))


async def keep(conn: Connection, return_id: UUID) -> None:
    """Stop seats on their way back that were found ``held``: whoever had them keeps them."""
    await conn.execute(_KEEP, return_id)


async def let_go(conn: Connection, return_id: UUID, now: datetime, due_at: datetime) -> None:
    """Held seats are held no longer; they are free again at ``due_at``."""
    if await held(conn, return_id, now):
        await conn.execute(_LET_GO, return_id, due_at)
