"""Steps from stage to stage. The guard stands in the row that is updated: whatever a command
believed, a card moves only from the stage it is in.
"""

from collections.abc import Sequence
from datetime import datetime

from services.preparation.domain.stages import Stage
from shared.db import Connection
from shared.ids import CaseId, SiteId


async def advance(
    conn: Connection, case_ids: Sequence[CaseId], *, frm: Stage, to: Stage, at: datetime
) -> set[CaseId]:
    """Take cards from one stage to the next; returns those that were there and went."""
    rows = await conn.fetch(_ADVANCE, list(case_ids), frm, to, at)
    return {row["case_id"] for row in rows}


async def shelve(
    conn: Connection,
    case_ids: Sequence[CaseId],
    positions: Sequence[str],
    site_id: SiteId,
    *,
    at: datetime,
) -> set[CaseId]:
    """Lay preset cards on a site's shelf, each at its position; returns those laid."""
    rows = await conn.fetch(_SHELVE, list(case_ids), list(positions), site_id, at)
    return {row["case_id"] for row in rows}


async def issue(conn: Connection, case_ids: Sequence[CaseId], at: Sequence[datetime]) -> None:
    """Take cards off the shelf as issued, wherever they stood: it has happened.

    What they were held for is settled with it.
    """
    await conn.execute(_ISSUED_FACT, list(case_ids), list(at))
    await conn.execute(_ISSUE, list(case_ids))
    await conn.execute(_SETTLE_HOLDS, list(case_ids))


async def end(
    conn: Connection, case_ids: Sequence[CaseId], *, to: Stage, reason: str, at: datetime
) -> set[CaseId]:
    """End cards as rejected or voided; returns those that ended now. Their holds go with it."""
    rows = await conn.fetch(_END, list(case_ids), to, at, reason)
    await conn.execute(_SETTLE_HOLDS, list(case_ids))
    return {row["case_id"] for row in rows}


_ADVANCE = """
WITH moved AS (
    UPDATE card SET stage = $3, stage_since = $4, version = version + 1
    WHERE case_id = ANY($1::uuid[]) AND stage = $2 AND holds = 0
    RETURNING case_id
), history AS (
    INSERT INTO card_stage (case_id, stage, at) SELECT case_id, $3, $4 FROM moved
)
SELECT case_id FROM moved
"""
_SHELVE = """
WITH moved AS (
    UPDATE card SET stage = 'shelved', stage_since = $4, version = version + 1,
                    site_id = $3, shelf_position = place.position
    FROM unnest($1::uuid[], $2::text[]) AS place(case_id, position)
    WHERE card.case_id = place.case_id AND card.stage = 'preset' AND card.holds = 0
    RETURNING card.case_id
), history AS (
    INSERT INTO card_stage (case_id, stage, at) SELECT case_id, 'shelved', $4 FROM moved
)
SELECT case_id FROM moved
"""
_ISSUED_FACT = """
INSERT INTO card_stage (case_id, stage, at)
SELECT case_id, 'issued', min(at) FROM unnest($1::uuid[], $2::timestamptz[]) AS e(case_id, at)
GROUP BY case_id
ON CONFLICT DO NOTHING
"""
# The rows are locked in the order of their cases before any is changed.
_ISSUE = """
WITH locked AS MATERIALIZED (
    SELECT card.case_id, fact.at
    FROM card JOIN card_stage fact ON fact.case_id = card.case_id AND fact.stage = 'issued'
    WHERE card.case_id = ANY($1::uuid[])
    ORDER BY card.case_id FOR UPDATE OF card
)
UPDATE card SET stage = 'issued', stage_since = locked.at, version = version + 1,
                site_id = NULL, shelf_position = NULL, transfer_id = NULL,
                end_reason = NULL
FROM locked WHERE card.case_id = locked.case_id AND card.stage <> 'issued'
"""
# Only of cards that are over: a hold of a card that goes on is cleared by people.
_SETTLE_HOLDS = """
DELETE FROM card_hold USING card
WHERE card_hold.case_id = card.case_id AND card.stage IN ('issued', 'rejected', 'voided')
  AND card.case_id = ANY($1::uuid[])
"""
_END = """
WITH ended AS (
    UPDATE card SET stage = $2, stage_since = $3, end_reason = $4, version = version + 1
    WHERE case_id = ANY($1::uuid[])
      AND stage IN (SELECT frm FROM stage_step WHERE upto = $2)
    RETURNING case_id
), history AS (
    INSERT INTO card_stage (case_id, stage, at) SELECT case_id, $2, $3 FROM ended
)
SELECT case_id FROM ended
"""
