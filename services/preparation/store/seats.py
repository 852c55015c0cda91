"""Free seats for cards, by site and day, as reservation last published them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from services.preparation.domain.seating import SeatDay, SeatSource
from shared.db import Connection
from shared.ids import SiteId


@dataclass(frozen=True, slots=True)
class SeatFact:
    """What was said of a day of a site; ``sequence`` is that of the event."""

    site_id: SiteId
    business_date: date
    total: int
    free: int
    sequence: int


async def remember(conn: Connection, facts: Sequence[SeatFact]) -> None:
    """Keep what was said last of each day."""
    await conn.execute(
        _REMEMBER,
        [fact.site_id for fact in facts],
        [fact.business_date for fact in facts],
        [fact.total for fact in facts],
        [fact.free for fact in facts],
        [fact.sequence for fact in facts],
    )


async def sources(conn: Connection, after: date) -> list[SeatSource]:
    """The seats after a day of each site that hands over cards, in the order of sites and days."""
    rows = await conn.fetch(_SOURCES, after)
    return [
        SeatSource(
            site_id,
            None if days[0]["card_wards"] is None else frozenset(days[0]["card_wards"]),
            [SeatDay(row["business_date"], row["free"], row["total"]) for row in days],
        )
        for site_id, group in groupby(rows, key=lambda row: SiteId(row["site_id"]))
        if (days := list(group))
    ]


_REMEMBER = """
INSERT INTO seat_day AS s (site_id, business_date, total, free, sequence)
SELECT DISTINCT ON (site_id, business_date) site_id, business_date, total, free, sequence
FROM unnest($1::text[], $2::date[], $3::int[], $4::int[], $5::bigint[])
     AS f(site_id, business_date, total, free, sequence)
ORDER BY site_id, business_date, sequence DESC
ON CONFLICT (site_id, business_date) DO UPDATE
    SET total = excluded.total, free = excluded.free, sequence = excluded.sequence
    WHERE excluded.sequence > s.sequence
"""
_SOURCES = """
SELECT site_id, card_wards, business_date, free, total
FROM seat_day JOIN site USING (site_id)
WHERE business_date > $1 AND site.state IN ('preparing', 'open')
  AND card_wards IS DISTINCT FROM '{}'
ORDER BY site_id, business_date
"""
