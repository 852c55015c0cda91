"""Changes the registry told: each is kept once by its own reference, card or no card."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.preparation.domain.registry import Change, ChangeEffect, ChangeKind
from shared.db import Connection, Row
from shared.ids import CaseId, WardCode


@dataclass(frozen=True, slots=True)
class KeptChange:
    """A change as it was kept, and what it meant for its card."""

    change_id: UUID
    change: Change
    case_id: CaseId | None
    effect: ChangeEffect
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes a list shows; None means any."""

    kind: ChangeKind | None = None
    effect: ChangeEffect | None = None
    case_id: UUID | None = None


async def keep(conn: Connection, changes: Mapping[UUID, Change], at: datetime) -> set[UUID]:
    """Keep changes as waiting; returns the ids of those that are new."""
    told = list(changes.values())
    rows = await conn.fetch(
        _KEEP,
        list(changes),
        [c.change_reference for c in told],
        [c.card_reference for c in told],
        [c.kind for c in told],
        [c.effective_on for c in told],
        [c.ward for c in told],
        [c.review_on for c in told],
        at,
    )
    return {row["change_id"] for row in rows}


async def put_sealed(conn: Connection, sealed: Mapping[UUID, bytes]) -> None:
    """Keep what waiting changes correct, sealed under each."""
    await conn.execute(_PUT_SEALED, list(sealed), list(sealed.values()))


async def sealed(conn: Connection, change_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """What those waiting changes correct that correct something."""
    rows = await conn.fetch(_SEALED, list(change_ids))
    return {row["change_id"]: row["sealed"] for row in rows}


async def last_word(conn: Connection, change_ids: Collection[UUID]) -> dict[UUID, bool]:
    """Those settled changes that nothing later in effect says otherwise than, and whether the
    address of each may be kept: not under support measures.
    """
    rows = await conn.fetch(_LAST_WORD, list(change_ids))
    return {row["change_id"]: row["may_be_kept"] for row in rows}


async def settle(conn: Connection, effects: Mapping[UUID, tuple[CaseId, ChangeEffect]]) -> None:
    """Say of waiting changes what they meant for which card."""
    await conn.execute(
        _SETTLE,
        list(effects),
        [case_id for case_id, _ in effects.values()],
        [effect for _, effect in effects.values()],
    )


async def reroute(conn: Connection, moves: Mapping[CaseId, Change]) -> dict[CaseId, WardCode]:
    """Give cards their new wards, where no later move is known; returns those that changed."""
    told = list(moves.values())
    rows = await conn.fetch(
        _REROUTE, list(moves), [c.ward for c in told], [c.effective_on for c in told]
    )
    return {row["case_id"]: row["ward"] for row in rows}


async def lock_waiting(conn: Connection, limit: int) -> dict[UUID, Change]:
    """Changes whose cards have come meanwhile, locked; others' locks are passed over."""
    rows = await conn.fetch(_LOCK_WAITING, limit)
    return {row["change_id"]: _change(row) for row in rows}


async def by_reference(conn: Connection, references: Sequence[str]) -> dict[str, KeptChange]:
    """Kept changes by their own references."""
    rows = await conn.fetch(_BY_REFERENCE, list(references))
    return {row["change_reference"]: _kept(row) for row in rows}


async def listed(
    conn: Connection, wanted: ChangeFilter, before: UUID | None, limit: int
) -> list[KeptChange]:
    """Changes, the newest first, before an id."""
    rows = await conn.fetch(_LISTED, wanted.kind, wanted.effect, wanted.case_id, before, limit)
    return [_kept(row) for row in rows]


def _kept(row: Row) -> KeptChange:
    return KeptChange(
        row["change_id"],
        _change(row),
        row["case_id"],
        ChangeEffect(row["effect"]),
        row["recorded_at"],
    )


def _change(row: Row) -> Change:
    day: date = row["effective_on"]
    return Change(
        change_reference=row["change_reference"],
        card_reference=row["card_reference"],
        kind=ChangeKind(row["kind"]),
        effective_on=day,
        ward=row["ward"],
        review_on=row["review_on"],
    )


_COLUMNS = """
SELECT change_id, change_reference, card_reference, case_id, kind, effective_on, ward, review_on,
       effect, recorded_at
FROM registry_change
"""
# In the order of the references, so that two files with the same changes wait in no circle.
_KEEP = """
INSERT INTO registry_change (change_id, change_reference, card_reference, kind, effective_on, ward,
                             review_on, effect, recorded_at)
SELECT *, 'waiting', $8
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::date[], $6::text[], $7::date[])
     AS c(change_id, change_reference, card_reference, kind, effective_on, ward, review_on)
ORDER BY change_reference
ON CONFLICT (change_reference) DO NOTHING
RETURNING change_id
"""
_PUT_SEALED = """
UPDATE registry_change r SET sealed = e.sealed
FROM unnest($1::uuid[], $2::bytea[]) AS e(change_id, sealed) WHERE r.change_id = e.change_id
"""
_SEALED = """
SELECT change_id, sealed FROM registry_change
WHERE change_id = ANY($1::uuid[]) AND sealed IS NOT NULL
"""
_LAST_WORD = """
SELECT change_id,
       NOT EXISTS (SELECT FROM registry_change r
                   WHERE r.case_id = c.case_id AND r.kind = 'support_measures')
       AND NOT EXISTS (SELECT FROM card_hold h
                       WHERE h.case_id = c.case_id AND h.reason = 'support_measures')
           AS may_be_kept
FROM registry_change c
WHERE change_id = ANY($1::uuid[])
  AND (kind = 'support_measures' OR NOT EXISTS (
      SELECT FROM registry_change r
      WHERE r.case_id = c.case_id AND r.kind IN ('name_or_address_changed', 'moved_within_city')
        AND (r.effective_on, r.change_reference) > (c.effective_on, c.change_reference)))
"""
_SETTLE = """
UPDATE registry_change r SET case_id = e.case_id, effect = e.effect, sealed = NULL
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS e(change_id, case_id, effect)
WHERE r.change_id = e.change_id
"""
_REROUTE = """
UPDATE card SET ward = m.ward, version = version + 1
FROM unnest($1::uuid[], $2::text[], $3::date[]) AS m(case_id, ward, effective_on)
WHERE card.case_id = m.case_id AND card.ward <> m.ward
  AND NOT EXISTS (SELECT 1 FROM registry_change r
                  WHERE r.case_id = m.case_id AND r.kind = 'moved_within_city'
                    AND r.effective_on > m.effective_on)
RETURNING card.case_id, card.ward
"""
_LOCK_WAITING = """
SELECT change_id, change_reference, card_reference, kind, effective_on, ward, review_on
FROM registry_change
WHERE effect = 'waiting'
  AND EXISTS (SELECT 1 FROM card WHERE card.card_reference = registry_change.card_reference)
ORDER BY change_id LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_BY_REFERENCE = f"{_COLUMNS} WHERE change_reference = ANY($1::text[])"
_LISTED = f"""{_COLUMNS}
WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR effect = $2)
  AND ($3::uuid IS NULL OR case_id = $3) AND ($4::uuid IS NULL OR change_id < $4)
ORDER BY change_id DESC LIMIT $5
"""
