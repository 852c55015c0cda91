"""Notices that came back, kept as facts of their cases, and who of them can be called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.db import Connection
from shared.ids import BookingId, CaseId, SiteId

# Whoever has a booking ahead, or left a contact, can be called; a later notice makes it needless.
_NOTICE_RETURNED = """
WITH told AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::timestamptz[]) AS t(case_id, seq, at)
), kept AS (
    INSERT INTO case_facts AS c (case_id, notice_returned_seq)
    SELECT case_id, seq FROM told ORDER BY case_id
    ON CONFLICT (case_id) DO UPDATE
        SET notice_returned_seq = greatest(c.notice_returned_seq, excluded.notice_returned_seq)
    RETURNING case_id, notice_seq, card_site_id, voided_at, disposal_due_at, done_at
)
SELECT kept.case_id, b.booking_id, coalesce(b.site_id, kept.card_site_id) AS site_id, b.starts_at
FROM kept JOIN told USING (case_id)
LEFT JOIN booking b ON b.case_id = kept.case_id AND b.state = 'active' AND b.starts_at > told.at
LEFT JOIN case_contact cc ON cc.case_id = kept.case_id
LEFT JOIN contact c ON c.contact_id = cc.contact_id AND c.erased_at IS NULL
WHERE kept.notice_seq <= told.seq
    AND coalesce(kept.voided_at, kept.disposal_due_at, kept.done_at) IS NULL
    AND (b.booking_id IS NOT NULL OR c.contact_id IS NOT NULL)
ORDER BY kept.case_id
"""


@dataclass(frozen=True, slots=True)
class Unreached:
    """A case whose citizen the last notice has not reached, with the visit that is booked."""

    case_id: CaseId
    booking_id: BookingId | None
    site_id: SiteId | None
    starts_at: datetime | None


async def keep(conn: Connection, told: Sequence[tuple[CaseId, int, datetime]]) -> list[Unreached]:
    """Remember which notice of each case came back, and when that was told; who can be called."""
    if not told:
        return []
    rows = await conn.fetch(_NOTICE_RETURNED, *zip(*told, strict=True))
    return [Unreached(**dict(row)) for row in rows]
