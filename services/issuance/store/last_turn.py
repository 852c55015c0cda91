"""Who was at a counter last: for what is printed once the party has gone on."""

from datetime import date

from shared.db import Connection
from shared.ids import SiteId, VisitId


async def ended_at(conn: Connection, site_id: SiteId, counter: str, day: date) -> VisitId | None:
    """The visit that ended last at a counter on a day."""
    visit_id: VisitId | None = await conn.fetchval(_LAST, site_id, counter, day)
    return visit_id


_LAST = """
SELECT visit_id FROM counter_turn
WHERE site_id = $1 AND business_date = $3 AND counter = $2 AND outcome = 'ended'
ORDER BY ended_at DESC, turn_id DESC LIMIT 1
"""
