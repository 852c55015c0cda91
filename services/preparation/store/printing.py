"""The notices of a batch as the printer needs them, and which of them were printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.preparation.domain.printing import LeftOut, left_out
from services.preparation.domain.stages import Stage
from shared.db import Connection
from shared.ids import CaseId, SiteId


@dataclass(frozen=True, slots=True)
class PrintLine:
    """A notice of a batch; with what derives its number, and what keeps it from being printed."""

    case_id: CaseId
    card_reference: str
    site_id: SiteId | None
    shelf_position: str | None
    secret_id: str | None
    attempt: int
    number_seq: int
    """With which ``notice_seq`` the number was derived: a second notice may repeat the first."""
    pickup_deadline: date
    printed_at: datetime | None
    addressed: bool
    """Whether a name and address are kept for it."""
    left_out: LeftOut | None


async def lock(conn: Connection, batch_id: UUID) -> None:
    """Keep the cards of a batch as they are until the unit ends."""
    await conn.execute(_LOCK, batch_id)


LineKey = tuple[str, str, CaseId]
"""Site and position of a card, empty where it lies nowhere, and its case."""


async def lines(
    conn: Connection, batch_id: UUID, after: LineKey | None = None, limit: int | None = None
) -> list[PrintLine]:
    """The notices of a batch, in the order of the shelf they lie on, after one; all without a
    limit.
    """
    found = []
    for row in await conn.fetch(_LINES, batch_id, *(after or (None, None, None)), limit):
        values = dict(row)
        stage, held = Stage(values.pop("stage")), values.pop("held")
        repeated, foreign = values.pop("repeated"), values["secret_id"] is None
        why = left_out(stage, held=held, repeated=repeated, foreign=foreign)
        found.append(PrintLine(**values, left_out=why))
    return found


async def mark(
    conn: Connection, batch_id: UUID, case_ids: Sequence[CaseId], at: datetime, by: str
) -> None:
    """Say that these notices of a batch are printed."""
    await conn.execute(_MARK, batch_id, list(case_ids), at)
    await conn.execute(_PRINTED, batch_id, at, by)


_LOCK = """
SELECT FROM card WHERE case_id IN (SELECT case_id FROM notice WHERE batch_id = $1)
ORDER BY case_id FOR SHARE
"""
_LINES = """
SELECT case_id, card_reference, card.site_id, shelf_position, secret_id, attempt,
       CASE WHEN own_number THEN notice_seq ELSE 1 END AS number_seq, pickup_deadline, printed_at,
       stage, holds > 0 AS held,
       EXISTS (SELECT FROM sealed_addressee s WHERE s.case_id = card.case_id) AS addressed,
       EXISTS (SELECT FROM notice later WHERE later.case_id = card.case_id
                                          AND later.notice_seq > notice.notice_seq) AS repeated
FROM notice JOIN card USING (case_id)
WHERE batch_id = $1
  AND ($2::text IS NULL
       OR (coalesce(card.site_id, ''), coalesce(shelf_position, ''), case_id)
          > ($2, $3::text, $4::uuid))
ORDER BY coalesce(card.site_id, ''), coalesce(shelf_position, ''), case_id LIMIT $5
"""
_MARK = """
UPDATE notice SET printed_at = $3
WHERE batch_id = $1 AND case_id = ANY($2::uuid[]) AND printed_at IS NULL
"""
_PRINTED = """
UPDATE notice_batch SET printed_at = $2, printed_by = $3
WHERE batch_id = $1 AND printed_at IS NULL
"""
