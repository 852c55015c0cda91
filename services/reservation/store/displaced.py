"""Bookings that lose their seats. Rows are locked in the order of their bookings, after the cases.

Every statement says from which states it leads, so that a step done twice does nothing the second
time. ``seat_held`` and the returns under ``seat_id`` change together. What is only looked at is in
``displaced_seen``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.reservation.domain.closure import ClosureId, Displaced, DisplacedState
from shared.contracts.base import Procedure
from shared.db import Connection, Row
from shared.ids import BookingId, SiteId

COLUMNS = """
closure_id, booking_id, case_id, party_id, procedure, minutes, site_id, starts_at, state,
to_site_id, to_starts_at, seat_held, listed_at, answer_by, ended_at
"""
# A booking that a closure has moved already may be displaced again, by the same or another.
_LIST = """
INSERT INTO displaced AS d (closure_id, booking_id, case_id, party_id, procedure, minutes, site_id,
                            starts_at, listed_at, look_at, changed_at)
SELECT $1, booking_id, case_id, party_id, procedure, minutes, site_id, starts_at, $3, $3, $3
FROM booking b
WHERE booking_id = ANY($2::uuid[]) AND state = 'active' AND NOT EXISTS (
    SELECT FROM displaced o WHERE o.booking_id = b.booking_id AND o.ended_at IS NULL)
ORDER BY booking_id
ON CONFLICT (closure_id, booking_id) DO UPDATE SET
    site_id = excluded.site_id, starts_at = excluded.starts_at, state = 'listed',
    to_site_id = NULL, to_starts_at = NULL, listed_at = excluded.listed_at,
    look_at = excluded.look_at, answer_by = NULL, changed_at = excluded.changed_at, ended_at = NULL
WHERE d.ended_at IS NOT NULL
RETURNING booking_id
"""
_SEATLESS = f"""
SELECT {COLUMNS} FROM displaced
WHERE closure_id = $1 AND ended_at IS NULL AND NOT seat_held AND state IN ('listed', 'phone_list')
    AND look_at <= $2
    AND party_id IN (
        SELECT party_id FROM displaced
        WHERE closure_id = $1 AND ended_at IS NULL AND NOT seat_held
            AND state IN ('listed', 'phone_list') AND look_at <= $2
        GROUP BY party_id ORDER BY min(starts_at), party_id LIMIT $3)
ORDER BY booking_id
FOR UPDATE SKIP LOCKED
"""  # noqa: S608  our column list
_IN_STATE = f"""
SELECT {COLUMNS} FROM displaced
WHERE closure_id = $1 AND ended_at IS NULL AND state = $2
ORDER BY booking_id LIMIT $3
FOR UPDATE SKIP LOCKED
"""  # noqa: S608
_OVERDUE = f"""
SELECT {COLUMNS} FROM displaced
WHERE closure_id = $1 AND ended_at IS NULL AND seat_held AND state IN ('told', 'phone_list')
    AND answer_by <= $2
ORDER BY answer_by, booking_id LIMIT $3
"""  # noqa: S608
_CHANGED_ELSEWHERE = """
SELECT d.booking_id, CASE b.state WHEN 'active' THEN 'chosen' WHEN 'cancelled' THEN 'cancelled'
                         ELSE 'kept' END AS became
FROM displaced d JOIN booking b USING (booking_id)
WHERE d.closure_id = $1 AND d.ended_at IS NULL
    AND (b.state <> 'active' OR b.site_id <> d.site_id OR b.starts_at <> d.starts_at)
ORDER BY d.booking_id LIMIT $2
FOR UPDATE OF d SKIP LOCKED
"""
_OPEN = f"""
SELECT {COLUMNS} FROM displaced
WHERE closure_id = $1 AND ended_at IS NULL AND starts_at > $2
    AND ($4::uuid[] IS NULL OR booking_id = ANY($4))
ORDER BY booking_id LIMIT $3
FOR UPDATE SKIP LOCKED
"""  # noqa: S608
_LOCK = f"""
SELECT {COLUMNS} FROM displaced WHERE closure_id = $1 AND booking_id = ANY($2::uuid[])
ORDER BY booking_id
FOR UPDATE
"""  # noqa: S608
_HOLD = """
UPDATE displaced d SET state = 'held', seat_held = true, to_site_id = h.site_id,
    to_starts_at = h.starts_at, answer_by = NULL, changed_at = $5
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS h(booking_id, site_id, starts_at)
WHERE d.closure_id = $1 AND d.booking_id = h.booking_id
"""
_TELL = """
UPDATE displaced d SET state = t.state, answer_by = t.answer_by, changed_at = $5
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[]) AS t(booking_id, state, answer_by)
WHERE d.closure_id = $1 AND d.booking_id = t.booking_id AND d.state = 'held'
"""
_NOBODY_TAKES_IN = """
UPDATE displaced SET state = 'phone_list', look_at = $3, changed_at = $4
WHERE closure_id = $1 AND booking_id = ANY($2::uuid[])
"""
_END = """
UPDATE displaced d SET state = e.state, seat_held = false, ended_at = $4, changed_at = $4
FROM unnest($2::uuid[], $3::text[]) AS e(booking_id, state)
WHERE d.closure_id = $1 AND d.booking_id = e.booking_id
"""
# Whoever was told has to be told anew; the seats are let go by the caller.
_UNSEAT = """
WITH lost AS (
    SELECT closure_id, booking_id FROM displaced
    WHERE to_site_id = $1 AND booking_id = ANY($2::uuid[]) AND seat_held AND ended_at IS NULL
    ORDER BY booking_id
    FOR UPDATE
)
UPDATE displaced d SET state = 'listed', seat_held = false, to_site_id = NULL, to_starts_at = NULL,
    answer_by = NULL, look_at = $3, changed_at = $3
FROM lost WHERE d.closure_id = lost.closure_id AND d.booking_id = lost.booking_id
RETURNING d.closure_id, d.booking_id
"""
# Who lists bookings of a site waits for who else does: no booking is listed by two.
_LISTING = "SELECT pg_advisory_xact_lock(hashtextextended('displaced ' || $1, 0))"


async def lock_listing(conn: Connection, site_id: SiteId) -> None:
    """Wait until nobody else lists bookings of the site; before displaced rows and cells."""
    await conn.execute(_LISTING, site_id)


async def list_(
    conn: Connection, closure_id: ClosureId, booking_ids: Sequence[BookingId], now: datetime
) -> list[BookingId]:
    """List bookings that are active and not listed by any closure; those newly listed."""
    rows = await conn.fetch(_LIST, closure_id, booking_ids, now)
    return [BookingId(row["booking_id"]) for row in rows]


async def seatless(
    conn: Connection, closure_id: ClosureId, now: datetime, parties: int
) -> list[Displaced]:
    """Lock the bookings of some parties for which an alternative is to be looked for."""
    return rows_of(await conn.fetch(_SEATLESS, closure_id, now, parties))


async def held(conn: Connection, closure_id: ClosureId, limit: int) -> list[Displaced]:
    """Lock some whose citizens are to be told of their alternative."""
    return rows_of(await conn.fetch(_IN_STATE, closure_id, DisplacedState.HELD.value, limit))


async def overdue(
    conn: Connection, closure_id: ClosureId, now: datetime, limit: int
) -> list[Displaced]:
    """Some whose time to answer is over; not locked, because their cases come first."""
    return rows_of(await conn.fetch(_OVERDUE, closure_id, now, limit))


async def changed_elsewhere(
    conn: Connection, closure_id: ClosureId, limit: int
) -> dict[BookingId, DisplacedState]:
    """Lock some whose bookings were moved, cancelled or ended by others, and what that makes."""
    rows = await conn.fetch(_CHANGED_ELSEWHERE, closure_id, limit)
    return {BookingId(row["booking_id"]): DisplacedState(row["became"]) for row in rows}


async def open_(
    conn: Connection,
    closure_id: ClosureId,
    now: datetime,
    limit: int,
    among: Sequence[BookingId] | None = None,
) -> list[Displaced]:
    """Lock some for which something is left to do and whose visit lies ahead, of all or these."""
    return rows_of(await conn.fetch(_OPEN, closure_id, now, limit, among))


async def lock(
    conn: Connection, closure_id: ClosureId, booking_ids: Sequence[BookingId]
) -> list[Displaced]:
    """Lock these; the caller holds their cases."""
    return rows_of(await conn.fetch(_LOCK, closure_id, booking_ids))


async def hold(
    conn: Connection,
    closure_id: ClosureId,
    seats: Mapping[BookingId, tuple[SiteId, datetime]],
    now: datetime,
) -> None:
    """Remember the alternatives whose seats have just been taken."""
    sites, starts = zip(*seats.values(), strict=True)
    await conn.execute(_HOLD, closure_id, list(seats), sites, starts, now)


async def tell(
    conn: Connection,
    closure_id: ClosureId,
    told: Mapping[BookingId, tuple[DisplacedState, datetime]],
    now: datetime,
) -> None:
    """Remember who was told (or cannot be), and until when they may answer."""
    states, deadlines = zip(*told.values(), strict=True)
    await conn.execute(_TELL, closure_id, list(told), [s.value for s in states], deadlines, now)


async def nobody_takes_in(
    conn: Connection,
    closure_id: ClosureId,
    booking_ids: Sequence[BookingId],
    look_at: datetime,
    now: datetime,
) -> None:
    """No alternative was found; look again at ``look_at``."""
    await conn.execute(_NOBODY_TAKES_IN, closure_id, booking_ids, look_at, now)


async def end(
    conn: Connection,
    closure_id: ClosureId,
    ends: Mapping[BookingId, DisplacedState],
    now: datetime,
) -> None:
    """Nothing is left to do for these, which are locked."""
    states = [state.value for state in ends.values()]
    await conn.execute(_END, closure_id, list(ends), states, now)


async def unseat(
    conn: Connection, site_id: SiteId, booking_ids: Sequence[BookingId], now: datetime
) -> list[tuple[ClosureId, BookingId]]:
    """The seats kept for these at a site cannot be kept; another is to be looked for."""
    rows = await conn.fetch(_UNSEAT, site_id, booking_ids, now)
    return [(ClosureId(row["closure_id"]), BookingId(row["booking_id"])) for row in rows]


def rows_of(rows: Sequence[Row]) -> list[Displaced]:
    """Rows of ``COLUMNS`` as what they tell."""
    return [_displaced(row) for row in rows]


def _displaced(row: Row) -> Displaced:
    values: dict[str, Any] = dict(row)
    return Displaced(
        **values
        | {
            "procedure": Procedure(values["procedure"]),
            "state": DisplacedState(values["state"]),
        }
    )
