"""Satellites and their leases, as headquarters keep them."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.issuance.domain.satellite import Satellite, SatelliteState
from shared.db import Connection, Row
from shared.ids import SiteId


async def set_up(conn: Connection, site_id: SiteId, at: datetime, by: str) -> None:
    """Let the satellite of a site take a lease; one that is away stays so."""
    await conn.execute(_SET_UP, site_id, at, by)


async def lock(conn: Connection, site_id: SiteId) -> Satellite | None:
    """The satellite, locked: whoever hands a card over at its site waits, or was before."""
    await conn.fetch("SELECT 1 FROM satellite WHERE site_id = $1 FOR UPDATE", site_id)
    return await find(conn, site_id)


async def find(conn: Connection, site_id: SiteId) -> Satellite | None:
    """The satellite."""
    row = await conn.fetchrow(f"{_READ} WHERE s.site_id = $1", site_id)
    return _satellite(row) if row else None


async def away(conn: Connection, site_ids: Collection[SiteId]) -> set[SiteId]:
    """Those of ``site_ids`` whose satellite is away; none becomes so before the commit."""
    rows = await conn.fetch(_SHARE, sorted(site_ids))
    return {row["site_id"] for row in rows if row["state"] == SatelliteState.AWAY}


async def become(
    conn: Connection,
    site_id: SiteId,
    state: SatelliteState,
    *,
    holder: UUID | None,
    at: datetime,
    by: str,
) -> None:
    """Let the satellite go away under a new lease, or take it back."""
    await conn.execute(_BECOME, site_id, state, holder, at, by)


async def page(
    conn: Connection, sites: Collection[SiteId], after: str, limit: int
) -> list[Satellite]:
    """Up to ``limit`` satellites of ``sites`` (``*``: of every site) that come after ``after``."""
    rows = await conn.fetch(_PAGE, sorted(sites), after, limit)
    return [_satellite(row) for row in rows]


async def claim(conn: Connection, site_id: SiteId, lease: int, number: int, at: datetime) -> bool:
    """Claim an entry of a satellite's journal; False where it was worked before."""
    return await conn.fetchval(_CLAIM, site_id, lease, number, at) is not None


def _satellite(row: Row) -> Satellite:
    return Satellite(
        site_id=row["site_id"],
        state=SatelliteState(row["state"]),
        lease=row["lease"],
        holder=row["holder"],
        changed_at=row["changed_at"],
        received_number=row["received_number"],
        received_at=row["received_at"],
        conflicts=row["conflicts"],
    )


_SET_UP = """
INSERT INTO satellite AS s (site_id, state, changed_at, changed_by) VALUES ($1, 'ready', $2, $3)
ON CONFLICT (site_id) DO UPDATE SET
    state = 'ready', holder = NULL, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by
WHERE s.state = 'back'
"""
_READ = """
SELECT s.*, coalesce(r.number, 0) AS received_number, r.received_at,
       (SELECT count(*) FROM conflict c WHERE c.site_id = s.site_id AND c.state = 'open')
           AS conflicts
FROM satellite s LEFT JOIN LATERAL (
    SELECT number, received_at FROM journal_received j WHERE j.site_id = s.site_id
    ORDER BY lease DESC, number DESC LIMIT 1) r ON true
"""
_PAGE = f"""{_READ} WHERE (s.site_id = ANY ($1::text[]) OR '*' = ANY ($1)) AND s.site_id > $2
ORDER BY s.site_id LIMIT $3"""
_SHARE = """
SELECT site_id, state FROM satellite WHERE site_id = ANY ($1::text[]) ORDER BY site_id FOR SHARE
"""
_BECOME = """
UPDATE satellite SET state = $2, lease = lease + ($2 = 'away')::int, holder = $3,
                     changed_at = $4, changed_by = $5
WHERE site_id = $1
"""
_CLAIM = """
INSERT INTO journal_received (site_id, lease, number, received_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING number
"""
