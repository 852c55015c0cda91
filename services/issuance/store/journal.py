"""The journal of a satellite, in its own database: every act, written with its effect.

Numbers are drawn while the rows that an act is about are locked, so those of one visit are in the
order in which it went; acts on different visits may be told in any order.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.issuance.domain.conflict import Entry
from shared.db import Connection
from shared.errors import Json
from shared.ids import SiteId, new_id


@dataclass(frozen=True, slots=True)
class Here:
    """Which satellite this database belongs to, and its lease."""

    site_id: SiteId
    holder: UUID
    lease: int
    is_valid: bool
    asked_at: datetime | None
    said: str | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the journal was told."""

    entries: int
    waiting: int
    oldest_at: datetime | None
    told_through: int
    last_told_at: datetime | None


async def belong(conn: Connection, site_id: SiteId) -> Here:
    """The satellite of this database; the first to ask makes it that of ``site_id``.

    Raises ``ValueError`` where it belongs to another site.
    """
    await conn.execute(_BELONG, site_id, new_id())
    (row,) = await conn.fetch(
        "SELECT site_id, holder, lease, is_valid, asked_at, said FROM satellite_here"
    )
    here = Here(**row)
    if here.site_id != site_id:
        raise ValueError(f"this database belongs to the satellite {here.site_id}")
    return here


async def valid_lease(conn: Connection) -> int | None:
    """The lease under which this satellite may serve; it is not taken away before the commit."""
    lease: int | None = await conn.fetchval(
        "SELECT lease FROM satellite_here WHERE is_valid FOR SHARE"
    )
    return lease


async def told_lease(
    conn: Connection, lease: int | None, at: datetime, said: str | None = None
) -> None:
    """Note the lease that headquarters gave, or that there is none (None) and why."""
    await conn.execute(_LEASE, lease, at, said)


async def failed(conn: Connection, at: datetime, said: str) -> None:
    """Note why headquarters could not be told; the lease stays as it was."""
    await conn.execute("UPDATE satellite_here SET asked_at = $1, said = $2", at, said)


async def went_well(conn: Connection) -> None:
    """Forget why the try before failed; why there is no lease stays."""
    await conn.execute("UPDATE satellite_here SET said = NULL WHERE is_valid AND said IS NOT NULL")


async def write(
    conn: Connection, lease: int, at: datetime, actor: str, rows: Sequence[Mapping[str, Json]]
) -> None:
    """Write acts in their order."""
    texts = [json.dumps(dict(row)) for row in rows]
    await conn.execute(_WRITE, lease, at, actor, texts)


async def untold(conn: Connection, limit: int) -> tuple[int, list[Entry]]:
    """The first entries that were not told, all of one lease, and that lease."""
    rows = await conn.fetch(_UNTOLD, limit)
    lease: int = rows[0]["lease"] if rows else 0
    return lease, [
        Entry(row["number"], row["actor"], json.loads(row["entry"]))
        for row in rows
        if row["lease"] == lease
    ]


async def told(conn: Connection, numbers: Sequence[int], at: datetime) -> None:
    """Note that headquarters have these entries."""
    await conn.execute(_TOLD, list(numbers), at)


async def waiting(conn: Connection) -> tuple[int, datetime | None]:
    """How many entries headquarters do not have, and the moment of the oldest."""
    (row,) = await conn.fetch(_WAITING)
    return row["waiting"], row["oldest_at"]


async def progress(conn: Connection) -> Progress:
    """How far the journal was told."""
    (row,) = await conn.fetch(_PROGRESS)
    return Progress(**row)


_BELONG = """
INSERT INTO satellite_here (site_id, holder) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
_LEASE = """
UPDATE satellite_here
SET lease = coalesce($1, lease), is_valid = $1::bigint IS NOT NULL, asked_at = $2, said = $3
"""
_WRITE = """
INSERT INTO journal (lease, occurred_at, actor, entry)
SELECT $1, $2, $3, entry::jsonb FROM unnest($4::text[]) WITH ORDINALITY AS e (entry, n) ORDER BY n
"""
_UNTOLD = """
SELECT number, lease, actor, entry FROM journal WHERE told_at IS NULL ORDER BY number LIMIT $1
"""
_TOLD = "UPDATE journal SET told_at = $2 WHERE number = ANY ($1::bigint[])"
_WAITING = """
SELECT count(*) AS waiting, min(occurred_at) AS oldest_at FROM journal WHERE told_at IS NULL
"""
_PROGRESS = """
SELECT count(*) AS entries, count(*) FILTER (WHERE told_at IS NULL) AS waiting,
       min(occurred_at) FILTER (WHERE told_at IS NULL) AS oldest_at,
       coalesce(max(number) FILTER (WHERE told_at IS NOT NULL), 0) AS told_through,
       max(told_at) AS last_told_at
FROM journal
"""
