"""Manifests and discrepancies: what came is counted in the cards, a lot by one at a time."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from services.preparation.domain.manifests import (
    Discrepancy,
    DiscrepancyState,
    Manifest,
    Resolution,
)
from shared.db import Connection, Row
from shared.ids import LotId


async def keep(
    conn: Connection, manifests: Sequence[Manifest], at: datetime
) -> Mapping[LotId, bool]:
    """Keep manifests, a corrected one in place of the first; by lot whether anything changed."""
    rows = await conn.fetch(
        _KEEP,
        [m.lot_id for m in manifests],
        [m.card_count for m in manifests],
        [m.shipped_on for m in manifests],
        at,
    )
    changed = {row["lot_id"] for row in rows}
    return {m.lot_id: m.lot_id in changed for m in manifests}


async def compare(
    conn: Connection, lots: Mapping[LotId, UUID], at: datetime, *, overdue: bool = False
) -> list[Discrepancy]:
    """Count the cards of lots that have a manifest, and open, correct or close discrepancies.

    ``lots`` gives each the id of a discrepancy that may have to be opened. A lot of which nothing
    has come is only awaited, unless it is ``overdue``. Returns what changed.
    """
    await conn.execute(_LOCK, list(lots))
    closed = await conn.fetch(_AGREE, list(lots), at)
    moved = await conn.fetch(_CORRECT, list(lots))
    opened = await conn.fetch(_OPEN, list(lots), list(lots.values()), at, overdue)
    return [_discrepancy(row) for row in (*closed, *moved, *opened)]


async def overdue(conn: Connection, shipped_until: date, limit: int) -> list[LotId]:
    """Lots shipped by a day of which nothing has come, and nobody has been told so."""
    return [row["lot_id"] for row in await conn.fetch(_OVERDUE, shipped_until, limit)]


async def find(conn: Connection, discrepancy_id: UUID) -> Discrepancy | None:
    """One discrepancy, locked until the unit ends."""
    row = await conn.fetchrow(_FIND, discrepancy_id)
    return _discrepancy(row) if row else None


async def work(conn: Connection, discrepancy_id: UUID, operator: str) -> Discrepancy:
    """Somebody works on it now."""
    return _discrepancy(await conn.fetchrow(_WORK, discrepancy_id, operator))


async def close(
    conn: Connection, discrepancy_id: UUID, resolution: Resolution, operator: str, at: datetime
) -> Discrepancy:
    """It is closed."""
    return _discrepancy(await conn.fetchrow(_CLOSE, discrepancy_id, resolution, operator, at))


async def listed(
    conn: Connection,
    states: Collection[DiscrepancyState],
    lot_id: LotId | None,
    before: UUID | None,
    limit: int,
) -> list[Discrepancy]:
    """Discrepancies, the newest first, before an id."""
    rows = await conn.fetch(_LISTED, list(states), lot_id, before, limit)
    return [_discrepancy(row) for row in rows]


def _discrepancy(row: Row | None) -> Discrepancy:
    if row is None:
        raise LookupError("a locked discrepancy is gone")
    return Discrepancy(
        **{
            **row,
            "state": DiscrepancyState(row["state"]),
            "resolution": Resolution(row["resolution"]) if row["resolution"] else None,
        }
    )


_KEEP = """
INSERT INTO manifest AS m (lot_id, card_count, shipped_on, recorded_at)
SELECT lot_id, card_count, shipped_on, $4
FROM unnest($1::text[], $2::int[], $3::date[]) AS t(lot_id, card_count, shipped_on)
ORDER BY lot_id
ON CONFLICT (lot_id) DO UPDATE
    SET card_count = excluded.card_count, shipped_on = excluded.shipped_on,
        recorded_at = excluded.recorded_at, version = m.version + 1
    WHERE (m.card_count, m.shipped_on) <> (excluded.card_count, excluded.shipped_on)
RETURNING lot_id
"""
# Who counts a lot holds it until the commit: of a manifest and cards that come at the same time the
# second sees both, and a count and its discrepancy are of one moment.
_LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended('lot count:' || lot_id, 0))
FROM (SELECT unnest($1::text[]) AS lot_id ORDER BY 1) AS ordered
"""
_AGREE = """
WITH counted AS (
    SELECT m.lot_id, m.card_count AS expected,
           (SELECT count(*) FROM card c WHERE c.lot_id = m.lot_id)::int AS found
    FROM manifest m WHERE m.lot_id = ANY($1::text[])
)
UPDATE discrepancy d SET state = 'closed', resolution = 'counts_agree', closed_at = $2,
       expected = c.expected, found = c.found, version = version + 1
FROM counted c
WHERE d.lot_id = c.lot_id AND d.state <> 'closed' AND c.found = c.expected
RETURNING discrepancy_id, d.lot_id, d.expected, d.found, state, resolution, opened_at, worked_by,
          closed_at, version
"""
_CORRECT = """
WITH counted AS (
    SELECT m.lot_id, m.card_count AS expected,
           (SELECT count(*) FROM card c WHERE c.lot_id = m.lot_id)::int AS found
    FROM manifest m WHERE m.lot_id = ANY($1::text[])
)
UPDATE discrepancy d SET expected = c.expected, found = c.found, version = version + 1
FROM counted c
WHERE d.lot_id = c.lot_id AND d.state <> 'closed' AND c.found <> c.expected
  AND (d.expected, d.found) <> (c.expected, c.found)
RETURNING discrepancy_id, d.lot_id, d.expected, d.found, state, resolution, opened_at, worked_by,
          closed_at, version
"""
# What was closed with the same counts stays closed: nothing has come or gone since.
_OPEN = """
WITH counted AS (
    SELECT m.lot_id, m.card_count AS expected,
           (SELECT count(*) FROM card c WHERE c.lot_id = m.lot_id)::int AS found
    FROM manifest m WHERE m.lot_id = ANY($1::text[])
)
INSERT INTO discrepancy (discrepancy_id, lot_id, expected, found, state, opened_at)
SELECT n.discrepancy_id, c.lot_id, c.expected, c.found, 'open', $3
FROM counted c JOIN unnest($1::text[], $2::uuid[]) AS n(lot_id, discrepancy_id) USING (lot_id)
WHERE (c.found > 0 OR $4) AND c.found <> c.expected
  AND NOT EXISTS (SELECT 1 FROM discrepancy d WHERE d.lot_id = c.lot_id
                    AND (d.state <> 'closed' OR (d.expected, d.found) = (c.expected, c.found)))
RETURNING discrepancy_id, lot_id, expected, found, state, resolution, opened_at, worked_by,
          closed_at, version
"""
_OVERDUE = """
SELECT lot_id FROM manifest m
WHERE shipped_on <= $1 AND NOT EXISTS (SELECT FROM card c WHERE c.lot_id = m.lot_id)
  AND NOT EXISTS (SELECT FROM discrepancy d WHERE d.lot_id = m.lot_id
                    AND (d.state <> 'closed' OR (d.expected, d.found) = (m.card_count, 0)))
ORDER BY lot_id LIMIT $2
"""
_FIND = """
SELECT discrepancy_id, lot_id, expected, found, state, resolution, opened_at, worked_by,
          closed_at, version
FROM discrepancy WHERE discrepancy_id = $1 FOR UPDATE
"""
_WORK = """
UPDATE discrepancy SET state = 'in_work', worked_by = $2, version = version + 1
WHERE discrepancy_id = $1
RETURNING discrepancy_id, lot_id, expected, found, state, resolution, opened_at, worked_by,
          closed_at, version
"""
_CLOSE = """
UPDATE discrepancy SET state = 'closed', resolution = $2, worked_by = $3, closed_at = $4,
       version = version + 1
WHERE discrepancy_id = $1
RETURNING discrepancy_id, lot_id, expected, found, state, resolution, opened_at, worked_by,
          closed_at, version
"""
_LISTED = """
SELECT discrepancy_id, lot_id, expected, found, state, resolution, opened_at, worked_by,
          closed_at, version FROM discrepancy
WHERE state = ANY($1::text[]) AND ($2::text IS NULL OR lot_id = $2)
  AND ($3::uuid IS NULL OR discrepancy_id < $3)
ORDER BY discrepancy_id DESC LIMIT $4
"""
