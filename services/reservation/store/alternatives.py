"""Seats of alternatives: taken out of the grid at several sites at once, kept under ids of their
own without an end (``held_until`` infinity), handed to a booking, or let go.

A kept seat is a return like any other, so what is booked still equals bookings and returns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.reservation.domain.booking import Booking, BookingState
from services.reservation.domain.displacement import Seated
from shared.contracts.base import Procedure
from shared.contracts.reservation import CancelReason
from shared.db import Connection, Row
from shared.ids import BookingId, SiteId, WardCode

_CLAIM = """
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int[]) AS w(site_id, starts_at, seats)
), locked AS (
    SELECT c.site_id, c.starts_at FROM cell c JOIN wanted USING (site_id, starts_at)
    ORDER BY c.site_id, c.starts_at
    FOR NO KEY UPDATE OF c
), returned AS (
    DELETE FROM seat_return r USING locked l
    WHERE r.site_id = l.site_id AND r.starts_at = l.starts_at AND r.due_at <= $4
    RETURNING r.site_id, r.starts_at, r.seats
)
UPDATE cell SET booked = cell.booked + back.wanted - back.seats
FROM (
    SELECT l.site_id, l.starts_at, w.seats AS wanted, coalesce(sum(r.seats), 0)::int AS seats
    FROM locked l
    JOIN wanted w USING (site_id, starts_at)
    LEFT JOIN returned r USING (site_id, starts_at)
    GROUP BY l.site_id, l.starts_at, w.seats
) AS back
WHERE cell.site_id = back.site_id AND cell.starts_at = back.starts_at
    AND cell.booked + back.wanted - back.seats <= least(cell.capacity, cell.target)
RETURNING 1
"""
_KEEP_OUT = """
INSERT INTO seat_return (site_id, starts_at, return_id, seats, held_until, due_at)
SELECT site_id, starts_at, seat_id, 1, 'infinity', 'infinity'
FROM unnest($1::text[], $2::timestamptz[], $3::uuid[]) AS k(site_id, starts_at, seat_id)
"""
_HAND_OVER = "DELETE FROM seat_return WHERE return_id = ANY($1::uuid[]) AND held_until = 'infinity'"
_LET_GO = """
UPDATE seat_return SET held_until = NULL, due_at = $2, passed = false
WHERE return_id = ANY($1::uuid[]) AND held_until = 'infinity'
"""
_BOOKING = """
b.booking_id, b.case_id, b.party_id, b.site_id, b.starts_at, b.minutes, b.procedure,
b.card_site_id, b.state, b.reason, b.version
"""
_RESEAT = f"""
UPDATE booking b SET site_id = r.site_id, starts_at = r.starts_at, version = b.version + 1,
    changed_at = $4, card_site_id = CASE WHEN b.procedure = 'card_issuance'
        THEN coalesce(f.card_site_id, b.card_site_id) END
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS r(booking_id, site_id, starts_at)
JOIN booking old USING (booking_id)
LEFT JOIN case_facts f ON f.case_id = old.case_id
WHERE b.booking_id = r.booking_id AND b.state = 'active'
RETURNING {_BOOKING}
"""  # noqa: S608  our column list
_SEATED = f"""
SELECT {_BOOKING}, f.ward, b.made_at, EXISTS (
    SELECT FROM displaced d WHERE d.booking_id = b.booking_id AND d.ended_at IS NULL
        AND (d.site_id, d.starts_at) = (b.site_id, b.starts_at)) AS leaving
FROM booking b LEFT JOIN case_facts f USING (case_id)
WHERE b.site_id = $1 AND b.state = 'active' AND b.starts_at >= $2
    AND ($3::timestamptz IS NULL OR b.starts_at < $3)
ORDER BY b.starts_at, b.booking_id
"""  # noqa: S608
_KEPT = """
SELECT b.booking_id, b.case_id, b.party_id, d.to_site_id AS site_id, d.to_starts_at AS starts_at,
    b.minutes, b.procedure, b.card_site_id, b.state, b.reason, b.version, f.ward,
    d.listed_at AS made_at, false AS leaving
FROM displaced d JOIN booking b USING (booking_id) LEFT JOIN case_facts f ON f.case_id = b.case_id
WHERE d.to_site_id = $1 AND d.seat_held AND d.to_starts_at >= $2
    AND ($3::timestamptz IS NULL OR d.to_starts_at < $3)
ORDER BY d.to_starts_at, d.booking_id
"""
_READ = f"SELECT {_BOOKING} FROM booking b WHERE booking_id = ANY($1::uuid[])"  # noqa: S608
_BOOKED = """
SELECT c.starts_at, c.booked - coalesce(sum(r.seats) FILTER (
    WHERE r.held_until IS NULL OR r.held_until < 'infinity'), 0)::int AS booked
FROM cell c LEFT JOIN seat_return r USING (site_id, starts_at)
WHERE c.site_id = $1 AND c.starts_at >= $2
GROUP BY c.starts_at, c.booked
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """The seat that one booking would take: its cells, kept under ``seat_id``."""

    seat_id: UUID
    site_id: SiteId
    cells: Sequence[datetime]


async def claim(conn: Connection, wishes: Sequence[Wish], now: datetime) -> bool:
    """Take the seats of all wishes and keep them; false where one of their cells has too few.

    Cells of all sites are locked in the order of their key. After false the caller rolls back.
    """
    wanted: dict[tuple[SiteId, datetime], int] = {}
    for wish in wishes:
        for at in wish.cells:
            wanted[wish.site_id, at] = wanted.get((wish.site_id, at), 0) + 1
    sites, starts = zip(*wanted, strict=True)
    rows = await conn.fetch(_CLAIM, sites, starts, list(wanted.values()), now)
    if len(rows) < len(wanted):
        return False
    kept = [(wish.site_id, at, wish.seat_id) for wish in wishes for at in wish.cells]
    await conn.execute(_KEEP_OUT, *zip(*kept, strict=True))
    return True


async def hand_over(conn: Connection, seat_ids: Sequence[UUID]) -> None:
    """The seats are no longer kept: a booking has them now."""
    await conn.execute(_HAND_OVER, seat_ids)


async def let_go(conn: Connection, seat_ids: Sequence[UUID], due_at: datetime) -> None:
    """Nobody wants the seats that were kept; they are free at ``due_at``. Touches no cell."""
    await conn.execute(_LET_GO, seat_ids, due_at)


async def reseat(
    conn: Connection, seats: Mapping[BookingId, tuple[SiteId, datetime]], now: datetime
) -> list[Booking]:
    """Give active bookings other seats, which the caller has taken; the bookings as they are now.

    The caller holds their cases, and has given the old seats back.
    """
    sites, starts = zip(*seats.values(), strict=True)
    return [_booking(row) for row in await conn.fetch(_RESEAT, list(seats), sites, starts, now)]


async def seated(
    conn: Connection, site_id: SiteId, start: datetime, end: datetime | None
) -> list[Seated]:
    """The active bookings of a site that begin from ``start`` to before ``end``."""
    rows = await conn.fetch(_SEATED, site_id, start, end)
    return [_seated(row) for row in rows]


async def kept_at(
    conn: Connection, site_id: SiteId, start: datetime, end: datetime | None
) -> list[Seated]:
    """Those for whom a seat is kept at a site, as if they sat there already."""
    return [_seated(row) for row in await conn.fetch(_KEPT, site_id, start, end)]


async def booked(conn: Connection, site_id: SiteId, start: datetime) -> dict[datetime, int]:
    """Seats by cell from ``start`` on that are booked or kept, but neither held nor returning."""
    rows = await conn.fetch(_BOOKED, site_id, start)
    return {row["starts_at"]: row["booked"] for row in rows}


async def read(conn: Connection, booking_ids: Sequence[BookingId]) -> dict[BookingId, Booking]:
    """The bookings of these ids."""
    rows = await conn.fetch(_READ, booking_ids)
    return {BookingId(row["booking_id"]): _booking(row) for row in rows}


def _seated(row: Row) -> Seated:
    values = dict(row)
    ward, made_at, leaving = values.pop("ward"), values.pop("made_at"), values.pop("leaving")
    return Seated(_of(values), WardCode(ward) if ward else None, made_at, leaving)


def _booking(row: Row) -> Booking:
    return _of(dict(row))


def _of(values: dict[str, Any]) -> Booking:
    reason = values["reason"]
    return Booking(
        **values
        | {
            "procedure": Procedure(values["procedure"]),
            "state": BookingState(values["state"]),
            "reason": CancelReason(reason) if reason else None,
        }
    )
