"""The waiting list. One place per case and one open offer per party are unique indexes."""

from collections.abc import Sequence

from shared.db import Connection
from shared.ids import SiteId

_ANYBODY = """
SELECT EXISTS (
    SELECT FROM waitlist_entry WHERE state = 'waiting' AND site_ids && $1::text[]
)
"""


async def anybody_waits(conn: Connection, site_ids: Sequence[SiteId]) -> bool:
    """Whether anybody waits for a seat at one of the sites."""
    found: bool = await conn.fetchval(_ANYBODY, site_ids)
    return found
