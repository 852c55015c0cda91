"""Visits whose citizens are to be reminded."""

from dataclasses import dataclass
from datetime import datetime

from shared.db import Connection
from shared.ids import BookingId, CaseId, SiteId

_TO_REMIND = """
SELECT b.booking_id, b.case_id, b.site_id, b.starts_at, b.minutes, b.procedure, b.version
FROM booking b
JOIN case_contact cc USING (case_id)
JOIN contact c ON c.contact_id = cc.contact_id AND c.verified_at IS NOT NULL
    AND c.sealed_email IS NOT NULL
WHERE b.state = 'active' AND b.site_id = ANY(SELECT site_id FROM site)
    AND b.starts_at >= $1 AND b.starts_at < $2 AND b.changed_at < $3
    AND NOT EXISTS (
        SELECT FROM displaced d WHERE d.booking_id = b.booking_id AND d.ended_at IS NULL)
    AND NOT EXISTS (
        SELECT FROM message m WHERE m.dedupe_key =
            'reminder:' || b.case_id || ':' || b.booking_id || ':' || b.version)
ORDER BY b.starts_at, b.booking_id
LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to remind of."""

    booking_id: BookingId
    case_id: CaseId
    site_id: SiteId
    starts_at: datetime
    minutes: int
    procedure: str
    version: int


async def to_remind(
    conn: Connection, start: datetime, end: datetime, changed_before: datetime, limit: int
) -> list[Visit]:
    """Visits from ``start`` to before ``end`` whose citizens can be and were not reminded."""
    rows = await conn.fetch(_TO_REMIND, start, end, changed_before, limit)
    return [Visit(**dict(row)) for row in rows]
