"""Cards: where each stands, read alone, in lists, and locked for a step."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.preparation.domain.stages import Stage
from shared.contracts.base import CaseKind
from shared.db import Connection, Row
from shared.ids import CaseId, LotId, SiteId, WardCode


@dataclass(frozen=True, slots=True)
class Card:
    """A card and where it stands; ``version`` grows with each change."""

    case_id: CaseId
    card_reference: str
    lot_id: LotId
    row: int
    ward: WardCode
    kind: CaseKind
    applied_on: date
    shipped_on: date
    card_expires_on: date
    old_card_expires_on: date | None
    stage: Stage
    stage_since: datetime
    site_id: SiteId | None
    shelf_position: str | None
    holds: int
    end_reason: str | None
    version: int

    @property
    def held(self) -> bool:
        """Whether the card waits for a reason to be cleared."""
        return self.holds > 0


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Which cards a list shows; None means any."""

    stage: Stage | None = None
    ward: WardCode | None = None
    lot_id: LotId | None = None


async def find(conn: Connection, case_id: CaseId) -> Card | None:
    """One card."""
    row = await conn.fetchrow(_FIND, case_id)
    return _card(row) if row else None


async def listed(
    conn: Connection, wanted: CardFilter, after: UUID | None, limit: int
) -> Sequence[Card]:
    """Cards in the order of their cases, after a case."""
    rows = await conn.fetch(_LISTED, wanted.stage, wanted.ward, wanted.lot_id, after, limit)
    return [_card(row) for row in rows]


async def lock_cases(conn: Connection, case_ids: Collection[CaseId]) -> list[Card]:
    """These cards, locked in the order of their cases until the unit ends."""
    return [_card(row) for row in await conn.fetch(_LOCK_CASES, list(case_ids))]


async def lock_references(conn: Connection, references: Collection[str]) -> list[Card]:
    """The cards with these references, locked in the order of their cases until the unit ends."""
    return [_card(row) for row in await conn.fetch(_LOCK_REFERENCES, list(references))]


async def lock_lot(conn: Connection, lot_id: LotId) -> list[Card]:
    """The cards of a lot, locked in the order of their cases until the unit ends."""
    return [_card(row) for row in await conn.fetch(_LOCK_LOT, lot_id)]


def _card(row: Row) -> Card:
    return Card(
        case_id=row["case_id"],
        card_reference=row["card_reference"],
        lot_id=row["lot_id"],
        row=row["lot_row"],
        ward=row["ward"],
        kind=CaseKind(row["kind"]),
        applied_on=row["applied_on"],
        shipped_on=row["shipped_on"],
        card_expires_on=row["card_expires_on"],
        old_card_expires_on=row["old_card_expires_on"],
        stage=Stage(row["stage"]),
        stage_since=row["stage_since"],
        site_id=row["site_id"],
        shelf_position=row["shelf_position"],
        holds=row["holds"],
        end_reason=row["end_reason"],
        version=row["version"],
    )


_COLUMNS = """
SELECT case_id, card_reference, lot_id, lot_row, ward, kind, applied_on, shipped_on,
       card_expires_on, old_card_expires_on, stage, stage_since, site_id, shelf_position, holds,
       end_reason, version
FROM card
"""
_FIND = f"{_COLUMNS} WHERE case_id = $1"
_LISTED = f"""{_COLUMNS}
WHERE ($1::text IS NULL OR stage = $1) AND ($2::text IS NULL OR ward = $2)
  AND ($3::text IS NULL OR lot_id = $3) AND ($4::uuid IS NULL OR case_id > $4)
ORDER BY case_id LIMIT $5
"""
_LOCK_CASES = f"{_COLUMNS} WHERE case_id = ANY($1::uuid[]) ORDER BY case_id FOR UPDATE"
_LOCK_REFERENCES = f"{_COLUMNS} WHERE card_reference = ANY($1::text[]) ORDER BY case_id FOR UPDATE"
_LOCK_LOT = f"{_COLUMNS} WHERE lot_id = $1 ORDER BY case_id FOR UPDATE"
