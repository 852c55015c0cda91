"""Conflicts and the journal entries they keep. One conflict of a visit is open at a time."""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.issuance.domain.conflict import ConflictState, Entry, Found
from shared.db import Connection, Row
from shared.ids import SiteId, VisitId


async def open_of(conn: Connection, site_id: SiteId, visit_id: VisitId) -> UUID | None:
    """The open conflict of a visit."""
    found: UUID | None = await conn.fetchval(_OPEN_OF, site_id, visit_id)
    return found


async def any_open(conn: Connection, site_id: SiteId) -> bool:
    """Whether a visit of the site waits for a decision."""
    found: bool = await conn.fetchval(_ANY_OPEN, site_id)
    return found


async def raise_(conn: Connection, found: Found) -> None:
    """Write a conflict with its first entries."""
    await conn.execute(
        _RAISE,
        found.conflict_id,
        found.site_id,
        found.lease,
        found.visit_id,
        found.code,
        found.raised_at,
    )
    for entry in found.entries:
        await keep(conn, found.conflict_id, entry)


async def keep(conn: Connection, conflict_id: UUID, entry: Entry) -> None:
    """Keep one more entry of the visit."""
    row = json.dumps(dict(entry.row))
    await conn.execute(_KEEP, conflict_id, entry.number, entry.actor, row)


async def lock(conn: Connection, conflict_id: UUID) -> Found | None:
    """The conflict with its entries in order, locked."""
    await conn.fetch("SELECT 1 FROM conflict WHERE conflict_id = $1 FOR UPDATE", conflict_id)
    return await find(conn, conflict_id)


async def find(conn: Connection, conflict_id: UUID) -> Found | None:
    """The conflict with its entries in order."""
    found = await _read(conn, await conn.fetch(_FIND, conflict_id))
    return found[0] if found else None


async def page(
    conn: Connection, site_id: SiteId, state: ConflictState | None, after: UUID, limit: int
) -> list[Found]:
    """Up to ``limit`` conflicts of a site after ``after``, the oldest first."""
    return await _read(conn, await conn.fetch(_PAGE, site_id, state, after, limit))


async def resolve(
    conn: Connection, conflict_id: UUID, state: ConflictState, at: datetime, by: str
) -> None:
    """Note the decision."""
    await conn.execute(_RESOLVE, conflict_id, state, at, by)


async def _read(conn: Connection, rows: Sequence[Row]) -> list[Found]:
    kept = await conn.fetch(_ENTRIES, [row["conflict_id"] for row in rows])
    return [
        Found(
            conflict_id=row["conflict_id"],
            site_id=row["site_id"],
            lease=row["lease"],
            visit_id=row["visit_id"],
            code=row["code"],
            state=ConflictState(row["state"]),
            raised_at=row["raised_at"],
            resolved_at=row["resolved_at"],
            resolved_by=row["resolved_by"],
            entries=tuple(
                Entry(one["number"], one["actor"], json.loads(one["entry"]))
                for one in kept
                if one["conflict_id"] == row["conflict_id"]
            ),
        )
        for row in rows
    ]


_OPEN_OF = """
SELECT conflict_id FROM conflict WHERE site_id = $1 AND visit_id = $2 AND state = 'open'
FOR UPDATE
"""
_ANY_OPEN = """
SELECT EXISTS (SELECT FROM conflict
               WHERE site_id = $1 AND state = 'open' AND visit_id IS NOT NULL)
"""
_RAISE = """
INSERT INTO conflict (conflict_id, site_id, lease, visit_id, code, state, raised_at)
VALUES ($1, $2, $3, $4, $5, 'open', $6)
"""
_KEEP = """
INSERT INTO conflict_row (conflict_id, number, actor, entry) VALUES ($1, $2, $3, $4)
"""
_FIND = "SELECT * FROM conflict WHERE conflict_id = $1"
_PAGE = """
SELECT * FROM conflict
WHERE site_id = $1 AND ($2::text IS NULL OR state = $2) AND conflict_id > $3
ORDER BY conflict_id LIMIT $4
"""
_ENTRIES = """
SELECT * FROM conflict_row WHERE conflict_id = ANY ($1::uuid[]) ORDER BY conflict_id, number
"""
_RESOLVE = """
UPDATE conflict SET state = $2, resolved_at = $3, resolved_by = $4 WHERE conflict_id = $1
"""
