"""Bookings and their seats; the latest telling of a seat counts, the earliest of an end
(see ``store.cases``). An end that is told before its booking waits in its row for the seat.
"""

from collections.abc import Sequence
from datetime import datetime

from services.reporting.domain.told import Told
from shared.contracts.reservation import Seated
from shared.db import Connection
from shared.ids import BookingId, CaseId

End = tuple[BookingId, CaseId, datetime]
"""A booking, its case, and when it ended."""

_SEAT = """
INSERT INTO booking_fact AS known (
    booking_id, case_id, site_id, starts_at, minutes, procedure,
    told_at, told_sequence, told_event, booked_at
)
SELECT DISTINCT ON (booking_id) *, min(at) OVER (PARTITION BY booking_id)
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::int[], $6::text[],
            $7::timestamptz[], $8::bigint[], $9::uuid[])
     AS told (booking_id, case_id, site_id, starts_at, minutes, procedure, at, sequence, event)
ORDER BY booking_id, at DESC, sequence DESC, event DESC
ON CONFLICT (booking_id) DO UPDATE SET
    (site_id, starts_at, minutes, procedure, told_at, told_sequence, told_event) = (
        SELECT seat.site_id, seat.starts_at, seat.minutes, seat.procedure,
               seat.told_at, seat.told_sequence, seat.told_event
        FROM (VALUES
            (known.site_id, known.starts_at, known.minutes, known.procedure,
             known.told_at, known.told_sequence, known.told_event),
            (excluded.site_id, excluded.starts_at, excluded.minutes, excluded.procedure,
             excluded.told_at, excluded.told_sequence, excluded.told_event)
        ) AS seat (site_id, starts_at, minutes, procedure, told_at, told_sequence, told_event)
        WHERE seat.told_at IS NOT NULL
        ORDER BY seat.told_at DESC, seat.told_sequence DESC, seat.told_event DESC
        LIMIT 1
    ),
    booked_at = least(known.booked_at, excluded.booked_at)
"""

_END = """
INSERT INTO booking_fact AS known (booking_id, case_id, {column})
SELECT DISTINCT ON (booking_id) booking_id, case_id, at
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS told (booking_id, case_id, at)
ORDER BY booking_id, at
ON CONFLICT (booking_id) DO UPDATE SET {column} = least(known.{column}, excluded.{column})
"""
_CANCEL, _MISS, _FULFIL = (
    _END.format(column=f"{end}_at") for end in ("cancelled", "missed", "fulfilled")
)


async def seat(conn: Connection, facts: Sequence[tuple[Told, Seated]]) -> None:
    """Where and when a booking has its seat."""
    await conn.execute(
        _SEAT,
        [event.booking_id for _, event in facts],
        [event.case_id for _, event in facts],
        [event.site_id for _, event in facts],
        [event.starts_at for _, event in facts],
        [event.minutes for _, event in facts],
        [event.procedure for _, event in facts],
        [told.at for told, _ in facts],
        [told.sequence for told, _ in facts],
        [told.event for told, _ in facts],
    )


async def cancel(conn: Connection, ends: Sequence[End]) -> None:
    """Bookings that are no more."""
    await conn.execute(_CANCEL, *_columns(ends))


async def miss(conn: Connection, ends: Sequence[End]) -> None:
    """Bookings whose citizen did not come."""
    await conn.execute(_MISS, *_columns(ends))


async def fulfil(conn: Connection, ends: Sequence[End]) -> None:
    """Bookings that were kept and served."""
    await conn.execute(_FULFIL, *_columns(ends))


def _columns(ends: Sequence[End]) -> tuple[list[BookingId], list[CaseId], list[datetime]]:
    return [each[0] for each in ends], [each[1] for each in ends], [each[2] for each in ends]
