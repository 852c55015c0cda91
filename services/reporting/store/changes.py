"""Moves and cancellations of bookings: each event is one row, however often it is told."""

from collections.abc import Sequence
from datetime import date

from services.reporting.domain.told import Told
from shared.calendar import business_date
from shared.contracts.reservation import BookingCancelled, BookingMoved
from shared.db import Connection

Change = BookingMoved | BookingCancelled

_KEEP = """
INSERT INTO booking_change (
    event_id, booking_id, case_id, kind, reason, site_id, procedure, told_at, told_sequence,
    left_on, left_minutes
)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                     $7::text[], $8::timestamptz[], $9::bigint[], $10::date[], $11::int[])
ON CONFLICT (event_id) DO NOTHING
"""


async def keep(conn: Connection, facts: Sequence[tuple[Told, Change]]) -> None:
    """Who changed what, and why; a move counts at the site that was left."""
    ordered = sorted(facts, key=lambda fact: fact[0].event)
    left = [_left(event) for _, event in ordered]
    await conn.execute(
        _KEEP,
        [told.event for told, _ in ordered],
        [event.booking_id for _, event in ordered],
        [event.case_id for _, event in ordered],
        ["moved" if isinstance(event, BookingMoved) else "cancelled" for _, event in ordered],
        [event.reason for _, event in ordered],
        [_site(event) for _, event in ordered],
        [event.procedure for _, event in ordered],
        [told.at for told, _ in ordered],
        [told.sequence for told, _ in ordered],
        [day for day, _ in left],
        [minutes for _, minutes in left],
    )


def _left(event: Change) -> tuple[date, int] | tuple[None, None]:
    """The day of the seat that a move leaves, and its minutes: as long as the one it goes to."""
    if isinstance(event, BookingMoved):
        return business_date(event.previous_starts_at), event.minutes
    return None, None


def _site(event: Change) -> str:
    return event.previous_site_id if isinstance(event, BookingMoved) else event.site_id
