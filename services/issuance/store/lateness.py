"""How late each site lets a party come, as its newest event says."""

import json
from collections.abc import Mapping

from shared.contracts.base import Procedure
from shared.db import Connection
from shared.ids import SiteId


async def told(
    conn: Connection, sites: Mapping[SiteId, tuple[int, Mapping[Procedure, int]]]
) -> None:
    """Note, by site, the event's sequence and the minutes of each procedure decided there."""
    rows = sorted(sites.items())
    await conn.execute(
        _TOLD,
        [site_id for site_id, _ in rows],
        [seq for _, (seq, _) in rows],
        [json.dumps(minutes) for _, (_, minutes) in rows],
    )


_TOLD = """
INSERT INTO site_lateness AS l (site_id, seq, minutes)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::jsonb[])
ON CONFLICT (site_id) DO UPDATE SET seq = excluded.seq, minutes = excluded.minutes
WHERE excluded.seq > l.seq
"""
