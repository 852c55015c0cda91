"""Cards that wait for a desk, in the order in which they are to be done. What somebody else works
on is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.preparation.domain.stages import Stage
from services.preparation.domain.worklist import Desktop, Order, Rank, Task, Work
from shared.contracts.base import CaseKind
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId, WardCode


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """Whose list, and which part of it; None means any. ``near``: cards that expire up to then
    are urgent.
    """

    operator: str
    today: date
    near: date
    order: Order = Order.URGENCY
    task: Task | None = None
    ward: WardCode | None = None
    site_id: SiteId | None = None


async def listed(
    conn: Connection, wanted: WorkFilter, at: datetime, after: Rank | None, limit: int
) -> list[Work]:
    """The list as it is at ``at``, after a place in it."""
    place = tuple(after) if after else (None, None, None, None)
    return [_work(row) for row in await conn.fetch(_LISTED, *_values(wanted, at), *place, limit)]


async def lock_next(conn: Connection, wanted: WorkFilter, at: datetime, limit: int) -> list[CaseId]:
    """The next free cards, locked until the unit ends; those that others hold are passed over."""
    rows = await conn.fetch(_LOCK_NEXT, *_values(wanted, at), limit)
    return [row["case_id"] for row in rows]


async def desktops(conn: Connection, at: datetime) -> Sequence[Desktop]:
    """What each operator has in hand at ``at``, by operator and task."""
    found = [
        Desktop(
            row["operator"],
            Task.of(Stage(row["stage"]), held=row["held"]),
            row["cards"],
            row["since"],
            row["expires"],
        )
        for row in await conn.fetch(_DESKTOPS, at)
    ]
    return sorted(found, key=lambda one: (one.operator, list(Task).index(one.task)))


def _values(wanted: WorkFilter, at: datetime) -> tuple[object, ...]:
    return (
        wanted.operator,
        at,
        wanted.today,
        wanted.near,
        wanted.order,
        wanted.task,
        wanted.ward,
        wanted.site_id,
    )


def _work(row: Row) -> Work:
    return Work(
        case_id=row["case_id"],
        card_reference=row["card_reference"],
        lot_id=row["lot_id"],
        ward=row["ward"],
        kind=CaseKind(row["kind"]),
        stage=Stage(row["stage"]),
        stage_since=row["stage_since"],
        held=row["held"],
        review_on=row["review_on"],
        site_id=row["site_id"],
        shelf_position=row["shelf_position"],
        expires_on=row["expires_on"],
        booked_at=row["booked_at"],
        needed_by=row["needed_by"],
        assigned_until=row["assigned_until"],
        rank=Rank(row["others"], row["rank_day"], row["stage_since"], row["case_id"]),
    )


# $1 operator, $2 now, $3 today, $4 near, $5 order, $6 task, $7 ward, $8 site
_WAITING = """
SELECT card.case_id, card_reference, lot_id, ward, kind, stage, stage_since, holds > 0 AS held,
       review.review_on, card.site_id, shelf_position, ends.expires_on,
       booking.starts_at AS booked_at, urgent.needed_by, mine.expires_at AS assigned_until,
       mine.case_id IS NULL AS others,
       coalesce(CASE $5::text WHEN 'urgency' THEN urgent.needed_by
                              WHEN 'expiry' THEN ends.expires_on
                              WHEN 'booking' THEN booked.booked_on END,
                '9999-01-01') AS rank_day
FROM card
LEFT JOIN assignment mine
    ON mine.case_id = card.case_id AND mine.operator = $1 AND mine.expires_at > $2
LEFT JOIN booking ON booking.case_id = card.case_id AND booking.state = 'booked'
LEFT JOIN LATERAL (SELECT min(review_on) AS review_on FROM card_hold
                   WHERE card_hold.case_id = card.case_id) AS review ON card.holds > 0
CROSS JOIN LATERAL (
    SELECT least(card_expires_on, old_card_expires_on) AS expires_on) AS ends
CROSS JOIN LATERAL (
    SELECT (booking.starts_at AT TIME ZONE 'Asia/Tokyo')::date AS booked_on) AS booked
CROSS JOIN LATERAL (
    SELECT least(booked.booked_on, CASE WHEN ends.expires_on <= $4 THEN ends.expires_on END)
           AS needed_by) AS urgent
WHERE stage IN ('received', 'inspected', 'registry_checked', 'preset', 'shelved')
  AND (holds = 0 OR review.review_on <= $3)
  AND ($6::text IS NULL OR $6 = CASE WHEN holds > 0 THEN 'review' WHEN stage = 'received'
       THEN 'inspected' WHEN stage = 'inspected' THEN 'registry_checked'
       WHEN stage = 'registry_checked' THEN 'preset' WHEN stage = 'preset' THEN 'shelved'
       ELSE 'notified' END)
  AND ($7::text IS NULL OR ward = $7) AND ($8::text IS NULL OR card.site_id = $8)
  AND NOT EXISTS (SELECT FROM assignment a WHERE a.case_id = card.case_id AND a.operator <> $1
                                             AND a.expires_at > $2)
"""
_PAGE_OF = "SELECT * FROM ("
_LISTED = f"""{_PAGE_OF}{_WAITING}) AS work
WHERE $9::bool IS NULL
   OR (others, rank_day, stage_since, case_id) > ($9, $10::date, $11::timestamptz, $12::uuid)
ORDER BY others, rank_day, stage_since, case_id LIMIT $13
"""
_LOCK_NEXT = f"""{_WAITING}  AND mine.case_id IS NULL
ORDER BY rank_day, stage_since, card.case_id LIMIT $9 FOR UPDATE OF card SKIP LOCKED
"""
_DESKTOPS = """
SELECT operator, stage, holds > 0 AS held, count(*) AS cards, min(assigned_at) AS since,
       min(expires_at) AS expires
FROM assignment JOIN card USING (case_id)
WHERE expires_at > $1
  AND stage IN ('received', 'inspected', 'registry_checked', 'preset', 'shelved')
GROUP BY 1, 2, 3
"""
