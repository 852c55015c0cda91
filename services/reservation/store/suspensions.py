"""Suspensions of the national system, one row per site."""

from collections.abc import Sequence
from datetime import datetime

from services.reservation.domain.national_system import Policy, Suspension
from shared.contracts.base import Procedure
from shared.contracts.site import SuspensionReason
from shared.db import Connection, Row
from shared.ids import SiteId, SuspensionId

_COLUMNS = """
suspension_id, site_id, procedures, starts_at, ends_at, reason, bookings, commanded_at, resumed_at
"""
_INSERT = """
INSERT INTO suspension (suspension_id, site_id, procedures, starts_at, ends_at, reason, bookings,
                        commanded_at)
SELECT $1, site_id, $3, $4, $5, $6, $7, $8 FROM unnest($2::text[]) AS s(site_id) ORDER BY site_id
"""
_RUNNING = f"""
SELECT {_COLUMNS} FROM suspension
WHERE resumed_at IS NULL AND ($1::text[] IS NULL OR site_id = ANY($1))
ORDER BY site_id, suspension_id
"""  # noqa: S608  our column list
_READ = f"""
SELECT {_COLUMNS} FROM suspension WHERE suspension_id = $1 ORDER BY site_id
"""  # noqa: S608
_PAGE = f"""
SELECT {_COLUMNS} FROM suspension
WHERE suspension_id IN (
    SELECT DISTINCT suspension_id FROM suspension
    WHERE ($1::uuid IS NULL OR suspension_id > $1) AND (NOT $2 OR resumed_at IS NULL)
    ORDER BY suspension_id LIMIT $3)
ORDER BY suspension_id, site_id
"""  # noqa: S608
_RESUME = f"""
UPDATE suspension SET resumed_at = $3
WHERE suspension_id = $1 AND resumed_at IS NULL AND ($2::text[] IS NULL OR site_id = ANY($2))
RETURNING {_COLUMNS}
"""  # noqa: S608
_TAKE_OVER = f"""
SELECT {_COLUMNS} FROM suspension WHERE resumed_at IS NULL AND ends_at <= $1
ORDER BY suspension_id, site_id LIMIT $2
FOR UPDATE SKIP LOCKED
"""  # noqa: S608


async def insert(conn: Connection, one: Suspension, site_ids: Sequence[SiteId]) -> None:
    """Store a suspension at each of the sites."""
    await conn.execute(
        _INSERT,
        one.suspension_id,
        site_ids,
        sorted(one.procedures),
        one.starts_at,
        one.ends_at,
        one.reason.value,
        one.bookings.value,
        one.commanded_at,
    )


async def running(conn: Connection, site_ids: Sequence[SiteId] | None) -> list[Suspension]:
    """Suspensions of these sites (of all) that are not over, begun or not."""
    return [_suspension(row) for row in await conn.fetch(_RUNNING, site_ids)]


async def of_sites(
    conn: Connection, site_ids: Sequence[SiteId] | None
) -> dict[SiteId, list[Suspension]]:
    """Suspensions of these sites (of all) that are not over, by site."""
    found: dict[SiteId, list[Suspension]] = {}
    for one in await running(conn, site_ids):
        found.setdefault(one.site_id, []).append(one)
    return found


async def read(conn: Connection, suspension_id: SuspensionId) -> list[Suspension]:
    """One suspension, by site."""
    return [_suspension(row) for row in await conn.fetch(_READ, suspension_id)]


async def page(
    conn: Connection, after: SuspensionId | None, limit: int, *, running_only: bool
) -> list[Suspension]:
    """Up to ``limit`` suspensions after this one, each with all its sites, oldest first."""
    return [_suspension(row) for row in await conn.fetch(_PAGE, after, running_only, limit)]


async def resume(
    conn: Connection, suspension_id: SuspensionId, site_ids: Sequence[SiteId] | None, at: datetime
) -> list[Suspension]:
    """End it at these sites (at all); those at which it had not ended."""
    return [_suspension(row) for row in await conn.fetch(_RESUME, suspension_id, site_ids, at)]


async def take_over(conn: Connection, now: datetime, limit: int) -> list[Suspension]:
    """Up to ``limit`` whose announced end has come, locked."""
    return [_suspension(row) for row in await conn.fetch(_TAKE_OVER, now, limit)]


def _suspension(row: Row) -> Suspension:
    values = dict(row)
    return Suspension(
        **values
        | {
            "procedures": frozenset(Procedure(one) for one in values["procedures"]),
            "reason": SuspensionReason(values["reason"]),
            "bookings": Policy(values["bookings"]),
        }
    )
