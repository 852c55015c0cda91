"""Stock-takes: what the book said, what was scanned, and how they differ. A card that moves while
a shelf is counted is no difference: the book is asked when it begins, at each scan, and at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.preparation.domain.shelves import ShelfRef
from services.preparation.domain.stock_takes import Difference, Resolution
from shared.db import Connection
from shared.ids import CaseId, SiteId


@dataclass(frozen=True, slots=True)
class StockTake:
    """A stock-take of a shelf."""

    stock_take_id: UUID
    site_id: SiteId
    shelf: str
    opened_at: datetime
    counted_at: datetime | None
    closed_at: datetime | None
    expected: int
    scanned: int
    differences: int
    unresolved: int


@dataclass(frozen=True, slots=True)
class Found:
    """A difference."""

    number: int
    kind: Difference
    card_reference: str
    case_id: CaseId | None
    resolution: Resolution | None
    resolved_at: datetime | None


async def begin(
    conn: Connection, stock_take_id: UUID, ref: ShelfRef, at: datetime, by: str
) -> bool:
    """Begin with what the book says now; False where one is running."""
    began = await conn.fetchval(_BEGIN, stock_take_id, ref.site_id, ref.shelf, at, by)
    if began is None:
        return False
    await conn.execute(_EXPECT, stock_take_id, ref.site_id, ref.shelf)
    return True


async def find(conn: Connection, ref: ShelfRef, stock_take_id: UUID) -> StockTake | None:
    """A stock-take of a shelf."""
    row = await conn.fetchrow(_FIND, ref.site_id, ref.shelf, stock_take_id)
    return StockTake(**row) if row else None


async def listed(
    conn: Connection, ref: ShelfRef, after: UUID | None, limit: int
) -> Sequence[StockTake]:
    """The stock-takes of a shelf, the newest first, before one."""
    rows = await conn.fetch(_LISTED, ref.site_id, ref.shelf, after, limit)
    return [StockTake(**row) for row in rows]


async def lock(conn: Connection, stock_take_id: UUID) -> None:
    """Keep others from scanning into, counting or resolving a stock-take."""
    await conn.execute(_LOCK, stock_take_id)


async def scan(
    conn: Connection, stock_take_id: UUID, ref: ShelfRef, references: Sequence[str], at: datetime
) -> None:
    """Keep what was scanned, each card once."""
    await conn.execute(_SCAN, stock_take_id, ref.site_id, ref.shelf, list(references), at)


async def count(conn: Connection, stock_take_id: UUID, ref: ShelfRef, at: datetime) -> int:
    """Write how shelf and book differ; how many differences there are."""
    await conn.execute(_COUNTED, stock_take_id, at)
    rows = await conn.fetch(_COMPARE, stock_take_id, ref.site_id, ref.shelf, at)
    return len(rows)


async def differences(
    conn: Connection, stock_take_id: UUID, after: int = 0, limit: int | None = None
) -> Sequence[Found]:
    """The differences of a stock-take after one; all without a limit."""
    rows = await conn.fetch(_DIFFERENCES, stock_take_id, after, limit)
    return [
        Found(
            row["number"],
            Difference(row["kind"]),
            row["card_reference"],
            row["case_id"],
            Resolution(row["resolution"]) if row["resolution"] else None,
            row["resolved_at"],
        )
        for row in rows
    ]


async def resolve(
    conn: Connection, which: tuple[UUID, int], resolution: Resolution, at: datetime, by: str
) -> None:
    """Say what was done about a difference."""
    await conn.execute(_RESOLVE, *which, resolution, at, by)


async def close(conn: Connection, stock_take_id: UUID, at: datetime) -> None:
    """End a counted stock-take that has no open difference; else do nothing."""
    await conn.execute(_CLOSE, stock_take_id, at)


async def put(conn: Connection, case_id: CaseId, ref: ShelfRef, position: str) -> None:
    """Lay a locked card where it was found, wherever the book had it."""
    await conn.execute(_PUT, case_id, ref.site_id, position)


_BEGIN = """
INSERT INTO stock_take (stock_take_id, site_id, shelf, opened_at, opened_by)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (site_id, shelf) WHERE closed_at IS NULL DO NOTHING RETURNING stock_take_id
"""
_EXPECT = """
INSERT INTO stock_expected (stock_take_id, case_id)
SELECT $1, case_id FROM card WHERE (site_id, shelf) = ($2, $3)
"""
_TAKES = """
SELECT stock_take_id, site_id, shelf, opened_at, counted_at, closed_at,
       (SELECT count(*) FROM stock_expected e WHERE e.stock_take_id = t.stock_take_id)::int
           AS expected,
       (SELECT count(*) FROM stock_scan s WHERE s.stock_take_id = t.stock_take_id)::int
           AS scanned,
       (SELECT count(*) FROM stock_difference d WHERE d.stock_take_id = t.stock_take_id)::int
           AS differences,
       (SELECT count(*) FROM stock_difference d WHERE d.stock_take_id = t.stock_take_id
                                                  AND resolution IS NULL)::int AS unresolved
FROM stock_take t
"""
_FIND = f"{_TAKES} WHERE (site_id, shelf) = ($1, $2) AND stock_take_id = $3"
_LISTED = f"""{_TAKES}
WHERE (site_id, shelf) = ($1, $2) AND ($3::uuid IS NULL OR stock_take_id < $3)
ORDER BY stock_take_id DESC LIMIT $4
"""
_LOCK = "SELECT 1 FROM stock_take WHERE stock_take_id = $1 FOR UPDATE"
_SCAN = """
INSERT INTO stock_scan (stock_take_id, card_reference, case_id, by_the_book, scanned_at)
SELECT DISTINCT ON (reference) $1, reference, card.case_id,
       coalesce((card.site_id, card.shelf) = ($2, $3), false), $5
FROM unnest($4::text[]) AS reference LEFT JOIN card ON card.card_reference = reference
ORDER BY reference
ON CONFLICT DO NOTHING
"""
_COUNTED = "UPDATE stock_take SET counted_at = $2 WHERE stock_take_id = $1"
_COMPARE = """
WITH differing AS (
    SELECT 'missing' AS kind, card.card_reference, card.case_id, card.shelf_position AS place
    FROM stock_expected e JOIN card USING (case_id)
    WHERE e.stock_take_id = $1 AND (card.site_id, card.shelf) = ($2, $3)
      AND NOT EXISTS (SELECT FROM stock_scan s
                      WHERE s.stock_take_id = $1 AND s.case_id = card.case_id)
      AND NOT at_counter(card.case_id, $4)
    UNION ALL
    SELECT 'elsewhere', s.card_reference, s.case_id, NULL
    FROM stock_scan s JOIN card USING (case_id)
    WHERE s.stock_take_id = $1 AND NOT s.by_the_book
      AND (card.site_id, card.shelf) IS DISTINCT FROM ($2, $3)
    UNION ALL
    SELECT 'unknown', s.card_reference, NULL, NULL
    FROM stock_scan s WHERE s.stock_take_id = $1 AND s.case_id IS NULL
)
INSERT INTO stock_difference (stock_take_id, number, kind, card_reference, case_id)
SELECT $1, row_number() OVER (ORDER BY kind, place, card_reference), kind, card_reference, case_id
FROM differing
RETURNING number
"""
_DIFFERENCES = """
SELECT number, kind, card_reference, case_id, resolution, resolved_at FROM stock_difference
WHERE stock_take_id = $1 AND number > $2 ORDER BY number LIMIT $3
"""
_RESOLVE = """
UPDATE stock_difference SET resolution = $3, resolved_at = $4, resolved_by = $5
WHERE stock_take_id = $1 AND number = $2
"""
_CLOSE = """
UPDATE stock_take SET closed_at = $2
WHERE stock_take_id = $1 AND counted_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM stock_difference d
                  WHERE d.stock_take_id = $1 AND d.resolution IS NULL)
"""
_PUT = """
UPDATE card SET site_id = $2, shelf_position = $3, transfer_id = NULL, version = version + 1
WHERE case_id = $1
"""
