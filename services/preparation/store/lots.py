"""Lots as they are read: what came with each, and how far its cards are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.preparation.domain.stages import Stage
from services.preparation.store.imports import RowResult, row_result
from shared.db import Connection, Row
from shared.ids import LotId


@dataclass(frozen=True, slots=True)
class LotView:
    """A lot; ``stages`` counts its cards by the stage they are in."""

    lot_id: LotId
    received_at: datetime
    accepted: int
    rejected: int
    stages: dict[Stage, int]


@dataclass(frozen=True, slots=True)
class LotRow:
    """A row of a lot and the file it came in."""

    import_id: UUID
    result: RowResult


async def newest(
    conn: Connection, after: tuple[datetime, str] | None, limit: int
) -> Sequence[LotView]:
    """Lots, the newest first, after a lot's (received_at, lot_id)."""
    at, lot_id = after or (None, None)
    return [_lot(row) for row in await conn.fetch(_NEWEST, at, lot_id, limit)]


async def find(conn: Connection, lot_id: LotId) -> LotView | None:
    """One lot."""
    row = await conn.fetchrow(_FIND, lot_id)
    return _lot(row) if row else None


async def rows(
    conn: Connection, lot_id: LotId, after: tuple[UUID, int] | None, limit: int
) -> Sequence[LotRow]:
    """The rows of a lot by file and line, after (import_id, line)."""
    import_id, line = after or (None, None)
    found = await conn.fetch(_ROWS, lot_id, import_id, line, limit)
    return [LotRow(row["import_id"], row_result(row)) for row in found]


def _lot(row: Row) -> LotView:
    stages = {Stage(stage): count for stage, count in json.loads(row["stages"] or "{}").items()}
    return LotView(row["lot_id"], row["received_at"], sum(stages.values()), row["rejected"], stages)


_COUNTS = """
SELECT lot.lot_id, lot.received_at,
       (SELECT count(*) FROM lot_row r WHERE r.lot_id = lot.lot_id AND r.code IS NOT NULL
                                   AND NOT trial)
           AS rejected,
       (SELECT jsonb_object_agg(stage, n)
        FROM (SELECT stage, count(*) AS n FROM card c WHERE c.lot_id = lot.lot_id GROUP BY stage)
             AS counted) AS stages
FROM lot
"""
_NEWEST = f"""{_COUNTS}
WHERE $1::timestamptz IS NULL OR (lot.received_at, lot.lot_id) < ($1, $2::text)
ORDER BY lot.received_at DESC, lot.lot_id DESC LIMIT $3
"""
_FIND = f"{_COUNTS} WHERE lot.lot_id = $1"
_ROWS = """
SELECT import_id, line, lot_id, lot_row, code, field, case_id, warnings FROM lot_row
WHERE lot_id = $1 AND NOT trial AND ($2::uuid IS NULL OR (import_id, line) > ($2, $3::int))
ORDER BY import_id, line LIMIT $4
"""
