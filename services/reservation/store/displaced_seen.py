"""Bookings that lose their seats, as they are looked at: nothing here locks or changes a row."""

from collections.abc import Sequence
from datetime import datetime

from services.reservation.domain.closure import ClosureId, Displaced, DisplacedState
from services.reservation.store.displaced import COLUMNS, rows_of
from shared.db import Connection
from shared.ids import BookingId

_PARTY = f"""
SELECT {COLUMNS} FROM displaced d
WHERE closure_id = $1 AND party_id = (
    SELECT party_id FROM displaced WHERE closure_id = $1 AND booking_id = $2)
ORDER BY booking_id
"""  # noqa: S608
# The last that befell the booking: open, or ended like this.
_OF_BOOKING = f"""
SELECT {COLUMNS} FROM displaced WHERE booking_id = $1
ORDER BY ended_at DESC NULLS FIRST, listed_at DESC LIMIT 1
"""  # noqa: S608
_COUNT = """
SELECT closure_id, state, count(*) AS bookings, count(*) FILTER (WHERE ended_at IS NULL) AS open,
       count(*) FILTER (WHERE to_site_id IS NULL AND ended_at IS NULL) AS seatless
FROM displaced WHERE closure_id = ANY($1::uuid[]) GROUP BY closure_id, state
"""
# Where a seat is held and nobody told, telling is what is due.
_NEXT = """
SELECT min(CASE WHEN seat_held THEN coalesce(answer_by, changed_at) ELSE look_at END)
FROM displaced WHERE closure_id = $1 AND ended_at IS NULL
"""
_PAGE = f"""
SELECT {COLUMNS} FROM displaced
WHERE closure_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR booking_id > $3)
ORDER BY booking_id LIMIT $4
"""  # noqa: S608


async def party(conn: Connection, closure_id: ClosureId, booking_id: BookingId) -> list[Displaced]:
    """Those of a closure that came together with this one."""
    return rows_of(await conn.fetch(_PARTY, closure_id, booking_id))


async def of_booking(conn: Connection, booking_id: BookingId) -> Displaced | None:
    """What is open for this booking, or what befell it last; none where nothing ever did."""
    found = rows_of(await conn.fetch(_OF_BOOKING, booking_id))
    return found[0] if found else None


async def counts(
    conn: Connection, closure_ids: Sequence[ClosureId]
) -> dict[ClosureId, dict[DisplacedState, tuple[int, int, int]]]:
    """By closure and state: how many, how many of them open, how many without an alternative."""
    found: dict[ClosureId, dict[DisplacedState, tuple[int, int, int]]] = {}
    for row in await conn.fetch(_COUNT, closure_ids):
        of_closure = found.setdefault(ClosureId(row["closure_id"]), {})
        numbers = (row["bookings"], row["open"], row["seatless"])
        of_closure[DisplacedState(row["state"])] = numbers
    return found


async def next_at(conn: Connection, closure_id: ClosureId) -> datetime | None:
    """When the next of the open ones needs something; none where nothing is open."""
    at: datetime | None = await conn.fetchval(_NEXT, closure_id)
    return at


async def page(
    conn: Connection,
    closure_id: ClosureId,
    state: DisplacedState | None,
    after: BookingId | None,
    limit: int,
) -> Sequence[Displaced]:
    """Up to ``limit`` after this one, by booking."""
    named = state.value if state else None
    return rows_of(await conn.fetch(_PAGE, closure_id, named, after, limit))
