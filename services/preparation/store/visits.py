"""What issuance last said of each case's visit; the greater sequence wins, whenever it comes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.db import Connection
from shared.ids import CaseId, SiteId


class Presence(StrEnum):
    """Where the card of a visitor is."""

    AT_COUNTER = "at_counter"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class VisitFact:
    """One thing that was said of a case's visit; ``sequence`` is that of the event."""

    case_id: CaseId
    site_id: SiteId
    state: Presence
    since: datetime
    sequence: int


async def remember(conn: Connection, facts: Sequence[VisitFact]) -> set[CaseId]:
    """Keep the latest fact of each case; returns the cases of which it is new."""
    rows = await conn.fetch(
        _REMEMBER,
        [fact.case_id for fact in facts],
        [fact.site_id for fact in facts],
        [fact.state for fact in facts],
        [fact.since for fact in facts],
        [fact.sequence for fact in facts],
    )
    return {row["case_id"] for row in rows}


async def at_counter(conn: Connection, case_ids: Collection[CaseId], now: datetime) -> set[CaseId]:
    """Those cases whose cards are at a counter now."""
    rows = await conn.fetch(_AT_COUNTER, list(case_ids), now)
    return {row["case_id"] for row in rows}


_REMEMBER = """
INSERT INTO visit AS v (case_id, site_id, state, since, sequence)
SELECT DISTINCT ON (case_id) case_id, site_id, state, since, sequence
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
     AS f(case_id, site_id, state, since, sequence)
ORDER BY case_id, sequence DESC
ON CONFLICT (case_id) DO UPDATE
    SET site_id = excluded.site_id, state = excluded.state, since = excluded.since,
        sequence = excluded.sequence
    WHERE excluded.sequence > v.sequence
RETURNING case_id
"""
_AT_COUNTER = """
SELECT case_id FROM unnest($1::uuid[]) AS case_id WHERE at_counter(case_id, $2)
"""
