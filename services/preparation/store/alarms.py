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


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many batches have cards that are not there, and how many cards; by why."""

    state: str
    batches: int
    cards: int


async def overdue(conn: Connection, today: date) -> Sequence[Overdue]:
    """What is late and what is missing, none left out."""
    return [Overdue(**row) for row in await conn.fetch(_OVERDUE, today)]


_OVERDUE = """
SELECT wanted.state, count(DISTINCT transfer_id)::int AS batches, count(transfer_id)::int AS cards
FROM (VALUES ('late'), ('missing')) AS wanted(state)
LEFT JOIN (
    SELECT transfer_id, CASE WHEN emptied_at IS NULL THEN 'late' ELSE 'missing' END AS state
    FROM transfer_card line JOIN transfer USING (transfer_id)
    WHERE line.state IN ('under_way', 'missing') AND (emptied_at IS NOT NULL OR due_on < $1)
) AS open USING (state)
GROUP BY wanted.state
"""
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
