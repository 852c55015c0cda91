"""What reservation last said of each case; the greater sequence wins, whenever it comes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.db import Connection
from shared.ids import BookingId, CaseId, SiteId


class BookingState(StrEnum):
    """Whether the citizen is expected."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class BookingFact:
    """One thing that was said of a case's booking; ``sequence`` is that of the event."""

    case_id: CaseId
    booking_id: BookingId
    state: BookingState
    site_id: SiteId
    starts_at: datetime | None
    sequence: int


async def remember(conn: Connection, facts: Sequence[BookingFact]) -> None:
    """Keep the latest fact of each case."""
    await conn.execute(
        _REMEMBER,
        [fact.case_id for fact in facts],
        [fact.booking_id for fact in facts],
        [fact.state for fact in facts],
        [fact.site_id for fact in facts],
        [fact.starts_at for fact in facts],
        [fact.sequence for fact in facts],
    )


_REMEMBER = """
INSERT INTO booking AS b (case_id, booking_id, state, site_id, starts_at, sequence)
SELECT DISTINCT ON (case_id) case_id, booking_id, state, site_id, starts_at, sequence
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[])
     AS f(case_id, booking_id, state, site_id, starts_at, sequence)
ORDER BY case_id, sequence DESC
ON CONFLICT (case_id) DO UPDATE
    SET booking_id = excluded.booking_id, state = excluded.state, site_id = excluded.site_id,
        starts_at = excluded.starts_at, sequence = excluded.sequence
    WHERE excluded.sequence > b.sequence
"""
