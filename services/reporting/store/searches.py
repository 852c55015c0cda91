"""Searches for free seats, as they were told: each line of an event is one row, however often.

They are not folded: a row's key is what makes repetitions harmless, also in a rebuild beside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from services.reporting.store.site_days import Days
from shared.contracts.base import Procedure
from shared.contracts.reservation import AvailabilitySearched
from shared.db import Connection

_KEEP = """
INSERT INTO search_count (
    told_event, line, business_date, ward, procedure, site_id, searched, refused
)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::date[], $4::text[], $5::text[], $6::text[],
                     $7::int[], $8::int[])
ON CONFLICT DO NOTHING
"""

_FORGET = """
DELETE FROM search_count
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM search_count WHERE business_date < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""
KEPT_DAYS, BATCH = 400, 50_000
"""How long searches can be asked for, and how many rows are forgotten at a time."""

_SUMS = """
SELECT {part} AS part, procedure, sum(searched)::bigint, sum(refused)::bigint
FROM search_count
WHERE business_date BETWEEN $1 AND $2
GROUP BY 1, 2
ORDER BY 1 NULLS LAST, 2
"""
_PARTS = {"ward": "ward", "site": "site_id", "day": "business_date::text"}


@dataclass(frozen=True, slots=True)
class Searched:
    """Searches of some days, by ward, site or day; no part where none (or several) was named."""

    part: str | None
    procedure: Procedure
    searched: int
    refused: int


async def keep(conn: Connection, facts: Sequence[tuple[UUID, AvailabilitySearched]]) -> None:
    """What was looked for."""
    lines = [
        (event_id, number, event, count)
        for event_id, event in facts
        for number, count in enumerate(event.counts)
    ]
    await conn.execute(
        _KEEP,
        [event_id for event_id, _, _, _ in lines],
        [number for _, number, _, _ in lines],
        [event.business_date for _, _, event, _ in lines],
        [event.ward for _, _, event, _ in lines],
        [count.procedure for _, _, _, count in lines],
        [count.site_id for _, _, _, count in lines],
        [count.searched for _, _, _, count in lines],
        [min(count.refused, count.searched) for _, _, _, count in lines],
    )


async def forget(conn: Connection, today: date) -> None:
    """Forget a batch of what was looked for more than ``KEPT_DAYS`` ago."""
    await conn.execute(_FORGET, today - timedelta(days=KEPT_DAYS), BATCH)


async def sums(conn: Connection, days: Days, by: str) -> list[Searched]:
    """Of all days asked for; ``by`` ward, site or day."""
    rows = await conn.fetch(_SUMS.format(part=_PARTS[by]), days.first, days.last)
    return [Searched(row[0], Procedure(row[1]), row[2], row[3]) for row in rows]
