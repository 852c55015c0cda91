"""Turns: a party's time at a counter. Two unique keys hold one party per known counter and one
counter per party.
"""

from datetime import datetime
from typing import Literal

from services.issuance.domain.visit import Visit
from shared.db import Connection
from shared.ids import VisitId

Outcome = Literal["ended", "skipped", "moved"]


async def begin(
    conn: Connection, visit: Visit, counter: str, at: datetime, *, is_here: bool = True
) -> None:
    """The party is called to the counter; where it was before, it is no more.

    A counter that is not here, but at a satellite, is none of those known.
    """
    await conn.execute(
        _BEGIN, visit.visit_id, visit.site_id, visit.business_date, counter, at, is_here
    )


async def end(conn: Connection, visit_id: VisitId, at: datetime, outcome: Outcome) -> None:
    """The party is at its counter no more."""
    await conn.execute(_END, visit_id, at, outcome)


# Counting what has ended makes it end first: a party has one counter at a time.
_BEGIN = """
WITH before AS (
    UPDATE counter_turn SET ended_at = $5, outcome = 'moved'
    WHERE visit_id = $1 AND ended_at IS NULL
    RETURNING visit_id
)
INSERT INTO counter_turn (visit_id, site_id, business_date, counter, is_known, began_at)
SELECT $1, $2, $3, $4,
       $6::boolean AND EXISTS (SELECT FROM counter WHERE site_id = $2 AND counter = $4), $5
FROM (SELECT count(*) FROM before) AS ended
"""
_END = """
UPDATE counter_turn SET ended_at = $2, outcome = $3 WHERE visit_id = $1 AND ended_at IS NULL
"""
