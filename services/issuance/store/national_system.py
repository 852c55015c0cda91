"""Suspensions as reservation tells them; beginning and end may come in either order."""

from collections.abc import Sequence
from datetime import datetime

from services.issuance.domain.national_system import Suspension
from shared.contracts.base import Procedure
from shared.contracts.site import SuspensionReason
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId, SuspensionId, VisitId


async def suspended(conn: Connection, told: Sequence[Suspension]) -> None:
    """Note the beginning of suspensions."""
    ordered = sorted({(one.suspension_id, one.site_id): one for one in told}.items())
    await conn.executemany(
        _SUSPENDED,
        [
            (*key, sorted(one.procedures), one.starts_at, one.ends_at, one.reason)
            for key, one in ordered
        ],
    )


async def resumed(conn: Connection, told: Sequence[tuple[SuspensionId, SiteId, datetime]]) -> None:
    """Note the end of suspensions."""
    newest = {one[:2]: one for one in told}
    await conn.executemany(_RESUMED, [newest[key] for key in sorted(newest)])


async def of_site(conn: Connection, site_id: SiteId) -> list[Suspension]:
    """The suspensions of a site that have no end yet, begun or to come."""
    return [_suspension(row) for row in await conn.fetch(_OF_SITE, site_id)]


async def of_case(
    conn: Connection, visit_id: VisitId, case_id: CaseId
) -> tuple[SiteId, Procedure, list[Suspension]] | None:
    """Where an open case is served, with what, and the suspensions there; none of another."""
    rows = await conn.fetch(_OF_CASE, visit_id, case_id)
    if not rows:
        return None
    found = [_suspension(row) for row in rows if row["suspension_id"] is not None]
    return rows[0]["at_site"], Procedure(rows[0]["procedure"]), found


def _suspension(row: Row) -> Suspension:
    return Suspension(
        suspension_id=row["suspension_id"],
        site_id=row["site_id"],
        procedures=frozenset(Procedure(one) for one in row["procedures"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        reason=SuspensionReason(row["reason"]),
    )


_SUSPENDED = """
INSERT INTO suspension (suspension_id, site_id, procedures, starts_at, ends_at, reason)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (suspension_id, site_id) DO UPDATE SET
    procedures = excluded.procedures, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    reason = excluded.reason
"""
_RESUMED = """
INSERT INTO suspension (suspension_id, site_id, resumed_at) VALUES ($1, $2, $3)
ON CONFLICT (suspension_id, site_id) DO UPDATE SET resumed_at = excluded.resumed_at
"""
_OF_SITE = """
SELECT * FROM suspension
WHERE site_id = $1 AND resumed_at IS NULL AND starts_at IS NOT NULL
ORDER BY starts_at, suspension_id
"""
_OF_CASE = """
SELECT v.site_id AS at_site, c.procedure, s.*
FROM visit v JOIN visit_case c USING (visit_id)
LEFT JOIN suspension s
    ON s.site_id = v.site_id AND s.resumed_at IS NULL AND s.starts_at IS NOT NULL
WHERE v.visit_id = $1 AND c.case_id = $2 AND c.state = 'open'
"""
