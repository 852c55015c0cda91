"""Records of disposal: who laid which cards out, and who confirmed that they were destroyed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.preparation.domain.disposals import Whereabouts
from services.preparation.domain.stages import Stage
from shared.contracts.preparation import DisposalReason
from shared.db import Connection
from shared.ids import CaseId, DisposalId, SiteId


@dataclass(frozen=True, slots=True)
class Disposal:
    """A record."""

    disposal_id: DisposalId
    site_id: SiteId
    method: str
    card_count: int
    opened_at: datetime
    opened_by: str
    confirmed_at: datetime | None
    confirmed_by: str | None
    withdrawn_at: datetime | None
    disposed: int

    @property
    def state(self) -> Literal["laid_out", "confirmed", "withdrawn"]:
        """Where the record stands."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "confirmed" if self.confirmed_at is not None else "laid_out"


@dataclass(frozen=True, slots=True)
class DisposalLine:
    """A card of a record."""

    case_id: CaseId
    card_reference: str
    reason: DisposalReason
    left_position: str | None
    state: str


@dataclass(frozen=True, slots=True)
class WaitingCard:
    """A card that waits for its disposal."""

    case_id: CaseId
    card_reference: str
    site_id: SiteId | None
    shelf_position: str | None
    stage: Stage
    end_reason: str | None
    stage_since: datetime


async def whereabouts(
    conn: Connection, case_ids: Collection[CaseId]
) -> dict[CaseId, tuple[Whereabouts, str | None]]:
    """Where these cards are, and why their way ended."""
    return {
        row["case_id"]: (
            Whereabouts(Stage(row["stage"]), row["site_id"], row["under_way"], row["laid_out"]),
            row["end_reason"],
        )
        for row in await conn.fetch(_WHEREABOUTS, list(case_ids))
    }


async def open_record(
    conn: Connection,
    record: tuple[DisposalId, SiteId, str, datetime, str],
    cards: Mapping[CaseId, DisposalReason],
) -> None:
    """Begin a record (id, site, method, when, by whom) of locked cards."""
    await conn.execute(_OPEN, *record, len(cards))
    await conn.execute(_LAY_OUT, record[0], list(cards), list(cards.values()))


async def find(conn: Connection, disposal_id: DisposalId) -> Disposal | None:
    """One record."""
    row = await conn.fetchrow(_FIND, disposal_id)
    return Disposal(**row) if row else None


async def listed(
    conn: Connection, site_id: SiteId | None, after: DisposalId | None, limit: int
) -> Sequence[Disposal]:
    """Records in the order in which they were opened, after one."""
    return [Disposal(**row) for row in await conn.fetch(_LISTED, site_id, after, limit)]


async def lines(
    conn: Connection,
    disposal_id: DisposalId,
    after: tuple[str, CaseId] | None = None,
    limit: int | None = None,
) -> Sequence[DisposalLine]:
    """The cards of a record in the order of the shelf they left, after one; all without a limit."""
    rows = await conn.fetch(_LINES, disposal_id, *(after or (None, None)), limit)
    return [DisposalLine(**{**row, "reason": DisposalReason(row["reason"])}) for row in rows]


async def confirm(conn: Connection, disposal_id: DisposalId, at: datetime, by: str) -> set[CaseId]:
    """Destroy the locked cards of a record that still wait; returns them.

    Raises ``asyncpg.CheckViolationError`` where ``by`` is who opened it.
    """
    await conn.execute(_CONFIRM, disposal_id, at, by)
    rows = await conn.fetch(_DISPOSE, disposal_id, at)
    await conn.execute(_KEEP_REST, disposal_id)
    return {row["case_id"] for row in rows}


async def withdraw(conn: Connection, disposal_id: DisposalId, at: datetime, by: str) -> None:
    """Close a record without destroying anything."""
    await conn.execute(_WITHDRAW, disposal_id, at, by)
    await conn.execute(_KEEP_REST, disposal_id)


async def waiting(
    conn: Connection, site_id: SiteId | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[WaitingCard]:
    """Cards that wait for their disposal, the longest first, after one."""
    rows = await conn.fetch(_WAITING, site_id, limit, *(after or (None, None)))
    return [WaitingCard(**{**row, "stage": Stage(row["stage"])}) for row in rows]


async def become_due(
    conn: Connection, today: date, midnight: datetime, at: datetime, limit: int
) -> dict[CaseId, DisposalReason]:
    """Let cards wait for their disposal whose last notice or whose validity has run out."""
    rows = await conn.fetch(_BECOME_DUE, today, midnight, at, limit)
    return {row["case_id"]: DisposalReason(row["end_reason"]) for row in rows}


async def voided_due(conn: Connection, at: datetime, limit: int) -> list[CaseId]:
    """Voided cards of which nobody has said that they wait for their disposal; now it is said."""
    return [row["case_id"] for row in await conn.fetch(_VOIDED_DUE, at, limit)]


_WHEREABOUTS = """
SELECT case_id, stage, site_id, transfer_id IS NOT NULL AS under_way, end_reason,
       EXISTS (SELECT FROM disposal_card line
               WHERE line.case_id = card.case_id AND state = 'laid_out') AS laid_out
FROM card WHERE case_id = ANY($1::uuid[])
"""
_OPEN = """
INSERT INTO disposal (disposal_id, site_id, method, opened_at, opened_by, card_count)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_LAY_OUT = """
INSERT INTO disposal_card (disposal_id, case_id, reason, left_position)
SELECT $1, case_id, reason, card.shelf_position
FROM unnest($2::uuid[], $3::text[]) AS wanted(case_id, reason) JOIN card USING (case_id)
"""
_RECORDS = """
SELECT disposal_id, site_id, method, card_count, opened_at, opened_by, confirmed_at,
       confirmed_by, withdrawn_at,
       (SELECT count(*) FROM disposal_card line
        WHERE line.disposal_id = disposal.disposal_id AND state = 'disposed')::int AS disposed
FROM disposal
"""
_FIND = f"{_RECORDS} WHERE disposal_id = $1"
_LISTED = f"""{_RECORDS}
WHERE ($1::text IS NULL OR site_id = $1) AND ($2::uuid IS NULL OR disposal_id > $2)
ORDER BY disposal_id LIMIT $3
"""
_LINES = """
SELECT case_id, card_reference, reason, left_position, line.state
FROM disposal_card line JOIN card USING (case_id)
WHERE line.disposal_id = $1
  AND ($2::text IS NULL OR (coalesce(left_position, ''), case_id) > ($2, $3::uuid))
ORDER BY coalesce(left_position, ''), case_id LIMIT $4
"""
_CONFIRM = "UPDATE disposal SET confirmed_at = $2, confirmed_by = $3 WHERE disposal_id = $1"
_DISPOSE = """
WITH gone AS (
    UPDATE card SET stage = 'disposed', stage_since = $2, site_id = NULL, shelf_position = NULL,
                    disposal_id = $1, version = version + 1
    FROM disposal_card line
    WHERE line.disposal_id = $1 AND line.state = 'laid_out' AND card.case_id = line.case_id
      AND card.stage IN ('disposal_due', 'voided') AND card.transfer_id IS NULL
      AND card.shelf_position IS NOT DISTINCT FROM line.left_position
    RETURNING card.case_id
), history AS (
    INSERT INTO card_stage (case_id, stage, at) SELECT case_id, 'disposed', $2 FROM gone
)
UPDATE disposal_card line SET state = 'disposed' FROM gone
WHERE line.disposal_id = $1 AND line.case_id = gone.case_id
RETURNING line.case_id
"""
_KEEP_REST = """
UPDATE disposal_card SET state = 'kept' WHERE disposal_id = $1 AND state = 'laid_out'
"""
_WITHDRAW = "UPDATE disposal SET withdrawn_at = $2, withdrawn_by = $3 WHERE disposal_id = $1"
_WAITING = """
SELECT case_id, card_reference, site_id, shelf_position, stage, end_reason, stage_since FROM card
WHERE stage IN ('disposal_due', 'voided') AND ($1::text IS NULL OR site_id = $1)
  AND NOT EXISTS (SELECT FROM disposal_card line
                  WHERE line.case_id = card.case_id AND state = 'laid_out')
  AND ($3::timestamptz IS NULL OR (stage_since, case_id) > ($3, $4::uuid))
ORDER BY stage_since, case_id LIMIT $2
"""
# The stage stays: the card is voided, and its history says since when it waits for its disposal.
_VOIDED_DUE = """
INSERT INTO card_stage (case_id, stage, at)
SELECT case_id, 'disposal_due', $1 FROM card
WHERE stage = 'voided' AND NOT EXISTS (
    SELECT FROM card_stage s WHERE s.case_id = card.case_id AND s.stage = 'disposal_due')
ORDER BY case_id LIMIT $2
ON CONFLICT DO NOTHING RETURNING case_id
"""
# Few cards can be meant at all; of the others nothing else is looked up.
_BECOME_DUE = """
WITH meant AS MATERIALIZED (
    SELECT case_id FROM card
    WHERE stage IN ('shelved', 'notified') AND holds = 0 AND card_expires_on < $1
    UNION
    SELECT case_id FROM notice WHERE notice_seq >= 2 AND pickup_deadline < $1
), over AS (
    SELECT card.case_id,
           CASE WHEN card_expires_on < $1 THEN 'expired' ELSE 'unclaimed' END AS reason
    FROM meant JOIN card USING (case_id)
    LEFT JOIN LATERAL (SELECT notice_seq, pickup_deadline FROM notice
                       WHERE notice.case_id = card.case_id
                       ORDER BY notice_seq DESC LIMIT 1) AS last ON true
    WHERE card.stage IN ('shelved', 'notified') AND card.holds = 0
      AND (card_expires_on < $1
           OR card.stage = 'notified' AND last.notice_seq >= 2 AND last.pickup_deadline < $1)
      AND NOT EXISTS (SELECT FROM booking b WHERE b.case_id = card.case_id
                                              AND b.state = 'booked' AND b.starts_at >= $2)
      AND NOT at_counter(card.case_id, $3)
    ORDER BY card.case_id LIMIT $4 FOR UPDATE OF card SKIP LOCKED
), due AS (
    UPDATE card SET stage = 'disposal_due', stage_since = $3, end_reason = over.reason,
                    version = version + 1
    FROM over WHERE card.case_id = over.case_id
    RETURNING card.case_id, card.end_reason
), history AS (
    INSERT INTO card_stage (case_id, stage, at) SELECT case_id, 'disposal_due', $3 FROM due
)
SELECT case_id, end_reason FROM due ORDER BY case_id
"""
