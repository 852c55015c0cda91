"""Batches under way. A card says itself which batch it is in; the batch's line follows it (a
trigger), so that the two never differ.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.preparation.domain.transfers import Cause, LineState
from shared.db import Connection, Row
from shared.ids import BatchId, CaseId, SiteId

TransferState = Literal["under_way", "late", "missing", "arrived"]
"""Of a whole batch: late once its day is over, missing once it was emptied without all cards."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A sealed batch; ``open_count`` cards of it are not settled yet."""

    transfer_id: BatchId
    from_site_id: SiteId
    to_site_id: SiteId
    sealed_at: datetime
    sealed_by: str
    seal: str
    due_on: date
    card_count: int
    open_count: int
    emptied_at: datetime | None

    def state(self, today: date) -> TransferState:
        """Where the batch stands on ``today``."""
        if self.open_count == 0:
            return "arrived"
        if self.emptied_at is not None:
            return "missing"
        return "late" if self.due_on < today else "under_way"


@dataclass(frozen=True, slots=True)
class Line:
    """A card of a batch."""

    case_id: CaseId
    card_reference: str
    left_position: str
    reason: Cause
    state: LineState
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewTransfer:
    """A batch that is sealed now."""

    transfer_id: BatchId
    from_site_id: SiteId
    to_site_id: SiteId
    sealed_at: datetime
    sealed_by: str
    seal: str
    due_on: date


async def lock_open(
    conn: Connection, transfer_id: BatchId, case_ids: Collection[CaseId], references: Sequence[str]
) -> None:
    """Lock the cards of a batch that are not settled, and these, in the order of their cases."""
    await conn.execute(_LOCK_OPEN, transfer_id, list(case_ids), list(references))


async def dispatch(conn: Connection, batch: NewTransfer, cards: Mapping[CaseId, Cause]) -> None:
    """Take locked cards off the shelves of a site, all into one batch."""
    await conn.execute(
        _SEAL,
        batch.transfer_id,
        batch.from_site_id,
        batch.to_site_id,
        batch.sealed_at,
        batch.sealed_by,
        batch.seal,
        batch.due_on,
        len(cards),
    )
    await conn.execute(_PACK, batch.transfer_id, list(cards), list(cards.values()))
    await conn.execute(_LEAVE, batch.transfer_id, batch.from_site_id)


async def find(conn: Connection, transfer_id: BatchId) -> Transfer | None:
    """One batch."""
    row = await conn.fetchrow(_FIND, transfer_id)
    return Transfer(**row) if row else None


async def listed(
    conn: Connection,
    site_id: SiteId | None,
    *,
    only_open: bool,
    after: BatchId | None,
    limit: int,
) -> Sequence[Transfer]:
    """Batches from or to a site, in the order in which they were sealed, after one."""
    rows = await conn.fetch(_LISTED, site_id, only_open, after, limit)
    return [Transfer(**row) for row in rows]


async def lines(
    conn: Connection, transfer_id: BatchId, after: tuple[str, CaseId] | None, limit: int
) -> Sequence[Line]:
    """The cards of a batch, in the order of the shelf they left, after one."""
    rows = await conn.fetch(_LINES, transfer_id, *(after or (None, None)), limit)
    return [_line(row) for row in rows]


async def arrive(
    conn: Connection,
    transfer_id: BatchId,
    places: Mapping[CaseId, str],
    site_id: SiteId,
    at: datetime,
) -> set[CaseId]:
    """Lay cards of a batch on shelves of a site; returns those that were in it."""
    rows = await conn.fetch(_ARRIVE, transfer_id, list(places), list(places.values()), site_id)
    laid = {row["case_id"] for row in rows}
    await conn.execute(_SETTLED_AT, transfer_id, list(laid), at)
    return laid


async def emptied(conn: Connection, transfer_id: BatchId, at: datetime) -> set[CaseId]:
    """Say that a batch holds no more cards; returns those that are missing since now."""
    await conn.execute(_EMPTIED, transfer_id, at)
    return {row["case_id"] for row in await conn.fetch(_MISSING, transfer_id)}


async def under_way(conn: Connection, case_ids: Collection[CaseId]) -> dict[CaseId, BatchId]:
    """The batches these cards are in."""
    rows = await conn.fetch(_UNDER_WAY, list(case_ids))
    return {row["case_id"]: row["transfer_id"] for row in rows}


def _line(row: Row) -> Line:
    return Line(**{**row, "reason": Cause(row["reason"]), "state": LineState(row["state"])})


# Each of the three ways by its index, then all by their cases: with OR the whole table is read.
_LOCK_OPEN = """
SELECT FROM card
WHERE case_id = ANY(ARRAY(
    SELECT case_id FROM unnest($2::uuid[]) AS named(case_id)
    UNION SELECT case_id FROM card WHERE card_reference = ANY($3::text[])
    UNION SELECT case_id FROM transfer_card
          WHERE transfer_id = $1 AND state IN ('under_way', 'missing')))
ORDER BY case_id FOR UPDATE
"""
_SEAL = """
INSERT INTO transfer (transfer_id, from_site_id, to_site_id, sealed_at, sealed_by, seal, due_on,
                      card_count)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_PACK = """
INSERT INTO transfer_card (transfer_id, case_id, left_position, reason)
SELECT $1, case_id, card.shelf_position, reason
FROM unnest($2::uuid[], $3::text[]) AS packed(case_id, reason) JOIN card USING (case_id)
"""
_LEAVE = """
UPDATE card SET transfer_id = $1, site_id = NULL, shelf_position = NULL, version = version + 1
FROM transfer_card line
WHERE line.transfer_id = $1 AND card.case_id = line.case_id AND card.site_id = $2
"""
_TRANSFERS = """
SELECT transfer_id, from_site_id, to_site_id, sealed_at, sealed_by, seal, due_on, card_count,
       emptied_at, (SELECT count(*) FROM transfer_card line
                    WHERE line.transfer_id = transfer.transfer_id
                      AND state IN ('under_way', 'missing'))::int AS open_count
FROM transfer
"""
_FIND = f"{_TRANSFERS} WHERE transfer_id = $1"
_LISTED = f"""{_TRANSFERS}
WHERE ($1::text IS NULL OR $1 IN (from_site_id, to_site_id))
  AND (NOT $2::bool OR EXISTS (SELECT FROM transfer_card line
                               WHERE line.transfer_id = transfer.transfer_id
                                 AND state IN ('under_way', 'missing')))
  AND ($3::uuid IS NULL OR transfer_id > $3)
ORDER BY transfer_id LIMIT $4
"""
_LINES = """
SELECT case_id, card_reference, left_position, reason, line.state, settled_at
FROM transfer_card line JOIN card USING (case_id)
WHERE line.transfer_id = $1
  AND ($2::text IS NULL OR (left_position, case_id) > ($2, $3::uuid))
ORDER BY left_position, case_id LIMIT $4
"""
_ARRIVE = """
UPDATE card SET transfer_id = NULL, site_id = $4, shelf_position = place.position,
                version = version + 1
FROM unnest($2::uuid[], $3::text[]) AS place(case_id, position)
WHERE card.case_id = place.case_id AND card.transfer_id = $1
RETURNING card.case_id
"""
_SETTLED_AT = """
UPDATE transfer_card SET settled_at = $3 WHERE transfer_id = $1 AND case_id = ANY($2::uuid[])
"""
_EMPTIED = """
UPDATE transfer SET emptied_at = $2 WHERE transfer_id = $1 AND emptied_at IS NULL
"""
_MISSING = """
UPDATE transfer_card SET state = 'missing' WHERE transfer_id = $1 AND state = 'under_way'
RETURNING case_id
"""
_UNDER_WAY = """
SELECT case_id, transfer_id FROM card
WHERE case_id = ANY($1::uuid[]) AND transfer_id IS NOT NULL
"""
