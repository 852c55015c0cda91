"""Cards that were at a counter and not handed over, and whether they were counted back."""

from collections.abc import Sequence
from datetime import date, datetime

from services.issuance.domain.card_count import CardOut
from shared.db import Connection
from shared.ids import CaseId, SiteId, VisitId


async def out(conn: Connection, site_id: SiteId, day: date) -> list[CardOut]:
    """The cards of a site's day that left their shelf for a counter and did not go home."""
    rows = await conn.fetch(_OUT, site_id, day)
    return [CardOut(**row) for row in rows]


async def count(
    conn: Connection,
    cards: Sequence[tuple[VisitId, CaseId]],
    *,
    is_back: bool,
    at: datetime,
    by: str,
) -> None:
    """Note that these cards lie on their shelf again, or cannot be found."""
    visits, cases = [visit for visit, _ in cards], [case for _, case in cards]
    await conn.execute(_COUNT, visits, cases, is_back, at, by)


# A turn bears the site and the day of its visit: without them every turn there ever was is read.
_OUT = """
SELECT c.visit_id, c.case_id, f.shelf_position, n.is_back, n.counted_at
FROM visit v JOIN visit_case c USING (visit_id)
LEFT JOIN case_file f USING (case_id) LEFT JOIN card_count n USING (visit_id, case_id)
WHERE v.site_id = $1 AND v.business_date = $2
      AND c.procedure = 'card_issuance' AND c.state <> 'done'
      AND (c.closed_at IS NULL OR c.closed_at > v.checked_in_at)
      AND EXISTS (SELECT FROM counter_turn t WHERE t.site_id = $1 AND t.business_date = $2
                                                   AND t.visit_id = v.visit_id)
      AND NOT EXISTS (SELECT FROM procedure_ended e WHERE e.case_id = c.case_id)
ORDER BY f.shelf_position NULLS LAST, c.case_id, c.visit_id
"""
_COUNT = """
INSERT INTO card_count (visit_id, case_id, is_back, counted_at, counted_by)
SELECT v, c, $3, $4, $5 FROM unnest($1::uuid[], $2::uuid[]) AS e (v, c) ORDER BY 1, 2
ON CONFLICT (visit_id, case_id) DO UPDATE SET
    is_back = excluded.is_back, counted_at = excluded.counted_at, counted_by = excluded.counted_by
"""
