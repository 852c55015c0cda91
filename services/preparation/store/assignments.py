"""Who works on which case; the case is the key, so that nobody shares one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.preparation.domain.assignments import Assignment
from shared.db import Connection
from shared.ids import CaseId


async def take(
    conn: Connection, case_ids: Sequence[CaseId], operator: str, at: datetime, until: datetime
) -> set[CaseId]:
    """Assign free cases; an own assignment is prolonged, an expired one of others replaced.

    Returns those that are the operator's now.
    """
    rows = await conn.fetch(_TAKE, list(case_ids), operator, at, until)
    return {row["case_id"] for row in rows}


async def give_back(
    conn: Connection, case_ids: Sequence[CaseId], operator: str | None
) -> set[CaseId]:
    """End assignments of an operator, or of anybody; returns those that ended."""
    rows = await conn.fetch(_GIVE_BACK, list(case_ids), operator)
    return {row["case_id"] for row in rows}


async def of_others(
    conn: Connection, case_ids: Sequence[CaseId], operator: str, at: datetime
) -> set[CaseId]:
    """Those cases that somebody else works on at ``at``."""
    rows = await conn.fetch(_OF_OTHERS, list(case_ids), operator, at)
    return {row["case_id"] for row in rows}


async def listed(
    conn: Connection, operator: str | None, at: datetime, after: UUID | None, limit: int
) -> list[Assignment]:
    """Assignments that stand at ``at``, of an operator or of all, after a case."""
    rows = await conn.fetch(_LISTED, operator, at, after, limit)
    return [Assignment(**row) for row in rows]


async def expire(conn: Connection, at: datetime, limit: int) -> list[CaseId]:
    """Remove up to ``limit`` assignments that have ended by ``at``; which cases they were of."""
    return [row["case_id"] for row in await conn.fetch(_EXPIRE, at, limit)]


_TAKE = """
INSERT INTO assignment AS a (case_id, operator, assigned_at, expires_at)
SELECT case_id, $2, $3, $4 FROM unnest($1::uuid[]) AS case_id ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE
    SET operator = excluded.operator, assigned_at = excluded.assigned_at,
        expires_at = excluded.expires_at
    WHERE a.operator = excluded.operator OR a.expires_at <= excluded.assigned_at
RETURNING case_id
"""
_GIVE_BACK = """
DELETE FROM assignment WHERE case_id = ANY($1::uuid[]) AND ($2::text IS NULL OR operator = $2)
RETURNING case_id
"""
_OF_OTHERS = """
SELECT case_id FROM assignment
WHERE case_id = ANY($1::uuid[]) AND operator <> $2 AND expires_at > $3
"""
_LISTED = """
SELECT case_id, operator, assigned_at, expires_at FROM assignment
WHERE ($1::text IS NULL OR operator = $1) AND expires_at > $2
  AND ($3::uuid IS NULL OR case_id > $3)
ORDER BY case_id LIMIT $4
"""
_EXPIRE = """
DELETE FROM assignment WHERE case_id IN (
    SELECT case_id FROM assignment WHERE expires_at <= $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING case_id
"""
