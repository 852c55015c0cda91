"""Cells as they stand, read without a lock: whoever takes seats looks again, in ``cells``."""

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
# A row for each day: a site has ten thousand cells, and they are told of every day.
_SHAPES = f"""
SELECT (starts_at AT TIME ZONE 'Asia/Tokyo')::date AS business_date,
       array_agg(
           extract(epoch FROM starts_at AT TIME ZONE 'Asia/Tokyo')::bigint / 60 % 1440
           ORDER BY starts_at
       ) AS minutes,
       array_agg(capacity ORDER BY starts_at) AS capacity,
       array_agg(free ORDER BY starts_at) AS free
FROM ({_FREE}) AS cell
GROUP BY business_date ORDER BY business_date
"""  # noqa: S608  put together of what stands above


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
    rows = await conn.fetch(_SHAPES, [site_id], start, end, now)
    return [_shape(row) for row in rows]


def _shape(row: Row) -> DayShape:
    return DayShape(
        row["business_date"],
        tuple(zip(row["minutes"], row["capacity"], strict=True)),
        tuple(zip(row["minutes"], row["free"], strict=True)),
    )
