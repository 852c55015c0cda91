"""Sealed names and addresses: what is here is only what the vault opens."""

from collections.abc import Collection, Mapping

from shared.db import Connection
from shared.ids import CaseId


async def keep(conn: Connection, sealed: Mapping[CaseId, bytes]) -> None:
    """Keep what was sealed."""
    await conn.execute(_KEEP, list(sealed), list(sealed.values()))


async def sealed(conn: Connection, case_ids: Collection[CaseId]) -> dict[CaseId, bytes]:
    """What is kept of these cases."""
    rows = await conn.fetch(_SEALED, list(case_ids))
    return {row["case_id"]: row["sealed"] for row in rows}


async def drop(conn: Connection, case_ids: Collection[CaseId]) -> None:
    """Forget these cases."""
    await conn.execute(_DROP, list(case_ids))


_KEEP = """
INSERT INTO sealed_addressee (case_id, sealed) SELECT * FROM unnest($1::uuid[], $2::bytea[])
"""
_SEALED = "SELECT case_id, sealed FROM sealed_addressee WHERE case_id = ANY($1::uuid[])"
_DROP = "DELETE FROM sealed_addressee WHERE case_id = ANY($1::uuid[])"
