"""What is called at a site, and how long things take there as measured."""

from datetime import date, datetime, timedelta

from services.issuance.domain.board import Call
from services.issuance.domain.ticket import Purpose, label
from shared.db import Connection
from shared.ids import SiteId

CHANNEL = "issuance_board"
"""Triggers tell the site here whenever its queue or counters change."""


async def calls(
    conn: Connection, site_id: SiteId, day: date
) -> list[tuple[datetime, Call, frozenset[Purpose]]]:
    """The tickets that are at a counter: since when, where, and what for."""
    found = []
    for row in await conn.fetch(_CALLS, site_id, day):
        purposes = frozenset(Purpose(purpose) for purpose in row["purposes"])
        call = Call(label(purposes, row["number"]), row["counter"], row["calls"])
        found.append((row["called_at"], call, purposes))
    return found


async def times(conn: Connection, site_id: SiteId) -> dict[Purpose, timedelta]:
    """The measured service times of a site; nothing where too little was measured."""
    rows = await conn.fetch("SELECT purpose, seconds FROM service_time WHERE site_id = $1", site_id)
    return {Purpose(row["purpose"]): timedelta(seconds=row["seconds"]) for row in rows}


_CALLS = """
SELECT t.number, t.purposes, t.calls, v.counter, v.called_at
FROM visit v JOIN ticket t USING (visit_id)
WHERE v.site_id = $1 AND v.business_date = $2 AND v.state = 'called'
"""
