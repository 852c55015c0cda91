"""Alarms of batches: each is raised once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.db import Connection
from shared.ids import BatchId, SiteId


@dataclass(frozen=True, slots=True)
class LateBatch:
    """A batch whose day is over, with cards that have not come."""

    transfer_id: BatchId
    to_site_id: SiteId
    due_on: date
    open_count: int


async def late(conn: Connection, today: date, at: datetime, limit: int) -> Sequence[LateBatch]:
    """Batches that are late since now."""
    return [LateBatch(**row) for row in await conn.fetch(_LATE, today, at, limit)]


_LATE = """
WITH late AS (
    SELECT transfer_id FROM transfer
    WHERE alarmed_at IS NULL AND due_on < $1
      AND EXISTS (SELECT FROM transfer_card line WHERE line.transfer_id = transfer.transfer_id
                                                   AND state IN ('under_way', 'missing'))
    ORDER BY transfer_id LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE transfer SET alarmed_at = $2 FROM late WHERE transfer.transfer_id = late.transfer_id
RETURNING transfer.transfer_id, to_site_id, due_on,
          (SELECT count(*) FROM transfer_card line WHERE line.transfer_id = transfer.transfer_id
                                AND state IN ('under_way', 'missing'))::int AS open_count
"""
