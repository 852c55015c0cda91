"""Sealed names and addresses: what is here is only what the vault opens.

A case has one at a time; it is sealed under the case, or under the change that corrected it.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from shared.db import Connection
from shared.ids import CaseId


async def keep(conn: Connection, sealed: Mapping[CaseId, tuple[UUID, bytes]]) -> None:
    """Keep what was sealed, and under what, of cases that have nothing."""
    under, data = [u for u, _ in sealed.values()], [d for _, d in sealed.values()]
    await conn.execute(_KEEP, list(sealed), under, data)


async def sealed(
    conn: Connection, case_ids: Collection[CaseId]
) -> dict[CaseId, tuple[UUID, bytes]]:
    """What is kept of these cases, and under what it is sealed."""
    rows = await conn.fetch(_SEALED, list(case_ids))
    return {row["case_id"]: (row["sealed_under"], row["sealed"]) for row in rows}


async def drop(conn: Connection, case_ids: Collection[CaseId]) -> list[UUID]:
    """Forget these cases; returns under what was sealed what they had."""
    rows = await conn.fetch(_DROP, list(case_ids))
    return [row["sealed_under"] for row in rows]


_KEEP = """
INSERT INTO sealed_addressee (case_id, sealed_under, sealed)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[])
"""
_SEALED = """
SELECT case_id, coalesce(sealed_under, case_id) AS sealed_under, sealed
FROM sealed_addressee WHERE case_id = ANY($1::uuid[])
"""
_DROP = """
DELETE FROM sealed_addressee WHERE case_id = ANY($1::uuid[])
RETURNING coalesce(sealed_under, case_id) AS sealed_under
"""
