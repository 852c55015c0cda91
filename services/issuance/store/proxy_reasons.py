"""Why somebody came for a citizen, kept for a time: it may tell of an illness or a disability.

What stays is that a proxy came, with which types of documents and papers.
"""

from datetime import datetime

from shared.db import Connection


async def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Replace up to ``limit`` reasons noted before ``before`` by "other", wherever one is kept, and
    say how many. What a satellite has not told, or nobody has decided about, keeps its own.
    """
    forgotten = 0
    for statement in (_NOTED, _TOLD, _DECIDED):
        forgotten += await conn.fetchval(statement, before, limit)
    return forgotten


_NOTED = """
WITH old AS (
    SELECT visit_id, case_id FROM case_step
    WHERE step = 'proxy' AND result <> 'other' AND done_at < $1
    LIMIT $2 FOR UPDATE SKIP LOCKED
), forgotten AS (
    UPDATE case_step s SET result = 'other' FROM old
    WHERE s.visit_id = old.visit_id AND s.case_id = old.case_id AND s.step = 'proxy'
    RETURNING 1
)
SELECT count(*) FROM forgotten
"""
_TOLD = """
WITH old AS (
    SELECT number FROM journal
    WHERE told_at < $1 AND entry ->> 'verb' = 'proxy'
          AND entry ? 'reason' AND entry ->> 'reason' <> 'other'
    LIMIT $2 FOR UPDATE SKIP LOCKED
), forgotten AS (
    UPDATE journal j SET entry = jsonb_set(entry, '{reason}', '"other"') FROM old
    WHERE j.number = old.number
    RETURNING 1
)
SELECT count(*) FROM forgotten
"""
# An entry that was set aside unread holds what was done one level deeper.
_DECIDED = """
WITH old AS (
    SELECT r.conflict_id, r.number FROM conflict_row r JOIN conflict c USING (conflict_id)
    WHERE c.resolved_at < $1 AND coalesce(r.entry -> 'entry', r.entry) ->> 'verb' = 'proxy'
          AND coalesce(r.entry -> 'entry', r.entry) ? 'reason'
          AND coalesce(r.entry -> 'entry', r.entry) ->> 'reason' <> 'other'
    LIMIT $2 FOR UPDATE OF r SKIP LOCKED
), forgotten AS (
    UPDATE conflict_row r SET entry = jsonb_set(
        entry,
        CASE WHEN entry ? 'entry' THEN '{entry,reason}'::text[] ELSE '{reason}'::text[] END,
        '"other"'
    ) FROM old
    WHERE r.conflict_id = old.conflict_id AND r.number = old.number
    RETURNING 1
)
SELECT count(*) FROM forgotten
"""
