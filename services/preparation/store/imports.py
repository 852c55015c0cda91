"""What a lot file brings: lots, cards, sealed birth dates, and what became of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.preparation.domain.lot_rows import CardRow, RefusedRow
from services.preparation.domain.oddities import Oddity
from services.preparation.domain.row_faults import RowCode, RowFault
from services.preparation.domain.stages import WAY, Stage
from shared.calendar import business_date
from shared.db import Connection, Row
from shared.ids import CaseId, LotId


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row: the case it opened, or the fault that kept it out; and what is odd."""

    line: int
    lot_id: LotId | None
    row: int | None
    case_id: CaseId | None
    fault: RowFault | None
    oddities: Sequence[Oddity] = ()


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows are shown; all where nothing is asked for."""

    rejected: bool = False
    warned: bool = False


async def open_lots(conn: Connection, lots: Sequence[LotId], at: datetime) -> None:
    """Make the lots known; those that are known stay as they are."""
    await conn.execute(_OPEN_LOTS, sorted(lots), at)


async def add_cards(
    conn: Connection, import_id: UUID, cards: Mapping[CaseId, CardRow], at: datetime
) -> set[CaseId]:
    """Write cards; those whose reference or place on a manifest is taken, or claimed by a file that
    is wanted whole, are left out.

    Returns the cases written.
    """
    await conn.execute(_TAKING)
    # In the order of the references, so that two files with the same cards wait in no circle.
    ordered = dict(sorted(cards.items(), key=lambda item: item[1].card_reference))
    all_new = not await conn.fetchval(_CLAIMED_BY_OTHERS, import_id)
    for _ in range(_CIRCLES):
        try:
            async with conn.transaction():
                if not all_new:
                    return await _add_unknown(conn, import_id, ordered, at)
                await _copy_cards(conn, ordered, at)
                return set(ordered)
        except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
            # Taken meanwhile; or files with the same places in another order wait for each other:
            # this one gives back what it wrote here, so the other ends, and then it looks again.
            all_new = False
    return await _add_unknown(conn, import_id, ordered, at)


async def _copy_cards(conn: Connection, cards: Mapping[CaseId, CardRow], at: datetime) -> None:
    """Write cards that are all new, which most files have."""
    been = [
        (case_id, stage, at)
        for case_id, row in cards.items()
        for stage in WAY[: begun(row.stage).rank + 1]
    ]
    today = business_date(at)
    written = [
        # Those of the opening stock that are further are dated by the database.
        (case_id, *_columns(row), at, today if row.stage is Stage.RECEIVED else None)
        for case_id, row in cards.items()
    ]
    await conn.copy_records_to_table("card", records=written, columns=_CARD)
    await conn.copy_records_to_table("card_stage", records=been, columns=_BEEN)


async def _add_unknown(
    conn: Connection, import_id: UUID, cards: Mapping[CaseId, CardRow], at: datetime
) -> set[CaseId]:
    """Write those cards that nobody has or claims; returns which."""
    columns = [list(column) for column in zip(*map(_columns, cards.values()), strict=True)]
    if not columns:
        return set()
    added = await conn.fetch(_ADD_CARDS, list(cards), *columns, at, import_id)
    return {row["case_id"] for row in added}


def _columns(row: CardRow) -> tuple[object, ...]:
    """A card as it is written, but for its case and the time."""
    return (
        row.card_reference,
        row.lot_id,
        row.row,
        row.ward,
        row.kind,
        row.applied_on,
        row.shipped_on,
        row.card_expires_on,
        row.old_card_expires_on,
        begun(row.stage),
    )


def begun(stage: Stage) -> Stage:
    """The stage a card of the opening stock is written in; it is laid on its shelf by a step."""
    return _BEGUN[stage]


async def known_references(
    conn: Connection, references: Sequence[str], import_id: UUID | None
) -> set[str]:
    """Those card references that are taken, or claimed by another import."""
    rows = await conn.fetch(_KNOWN_REFERENCES, references, import_id)
    return {row["card_reference"] for row in rows}


async def known_places(
    conn: Connection, places: Sequence[tuple[LotId, int]], import_id: UUID | None
) -> set[tuple[LotId, int]]:
    """Those places on manifests that are taken, or claimed by another import."""
    lots, rows_ = [p[0] for p in places], [p[1] for p in places]
    rows = await conn.fetch(_KNOWN_PLACES, lots, rows_, import_id)
    return {(row["lot_id"], row["lot_row"]) for row in rows}


async def keep_birth_dates(conn: Connection, sealed: Mapping[CaseId, bytes]) -> None:
    """Keep sealed birth dates until the notices are made."""
    await conn.copy_records_to_table(
        "sealed_birth_date", records=sealed.items(), columns=("case_id", "sealed")
    )


async def record_rows(
    conn: Connection, import_id: UUID, results: Sequence[RowResult], *, trial: bool = False
) -> None:
    """Keep what became of each row; with ``trial``, what would become of it."""
    written = [
        (
            import_id,
            r.line,
            r.lot_id,
            r.row,
            r.fault.code if r.fault else None,
            r.fault.field if r.fault else None,
            r.case_id,
            r.oddities,
            trial,
        )
        for r in results
    ]
    await conn.copy_records_to_table("lot_row", records=written, columns=_ROW)


async def rows_of(conn: Connection, import_id: UUID) -> list[RowResult]:
    """What became of each row of a file, in the order of the file."""
    return [row_result(row) for row in await conn.fetch(_ROWS_OF, import_id)]


async def rows_after(
    conn: Connection, import_id: UUID, line: int, limit: int, only: RowFilter
) -> list[RowResult]:
    """What became of the rows after a line."""
    rows = await conn.fetch(_ROWS_AFTER, import_id, line, only.rejected, limit, only.warned)
    return [row_result(row) for row in rows]


async def lots_of(conn: Connection, import_id: UUID) -> list[LotId]:
    """The lots of a file."""
    rows = await conn.fetch(_LOTS_OF, import_id)
    return [row["lot_id"] for row in rows]


_CIRCLES = 5
"""How often a file may be the one that gives way before its import is given up, to be repeated."""
_BEGUN = {stage: min(stage, Stage.PRESET, key=lambda each: each.rank) for stage in Stage}


def row_result(row: Row) -> RowResult:
    """The result a row of ``lot_row`` tells of."""
    fault = RowFault(RowCode(row["code"]), row["field"]) if row["code"] else None
    odd = [Oddity(code) for code in row["warnings"]]
    return RowResult(row["line"], row["lot_id"], row["lot_row"], row["case_id"], fault, odd)


def refusal(row: RefusedRow) -> RowResult:
    """The result of a row that is not taken."""
    return RowResult(row.line, row.lot_id, row.row, None, row.fault)


_ROWS_AFTER = """
SELECT line, lot_id, lot_row, code, field, case_id, warnings FROM lot_row
WHERE import_id = $1 AND line > $2 AND (code IS NOT NULL OR NOT $3)
  AND (warnings <> '{}' OR NOT $5) ORDER BY line LIMIT $4
"""
_LOTS_OF = """
SELECT DISTINCT lot_id FROM lot_row
WHERE import_id = $1 AND lot_id IS NOT NULL AND NOT trial ORDER BY lot_id
"""
_OPEN_LOTS = """
INSERT INTO lot (lot_id, received_at) SELECT lot_id, $2 FROM unnest($1::text[]) AS lot_id
ORDER BY lot_id ON CONFLICT DO NOTHING
"""
_CLAIMED_BY_OTHERS = "SELECT EXISTS (SELECT FROM card_claim WHERE import_id <> $1)"
_CARD = (
    "case_id",
    "card_reference",
    "lot_id",
    "lot_row",
    "ward",
    "kind",
    "applied_on",
    "shipped_on",
    "card_expires_on",
    "old_card_expires_on",
    "stage",
    "stage_since",
    "received_on",
)
_BEEN = ("case_id", "stage", "at")
_ADD_CARDS = """
WITH added AS (
    INSERT INTO card (case_id, card_reference, lot_id, lot_row, ward, kind, applied_on,
                      shipped_on, card_expires_on, old_card_expires_on, stage, stage_since)
    SELECT c.*, $12
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[],
                $7::date[], $8::date[], $9::date[], $10::date[], $11::text[])
         AS c(case_id, card_reference, lot_id, lot_row, ward, kind, applied_on, shipped_on,
              card_expires_on, old_card_expires_on, stage)
    WHERE NOT EXISTS (SELECT FROM card_claim x
                      WHERE x.card_reference = c.card_reference AND x.import_id <> $13)
      AND NOT EXISTS (SELECT FROM card_claim x
                      WHERE (x.lot_id, x.lot_row) = (c.lot_id, c.lot_row) AND x.import_id <> $13)
    ORDER BY card_reference COLLATE "C"
    ON CONFLICT DO NOTHING
    RETURNING case_id, stage, stage_since
), way AS (
    SELECT stage, n
    FROM unnest(ARRAY['received', 'inspected', 'registry_checked', 'preset'])
         WITH ORDINALITY AS w(stage, n)
), history AS (
    INSERT INTO card_stage (case_id, stage, at)
    SELECT added.case_id, been.stage, added.stage_since
    FROM added JOIN way here ON here.stage = added.stage JOIN way been ON been.n <= here.n
)
SELECT case_id FROM added
"""
_KNOWN_REFERENCES = """
SELECT card_reference FROM card WHERE card_reference = ANY($1::text[])
UNION ALL
SELECT card_reference FROM card_claim
WHERE card_reference = ANY($1::text[]) AND import_id IS DISTINCT FROM $2
"""
_KNOWN_PLACES = """
SELECT lot_id, lot_row
FROM card JOIN unnest($1::text[], $2::int[]) AS p(lot_id, lot_row) USING (lot_id, lot_row)
UNION ALL
SELECT lot_id, lot_row
FROM card_claim JOIN unnest($1::text[], $2::int[]) AS p(lot_id, lot_row) USING (lot_id, lot_row)
WHERE import_id IS DISTINCT FROM $3
"""
# Files are taken side by side; while a whole one claims its cards, none is, so that each sees what
# the other has written.
_TAKING = "SELECT pg_advisory_xact_lock_shared(hashtextextended('lot imports', 0))"
_ROW = (
    "import_id",
    "line",
    "lot_id",
    "lot_row",
    "code",
    "field",
    "case_id",
    "warnings",
    "trial",
)
_ROWS_OF = """
SELECT line, lot_id, lot_row, code, field, case_id, warnings FROM lot_row
WHERE import_id = $1 ORDER BY line
"""
