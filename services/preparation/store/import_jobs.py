"""Imports of lot files. The digest is unique: of two twins one waits, then reads the other's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.preparation.store.imports import RowResult
from shared.db import Connection, Row


class ImportMode(StrEnum):
    """How a file is taken: what is good of it, all or nothing, or only to see."""

    PARTIAL = "partial"
    WHOLE = "whole"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was taken in, or tried; ``refused`` where it was wanted whole and is not good."""

    import_id: UUID
    digest: bytes
    imported_at: datetime
    row_count: int
    rows_done: int
    rejected: int
    warned: int
    finished_at: datetime | None
    mode: ImportMode
    rows_judged: int
    refused: bool


async def begin(
    conn: Connection,
    import_id: UUID,
    digest: bytes,
    at: datetime,
    row_count: int,
    *,
    mode: ImportMode = ImportMode.PARTIAL,
) -> bool:
    """Claim a file; False where it was imported before (or is, right now, until that commits).

    A file that is only tried is claimed by nobody: it may be tried and sent again.
    """
    return await conn.fetchval(_BEGIN, import_id, digest, at, row_count, mode) is not None


async def find(conn: Connection, digest: bytes) -> Import | None:
    """The import of a file, if there was one."""
    row = await conn.fetchrow(_FIND, digest)
    return _import(row) if row else None


async def by_id(conn: Connection, import_id: UUID) -> Import | None:
    """One import."""
    row = await conn.fetchrow(_BY_ID, import_id)
    return _import(row) if row else None


async def newest(conn: Connection, before: UUID | None, limit: int) -> list[Import]:
    """Imports, the newest first, before an id."""
    return [_import(row) for row in await conn.fetch(_NEWEST, before, limit)]


async def count_done(
    conn: Connection, import_id: UUID, done: Sequence[RowResult], at: datetime
) -> bool:
    """Count rows that are done; whether they were the last."""
    rejected = sum(row.fault is not None for row in done)
    warned = sum(bool(row.oddities) for row in done)
    finished: bool = await conn.fetchval(_COUNT_DONE, import_id, len(done), rejected, at, warned)
    return finished


def _import(row: Row) -> Import:
    return Import(**{**row, "mode": ImportMode(row["mode"])})


_BEGIN = """
INSERT INTO lot_import (import_id, digest, imported_at, row_count, mode, sha256)
VALUES ($1, CASE $5::text WHEN 'dry_run' THEN sha256($2::bytea || uuid_send($1)) ELSE $2 END,
        $3, $4, $5, $2)
ON CONFLICT (digest) DO NOTHING RETURNING import_id
"""
_IMPORTS = """
SELECT import_id, coalesce(sha256, digest) AS digest, imported_at, row_count, rows_done, rejected,
       warned, finished_at, mode, rows_judged, refused
FROM lot_import
"""
_FIND = f"{_IMPORTS} WHERE digest = $1"
_BY_ID = f"{_IMPORTS} WHERE import_id = $1"
_NEWEST = f"""{_IMPORTS}
WHERE $1::uuid IS NULL OR import_id < $1 ORDER BY import_id DESC LIMIT $2
"""
# The row is counted up by one at a time: whoever brings it to its end knows that it is the last.
_COUNT_DONE = """
UPDATE lot_import SET rows_done = rows_done + $2, rejected = rejected + $3, warned = warned + $5,
       finished_at = CASE WHEN rows_done + $2 = row_count THEN $4::timestamptz END
WHERE import_id = $1 RETURNING finished_at IS NOT NULL
"""
