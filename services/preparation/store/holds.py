"""Holds of cards. A reason holds a card once; the card itself counts how many it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.preparation.domain.holds import Hold
from shared.contracts.preparation import HoldReason
from shared.db import Connection
from shared.ids import CaseId, SiteId, WardCode


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A hold with the card that waits."""

    case_id: CaseId
    card_reference: str
    ward: WardCode
    stage: str
    site_id: SiteId | None
    reason: HoldReason
    held_at: datetime
    review_on: date


@dataclass(frozen=True, slots=True)
class HeldFilter:
    """Which holds a list shows; None means any."""

    reason: HoldReason | None = None
    review_until: date | None = None


async def place(
    conn: Connection, holds: Sequence[tuple[CaseId, Hold]], at: datetime
) -> set[tuple[CaseId, HoldReason]]:
    """Hold cards; those that wait for that reason already are left. Returns the new holds."""
    rows = await conn.fetch(
        _PLACE,
        [case_id for case_id, _ in holds],
        [hold.reason for _, hold in holds],
        [hold.review_on for _, hold in holds],
        at,
    )
    return {(row["case_id"], HoldReason(row["reason"])) for row in rows}


async def clear(
    conn: Connection, case_ids: Sequence[CaseId], reason: HoldReason | None
) -> set[CaseId]:
    """Clear one reason, or all; returns the cards that had it."""
    rows = await conn.fetch(_CLEAR, list(case_ids), reason)
    return {row["case_id"] for row in rows}


async def listed(
    conn: Connection,
    wanted: HeldFilter,
    after: tuple[date, CaseId, str] | None,
    limit: int,
) -> list[HeldCard]:
    """Holds in the order of their review, after (review_on, case_id, reason)."""
    day, case_id, reason = after or (None, None, None)
    rows = await conn.fetch(
        _LISTED, wanted.reason, wanted.review_until, day, case_id, reason, limit
    )
    return [HeldCard(**{**row, "reason": HoldReason(row["reason"])}) for row in rows]


_PLACE = """
INSERT INTO card_hold (case_id, reason, review_on, held_at)
SELECT case_id, reason, min(review_on), $4
FROM unnest($1::uuid[], $2::text[], $3::date[]) AS h(case_id, reason, review_on)
GROUP BY case_id, reason ORDER BY case_id, reason
ON CONFLICT (case_id, reason) DO NOTHING
RETURNING case_id, reason
"""
_CLEAR = """
DELETE FROM card_hold
WHERE case_id = ANY($1::uuid[]) AND ($2::text IS NULL OR reason = $2)
RETURNING case_id
"""
_LISTED = """
SELECT h.case_id, card_reference, ward, stage, site_id, reason, held_at, review_on
FROM card_hold h JOIN card USING (case_id)
WHERE ($1::text IS NULL OR reason = $1) AND ($2::date IS NULL OR review_on <= $2)
  AND ($3::date IS NULL OR (review_on, h.case_id, reason) > ($3, $4::uuid, $5::text))
ORDER BY review_on, h.case_id, reason LIMIT $6
"""
