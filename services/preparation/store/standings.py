"""How cards stand with their last notice."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.preparation.domain.second_notices import Standing
from services.preparation.domain.stages import Stage
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId


@dataclass(frozen=True, slots=True)
class UnclaimedCard:
    """A card whose last notice has run out, and how it stands."""

    case_id: CaseId
    card_reference: str
    site_id: SiteId | None
    shelf_position: str | None
    standing: Standing


async def of(
    conn: Connection, case_ids: Collection[CaseId], now: datetime
) -> dict[CaseId, Standing]:
    """The standings of these cases; those without a notice are left out."""
    rows = await conn.fetch(_OF, list(case_ids), now)
    return {row["case_id"]: _standing(row) for row in rows}


async def ended(
    conn: Connection,
    site_id: SiteId | None,
    *,
    now: datetime,
    today: date,
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[UnclaimedCard]:
    """Notified cards whose notice or validity has run out, the longest ago first, after one."""
    deadline, case_id = after or (None, None)
    rows = await conn.fetch(_ENDED, site_id, now, today, limit, deadline, case_id)
    return [
        UnclaimedCard(
            row["case_id"],
            row["card_reference"],
            row["site_id"],
            row["shelf_position"],
            _standing(row),
        )
        for row in rows
    ]


async def returned(
    conn: Connection, case_ids: Collection[CaseId], at: datetime
) -> dict[CaseId, int]:
    """Record that the last notices of notified cards came back; the number of each that is new."""
    rows = await conn.fetch(_RETURNED, list(case_ids), at)
    return {row["case_id"]: row["notice_seq"] for row in rows}


async def repeat(
    conn: Connection,
    batch_id: UUID,
    deadlines: dict[CaseId, date],
) -> list[Row]:
    """Write second notices with the numbers of the first ones; returns them as they are told.

    Those whose first number another system had drawn are left out.
    """
    rows: list[Row] = await conn.fetch(_REPEAT, batch_id, list(deadlines), list(deadlines.values()))
    return rows


def _standing(row: Row) -> Standing:
    return Standing(
        stage=Stage(row["stage"]),
        notice_seq=row["notice_seq"],
        deadline=row["pickup_deadline"],
        returned=row["returned_at"] is not None,
        booked=row["booked"],
        held=row["holds"] > 0,
        on_shelf=row["site_id"] is not None,
        card_expires_on=row["card_expires_on"],
    )


_STANDING = """
SELECT card.case_id, card.card_reference, card.site_id, card.shelf_position, card.stage,
       card.holds, card.card_expires_on, last.notice_seq, last.pickup_deadline, last.returned_at,
       EXISTS (SELECT FROM booking b WHERE b.case_id = card.case_id AND b.state = 'booked'
                                       AND b.starts_at > $2)
       OR at_counter(card.case_id, $2) AS booked
FROM card
JOIN LATERAL (SELECT * FROM notice WHERE notice.case_id = card.case_id
              ORDER BY notice_seq DESC LIMIT 1) AS last ON true
"""
_OF = f"{_STANDING} WHERE card.case_id = ANY($1::uuid[])"
_ENDED = f"""{_STANDING}
WHERE card.stage = 'notified' AND card.holds = 0
  AND ($1::text IS NULL OR card.site_id = $1)
  AND (last.pickup_deadline < $3 OR last.returned_at IS NOT NULL OR card.card_expires_on < $3)
  AND NOT EXISTS (SELECT FROM booking b WHERE b.case_id = card.case_id AND b.state = 'booked'
                                          AND b.starts_at > $2)
  AND NOT at_counter(card.case_id, $2)
  AND ($5::date IS NULL OR (last.pickup_deadline, card.case_id) > ($5, $6::uuid))
ORDER BY last.pickup_deadline, card.case_id LIMIT $4
"""
_RETURNED = """
UPDATE notice SET returned_at = $2
FROM (SELECT case_id, max(notice_seq) AS notice_seq FROM notice
      WHERE case_id = ANY($1::uuid[]) GROUP BY case_id) AS last
WHERE notice.case_id = last.case_id AND notice.notice_seq = last.notice_seq
  AND notice.returned_at IS NULL
RETURNING notice.case_id, notice.notice_seq
"""
_REPEAT = """
WITH repeated AS (
    INSERT INTO notice (batch_id, case_id, notice_seq, secret_id, attempt, number_key, login_key,
                        key_id, pickup_deadline, site_id)
    SELECT $1, first.case_id, 2, first.secret_id, first.attempt, first.number_key,
           first.login_key, first.key_id, wanted.deadline, card.site_id
    FROM unnest($2::uuid[], $3::date[]) AS wanted(case_id, deadline)
    JOIN notice first ON first.case_id = wanted.case_id AND first.notice_seq = 1
                     AND first.secret_id IS NOT NULL
    JOIN card ON card.case_id = wanted.case_id
    RETURNING *
)
SELECT repeated.case_id, card.ward, repeated.site_id, number_key, login_key, key_id, notice_seq,
       pickup_deadline, card.card_expires_on
FROM repeated JOIN card USING (case_id) ORDER BY repeated.case_id
"""
