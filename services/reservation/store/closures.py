"""Closures. Whoever works on one holds its row; nobody waits for it."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.reservation.domain.closure import (
    Closure,
    ClosureId,
    ClosureKind,
    ClosureRunning,
    ClosureState,
)
from services.reservation.domain.withdrawal import Former
from shared.contracts.place import Site
from shared.db import Connection, Row
from shared.ids import SiteId, SuspensionId

_COLUMNS = """
closure_id, site_id, kind, state, last_day, suspension_id, version, started_at, next_at, ended_at,
listed_version, withdrawn_at
"""
_INSERT = """
INSERT INTO closure (closure_id, site_id, kind, state, last_day, suspension_id, started_at, next_at,
                     former, made_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_RUNNING = """
SELECT closure_id FROM closure WHERE site_id = $1 AND state <> 'done' AND kind <> 'suspension'
"""
_READ = f"SELECT {_COLUMNS} FROM closure WHERE closure_id = $1"  # noqa: S608  our column list
_OF_SUSPENSION = f"""
SELECT {_COLUMNS} FROM closure WHERE suspension_id = $1 ORDER BY site_id
"""  # noqa: S608
_PAGE = f"""
SELECT {_COLUMNS} FROM closure
WHERE ($1::uuid IS NULL OR closure_id > $1) AND ($2::text IS NULL OR site_id = $2)
    AND (NOT $3 OR state <> 'done')
ORDER BY closure_id LIMIT $4
"""  # noqa: S608
_TAKE_DUE = f"""
SELECT {_COLUMNS} FROM closure WHERE state <> 'done' AND next_at <= $1
ORDER BY next_at, closure_id LIMIT 1
FOR UPDATE SKIP LOCKED
"""  # noqa: S608
_SET = """
UPDATE closure SET state = $2, next_at = $3, ended_at = $4,
    version = version + CASE WHEN state <> $2 THEN 1 ELSE 0 END
WHERE closure_id = $1
"""
_LISTED = "UPDATE closure SET listed_version = $2 WHERE closure_id = $1"
_FORMER = "SELECT former, made_version FROM closure WHERE closure_id = $1 AND former IS NOT NULL"
_LOCK = f"SELECT {_COLUMNS} FROM closure WHERE closure_id = $1 FOR UPDATE"  # noqa: S608
_WITHDRAW = """
UPDATE closure SET withdrawn_at = $2, next_at = $2, version = version + 1 WHERE closure_id = $1
"""
_NUDGE = """
UPDATE closure SET next_at = least(next_at, $2) WHERE closure_id IN (
    SELECT closure_id FROM closure
    WHERE closure_id = ANY($1::uuid[]) AND state <> 'done' FOR UPDATE SKIP LOCKED)
"""
_HURRY = """
UPDATE closure SET next_at = least(next_at, $2) WHERE suspension_id = $1 AND state <> 'done'
"""


async def insert(conn: Connection, closure: Closure, former: Former | None) -> None:
    """Store a new closure and what it can be taken back to.

    Raises ``ClosureRunning`` where the site has another.
    """
    other = await running_at(conn, closure.site_id)
    if other is not None and closure.kind is not ClosureKind.SUSPENSION:
        raise ClosureRunning(other)
    try:
        await conn.execute(
            _INSERT,
            closure.closure_id,
            closure.site_id,
            closure.kind.value,
            closure.state.value,
            closure.last_day,
            closure.suspension_id,
            closure.started_at,
            closure.next_at,
            former.site.model_dump_json() if former else None,
            former.made_version if former else None,
        )
    except asyncpg.UniqueViolationError:
        raise ClosureRunning(closure.closure_id) from None


async def running_at(conn: Connection, site_id: SiteId) -> ClosureId | None:
    """The closure that is changing the site; suspensions are none."""
    found = await conn.fetchval(_RUNNING, site_id)
    return ClosureId(found) if found else None


async def read(conn: Connection, closure_id: ClosureId) -> Closure | None:
    """The closure, or none."""
    row = await conn.fetchrow(_READ, closure_id)
    return _closure(row) if row else None


async def of_suspension(conn: Connection, suspension_id: SuspensionId) -> list[Closure]:
    """The closures that a suspension led to, by site."""
    return [_closure(row) for row in await conn.fetch(_OF_SUSPENSION, suspension_id)]


async def page(
    conn: Connection,
    after: ClosureId | None,
    site_id: SiteId | None,
    limit: int,
    *,
    running_only: bool,
) -> Sequence[Closure]:
    """Up to ``limit`` closures after this one, oldest first."""
    rows = await conn.fetch(_PAGE, after, site_id, running_only, limit)
    return [_closure(row) for row in rows]


async def take_due(conn: Connection, now: datetime) -> Closure | None:
    """A closure for which something may be to do, locked; none where others hold them all."""
    row = await conn.fetchrow(_TAKE_DUE, now)
    return _closure(row) if row else None


async def set_(
    conn: Connection, closure_id: ClosureId, state: ClosureState, next_at: datetime, now: datetime
) -> None:
    """How far the locked closure has come, and when to look at it again."""
    ended = now if state is ClosureState.DONE else None
    await conn.execute(_SET, closure_id, state.value, next_at, ended)


async def listed(conn: Connection, closure_id: ClosureId, site_version: int) -> None:
    """The locked closure has looked who has a seat at the site as it is in this version."""
    await conn.execute(_LISTED, closure_id, site_version)


async def lock(conn: Connection, closure_id: ClosureId) -> Closure | None:
    """The closure, locked to the end of the transaction; before its site."""
    row = await conn.fetchrow(_LOCK, closure_id)
    return _closure(row) if row else None


async def former(conn: Connection, closure_id: ClosureId) -> Former | None:
    """What the closure can be taken back to, where that was kept."""
    row = await conn.fetchrow(_FORMER, closure_id)
    return Former(Site.model_validate_json(row["former"]), row["made_version"]) if row else None


async def withdraw(conn: Connection, closure_id: ClosureId, now: datetime) -> None:
    """The locked closure is taken back; it is to be looked at now."""
    await conn.execute(_WITHDRAW, closure_id, now)


async def nudge(conn: Connection, closure_ids: Sequence[ClosureId], now: datetime) -> None:
    """Let these be looked at now, but for those that somebody is working on; waits for nobody."""
    await conn.execute(_NUDGE, closure_ids, now)


async def hurry(conn: Connection, suspension_id: SuspensionId, now: datetime) -> None:
    """Let the closures of a suspension be looked at now."""
    await conn.execute(_HURRY, suspension_id, now)


def _closure(row: Row) -> Closure:
    values = dict(row)
    return Closure(
        **values | {"kind": ClosureKind(values["kind"]), "state": ClosureState(values["state"])}
    )
