"""Cells as they stand, read without a lock: whoever takes seats looks again, in ``cells``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.reservation.domain.cells import Shape
from shared.db import Connection, Row
from shared.ids import SiteId

# Put under each other, not joined: where the planner knows no figures yet, a join looks at the
# returns again for each cell.
_FREE = """
SELECT site_id, starts_at, max(capacity) AS capacity, greatest(sum(seats), 0)::int AS free
FROM (
    SELECT site_id, starts_at, least(capacity, target) AS capacity,
           least(capacity, target) - booked AS seats
    FROM cell
    WHERE site_id = ANY($1::text[]) AND starts_at >= $2 AND starts_at < $3
    UNION ALL
    SELECT site_id, starts_at, NULL, seats
    FROM seat_return
    WHERE site_id = ANY($1::text[]) AND starts_at >= $2 AND starts_at < $3 AND due_at <= $4
) AS one
GROUP BY site_id, starts_at
HAVING max(capacity) IS NOT NULL
ORDER BY site_id, starts_at
"""
# A row for each day: a site has ten thousand cells, and they are told of every day. Under them the
# few returns that are due, by day too and without a capacity: added up here, every cell is grouped.
_SHAPES = """
SELECT local::date AS business_date,
       array_agg((date_part('hour', local) * 60 + date_part('minute', local))::int) AS minutes,
       array_agg(capacity) AS capacity, array_agg(seats) AS seats
FROM (
    SELECT starts_at AT TIME ZONE 'Asia/Tokyo' AS local, least(capacity, target) AS capacity,
           least(capacity, target) - booked AS seats
    FROM cell WHERE site_id = $1 AND starts_at >= $2 AND starts_at < $3
    ORDER BY starts_at
) AS there
GROUP BY local::date
UNION ALL
SELECT local::date AS business_date,
       array_agg((date_part('hour', local) * 60 + date_part('minute', local))::int) AS minutes,
       NULL AS capacity, array_agg(seats) AS seats
FROM (
    SELECT starts_at AT TIME ZONE 'Asia/Tokyo' AS local, seats FROM seat_return
    WHERE site_id = $1 AND starts_at >= $2 AND starts_at < $3 AND due_at <= $4
) AS back
GROUP BY local::date
"""


@dataclass(frozen=True, slots=True)
class DayShape:
    """All seats of a day, and those that can be taken now; minutes count from its midnight."""

    business_date: date
    total: Shape
    free: Shape


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell as it stands: all its seats, and those that can be taken now."""

    site_id: SiteId
    starts_at: datetime
    capacity: int
    free: int


async def free(
    conn: Connection, site_ids: Sequence[SiteId], start: datetime, end: datetime, now: datetime
) -> list[CellRow]:
    """The cells of the sites from ``start`` to before ``end``, as they stand at ``now``."""
    rows = await conn.fetch(_FREE, site_ids, start, end, now)
    return [
        CellRow(SiteId(row["site_id"]), row["starts_at"], row["capacity"], row["free"])
        for row in rows
    ]


async def shapes(
    conn: Connection, site_id: SiteId, start: datetime, end: datetime, now: datetime
) -> list[DayShape]:
    """The days from ``start`` to before ``end`` that have cells, as they stand at ``now``."""
    rows = await conn.fetch(_SHAPES, site_id, start, end, now)
    back = {row["business_date"]: row for row in rows if row["capacity"] is None}
    days = {row["business_date"]: row for row in rows if row["capacity"] is not None}
    return [_shape(days[day], back.get(day)) for day in sorted(days)]


def _shape(day: Row, back: Row | None) -> DayShape:
    cells = sorted(zip(day["minutes"], day["capacity"], day["seats"], strict=True))
    returned: Counter[int] = Counter()
    for minute, seats in zip(back["minutes"], back["seats"], strict=True) if back else ():
        returned[minute] += seats
    return DayShape(
        day["business_date"],
        tuple((minute, capacity) for minute, capacity, _ in cells),
        tuple((minute, max(0, seats + returned[minute])) for minute, _, seats in cells),
    )
