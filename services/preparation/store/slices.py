"""Slices of long files, and the cards that a file wanted whole has claimed.

A whole file is judged slice by slice before any is taken. Whoever claims holds everybody else back
for a moment (``_CLAIMING``), so that a card is either seen as taken or cannot be taken any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.preparation.domain.lot_rows import CardRow
from services.preparation.store.import_jobs import ImportMode
from shared.db import Connection


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file, sealed; ``to_judge`` where the rest of its file is waited for."""

    import_id: UUID
    number: int
    sealed: bytes
    mode: ImportMode
    to_judge: bool


async def put(conn: Connection, import_id: UUID, slices: Mapping[int, bytes]) -> None:
    """Keep what is left of a file, sealed."""
    await conn.execute(_PUT, import_id, list(slices), list(slices.values()))


async def take(conn: Connection) -> Slice | None:
    """The next slice of any file that nobody else works on, locked; none where all is done."""
    row = await conn.fetchrow(_TAKE)
    return Slice(**{**row, "mode": ImportMode(row["mode"])}) if row else None


async def drop(conn: Connection, import_id: UUID, number: int) -> None:
    """Forget a slice that is done."""
    await conn.execute(_DROP, import_id, number)


async def claim(conn: Connection, import_id: UUID, cards: Sequence[CardRow]) -> set[str]:
    """Claim cards for a file; returns the references of those that are claimed now."""
    references = [card.card_reference for card in cards]
    lots, rows = [card.lot_id for card in cards], [card.row for card in cards]
    await conn.execute(_CLAIMING)
    claimed = await conn.fetch(_CLAIM, import_id, references, lots, rows)
    return {row["card_reference"] for row in claimed}


async def judged(
    conn: Connection, import_id: UUID, number: int, rows: int, rejected: int
) -> bool | None:
    """Count a slice as judged; None while others are not, then whether the file is good."""
    await conn.execute(_MARK, import_id, number)
    good: bool | None = await conn.fetchval(_COUNT_JUDGED, import_id, rows, rejected)
    return good


async def refuse(conn: Connection, import_id: UUID, at: datetime) -> None:
    """Give a whole file up: nothing of it is taken, and it may be sent again."""
    await conn.execute(_FORGET, import_id)
    await release(conn, import_id)
    await conn.execute(_REFUSE, import_id, at)


async def release(conn: Connection, import_id: UUID) -> None:
    """Forget what a file has claimed."""
    await conn.execute(_RELEASE, import_id)


_PUT = """
INSERT INTO lot_slice (import_id, number, sealed) SELECT $1, * FROM unnest($2::int[], $3::bytea[])
"""
_TAKE = """
SELECT import_id, number, sealed, mode, mode = 'whole' AND NOT judged AS to_judge
FROM lot_slice JOIN lot_import USING (import_id)
WHERE NOT judged OR rows_judged = row_count
ORDER BY import_id, number LIMIT 1 FOR UPDATE OF lot_slice SKIP LOCKED
"""
_DROP = "DELETE FROM lot_slice WHERE import_id = $1 AND number = $2"
_CLAIMING = "SELECT pg_advisory_xact_lock(hashtextextended('lot imports', 0))"
_CLAIM = """
INSERT INTO card_claim (card_reference, lot_id, lot_row, import_id)
SELECT c.card_reference, c.lot_id, c.lot_row, $1
FROM unnest($2::text[], $3::text[], $4::int[]) AS c(card_reference, lot_id, lot_row)
WHERE NOT EXISTS (SELECT FROM card WHERE card.card_reference = c.card_reference)
  AND NOT EXISTS (SELECT FROM card WHERE (card.lot_id, card.lot_row) = (c.lot_id, c.lot_row))
ORDER BY card_reference
ON CONFLICT DO NOTHING RETURNING card_reference
"""
_MARK = "UPDATE lot_slice SET judged = true WHERE import_id = $1 AND number = $2"
_COUNT_JUDGED = """
UPDATE lot_import SET rows_judged = rows_judged + $2, rejected = rejected + $3
WHERE import_id = $1
RETURNING CASE WHEN rows_judged = row_count THEN rejected = 0 END
"""
_FORGET = "DELETE FROM lot_slice WHERE import_id = $1"
_RELEASE = "DELETE FROM card_claim WHERE import_id = $1"
_REFUSE = """
UPDATE lot_import SET refused = true, rows_done = row_count, finished_at = $2,
       digest = sha256(digest || uuid_send(import_id))
WHERE import_id = $1
"""
