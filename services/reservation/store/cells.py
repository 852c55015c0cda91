"""Cells of the time grid: how many seats each has, and how many are taken.

Only statements here change ``booked``: ``claim`` and ``take_all`` take seats, ``settle`` and
``lock_all`` bring back those that have returned, ``bring_back`` those of one return, and
``end_holds`` takes held ones away. All hold the cells' locks, taken in the order of the key, before
they touch a return.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from shared.db import Connection
from shared.ids import SiteId

_CLAIM = """
WITH locked AS (
    SELECT starts_at FROM cell
    WHERE site_id = $1 AND starts_at = ANY($2::timestamptz[])
    ORDER BY starts_at
    FOR NO KEY UPDATE
), returned AS (
    DELETE FROM seat_return r USING locked
    WHERE r.site_id = $1 AND r.starts_at = locked.starts_at AND r.due_at <= $4
    RETURNING r.starts_at, r.seats
)
UPDATE cell SET booked = cell.booked + back.wanted - back.seats
FROM (
    SELECT locked.starts_at, w.wanted, coalesce(sum(returned.seats), 0)::int AS seats
    FROM locked
    JOIN unnest($2::timestamptz[], $3::int[]) AS w(starts_at, wanted) USING (starts_at)
    LEFT JOIN returned USING (starts_at)
    GROUP BY locked.starts_at, w.wanted
) AS back
WHERE cell.site_id = $1 AND cell.starts_at = back.starts_at
    AND cell.booked + back.wanted - back.seats <= least(cell.capacity, cell.target) - $5
RETURNING cell.starts_at
"""
# Many sites at once: locked first, and told apart by who decides outside. Returns are found cell by
# cell: joined at once, the planner would read them all.
_LOCK_ALL = """
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::timestamptz[]) AS w(site_id, starts_at)
), locked AS (
    SELECT c.site_id, c.starts_at, least(c.capacity, c.target) - c.booked AS seats
    FROM cell c JOIN wanted USING (site_id, starts_at)
    ORDER BY c.site_id, c.starts_at
    FOR NO KEY UPDATE OF c
), due AS (
    SELECT r.id FROM locked l CROSS JOIN LATERAL (
        SELECT ctid AS id FROM seat_return
        WHERE site_id = l.site_id AND starts_at = l.starts_at AND due_at <= $3
        OFFSET 0
    ) AS r
), returned AS (
    DELETE FROM seat_return r WHERE r.ctid = ANY(ARRAY(SELECT id FROM due)) AND r.due_at <= $3
    RETURNING r.site_id, r.starts_at, r.seats
), back AS (
    SELECT site_id, starts_at, sum(seats)::int AS seats FROM returned GROUP BY 1, 2
), freed AS (
    UPDATE cell SET booked = cell.booked - back.seats FROM back
    WHERE cell.site_id = back.site_id AND cell.starts_at = back.starts_at
)
SELECT l.site_id, l.starts_at, l.seats + coalesce(back.seats, 0) AS seats
FROM locked l LEFT JOIN back USING (site_id, starts_at)
"""
_TAKE_ALL = """
UPDATE cell SET booked = cell.booked + t.seats
FROM unnest($1::text[], $2::timestamptz[], $3::int[]) AS t(site_id, starts_at, seats)
WHERE cell.site_id = t.site_id AND cell.starts_at = t.starts_at
"""
_EXISTING = """
SELECT count(*) FROM cell WHERE site_id = $1 AND starts_at = ANY($2::timestamptz[])
"""
_LOCK_RANGE = """
SELECT starts_at, booked FROM cell
WHERE site_id = $1 AND starts_at >= $2 AND starts_at < $3
ORDER BY starts_at
FOR NO KEY UPDATE
"""
_SETTLE = """
WITH returned AS (
    DELETE FROM seat_return
    WHERE site_id = $1 AND starts_at >= $2 AND starts_at < $3
        AND (held_until IS NULL OR held_until <= $4)
    RETURNING starts_at, seats
)
UPDATE cell SET booked = cell.booked - back.seats
FROM (SELECT starts_at, sum(seats)::int AS seats FROM returned GROUP BY starts_at) AS back
WHERE cell.site_id = $1 AND cell.starts_at = back.starts_at
"""
# Returns are touched in one order, for whoever keeps a hold waits for no cell.
_END_HOLDS = """
WITH doomed AS (
    SELECT starts_at, return_id FROM seat_return
    WHERE site_id = $1 AND return_id IN (
        SELECT return_id FROM seat_return
        WHERE site_id = $1 AND starts_at = ANY($2::timestamptz[]) AND held_until < 'infinity'
    )
    ORDER BY starts_at, return_id
    FOR UPDATE
), ended AS (
    DELETE FROM seat_return r USING doomed d
    WHERE r.site_id = $1 AND r.starts_at = d.starts_at AND r.return_id = d.return_id
    RETURNING r.starts_at, r.seats
)
UPDATE cell SET booked = cell.booked - back.seats
FROM (SELECT starts_at, sum(seats)::int AS seats FROM ended GROUP BY starts_at) AS back
WHERE cell.site_id = $1 AND cell.starts_at = back.starts_at
"""
_LOCK_SOME = """
SELECT starts_at FROM cell
WHERE site_id = $1 AND starts_at = ANY($2::timestamptz[])
ORDER BY starts_at
FOR NO KEY UPDATE
"""
_BRING_BACK = """
WITH returned AS (
    DELETE FROM seat_return
    WHERE site_id = $1 AND return_id = $2 AND (held_until IS NULL OR held_until <= $3)
    RETURNING starts_at, seats
)
UPDATE cell SET booked = cell.booked - returned.seats
FROM returned
WHERE cell.site_id = $1 AND cell.starts_at = returned.starts_at
RETURNING returned.starts_at, returned.seats
"""
_DROP = """
DELETE FROM cell
WHERE site_id = $1 AND starts_at >= $2 AND starts_at < $3 AND NOT starts_at = ANY($4::timestamptz[])
"""
_PUT = """
INSERT INTO cell (site_id, starts_at, capacity, target)
SELECT $1, starts_at, greatest(wanted, booked), CASE WHEN booked > wanted THEN wanted END
FROM unnest($2::timestamptz[], $3::int[], $4::int[]) AS c(starts_at, wanted, booked)
ORDER BY starts_at
ON CONFLICT (site_id, starts_at) DO UPDATE
    SET capacity = excluded.capacity, target = excluded.target
WHERE (cell.capacity, cell.target) IS DISTINCT FROM (excluded.capacity, excluded.target)
"""


async def claim(
    conn: Connection,
    site_id: SiteId,
    wanted: Mapping[datetime, int],
    now: datetime,
    kept: int = 0,
) -> bool:
    """Take as many seats in each cell as ``wanted`` says; false where one has too few.

    ``kept`` seats of every cell stay free for others. After false some cells may have been taken:
    the caller has to roll back.
    """
    rows = await conn.fetch(_CLAIM, site_id, list(wanted), list(wanted.values()), now, kept)
    return len(rows) == len(wanted)


async def lock_all(
    conn: Connection, wanted: Collection[tuple[SiteId, datetime]], now: datetime
) -> dict[tuple[SiteId, datetime], int]:
    """Lock those of the cells that exist, of whatever sites, and give the seats left in each.

    Seats on their way back that are due come back first.
    """
    rows = await conn.fetch(_LOCK_ALL, *zip(*sorted(wanted), strict=True), now)
    return {(SiteId(row["site_id"]), row["starts_at"]): row["seats"] for row in rows}


async def take_all(conn: Connection, taken: Mapping[tuple[SiteId, datetime], int]) -> None:
    """Take seats in cells locked by ``lock_all``; the table refuses more than there are."""
    if taken:
        sites, starts = zip(*taken, strict=True)
        await conn.execute(_TAKE_ALL, sites, starts, list(taken.values()))


async def all_exist(conn: Connection, site_id: SiteId, starts: Collection[datetime]) -> bool:
    """Whether every one of the cells is on the site's calendar."""
    found: int = await conn.fetchval(_EXISTING, site_id, list(starts))
    return found == len(starts)


async def lock_range(
    conn: Connection, site_id: SiteId, start: datetime, end: datetime, now: datetime
) -> dict[datetime, int]:
    """Lock the cells from ``start`` to before ``end``, bring back every returned seat, and give
    the seats still booked or held by cell.

    Seats on their way back come at once: a calendar must not wait for their delay.
    """
    await conn.execute(_LOCK_RANGE, site_id, start, end)
    await conn.execute(_SETTLE, site_id, start, end, now)
    rows = await conn.fetch(_LOCK_RANGE, site_id, start, end)
    return {row["starts_at"]: row["booked"] for row in rows}


async def replace(
    conn: Connection,
    site_id: SiteId,
    start: datetime,
    end: datetime,
    capacities: Mapping[datetime, int],
    *,
    booked: Mapping[datetime, int],
) -> None:
    """Make the locked cells from ``start`` to before ``end`` those of ``capacities``.

    What is booked in them stays booked: where that is more than the capacity, the cell stays as
    large as what is booked, and its target keeps it from being sold again.
    """
    kept = {at: capacities.get(at, 0) for at in {*capacities, *(at for at in booked if booked[at])}}
    await conn.execute(_DROP, site_id, start, end, list(kept))
    booked_now = [booked.get(at, 0) for at in kept]
    await conn.execute(_PUT, site_id, list(kept), list(kept.values()), booked_now)


async def end_holds(conn: Connection, site_id: SiteId, starts: Collection[datetime]) -> None:
    """End every hold that has a seat in one of these cells; the cells of its day are locked.

    Its holder finds out on confirming: a hold is no booking.
    """
    await conn.execute(_END_HOLDS, site_id, list(starts))


async def bring_back(
    conn: Connection,
    site_id: SiteId,
    return_id: UUID,
    starts: Collection[datetime],
    now: datetime,
) -> dict[datetime, int]:
    """Bring back what is on its way under ``return_id`` and not held; the seats by cell.

    Locks the cells of ``starts``: those of the return, and whatever will be claimed with it.
    """
    await conn.execute(_LOCK_SOME, site_id, sorted(starts))
    rows = await conn.fetch(_BRING_BACK, site_id, return_id, now)
    return {row["starts_at"]: row["seats"] for row in rows}
