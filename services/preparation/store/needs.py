"""Which cards are needed elsewhere, derived from bookings and sites whenever it is asked: what
was booked, moved or cancelled a moment ago is already in it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.preparation.domain.stages import Stage
from services.preparation.domain.transfers import LineState
from shared.db import Connection
from shared.ids import BatchId, CaseId, SiteId, WardCode


@dataclass(frozen=True, slots=True)
class Need:
    """A card that has to leave a site: for a booking elsewhere, else because the site closes."""

    case_id: CaseId
    card_reference: str
    ward: WardCode
    shelf_position: str
    booked_site_id: SiteId | None
    starts_at: datetime | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Pick:
    """A visitor of the day; ``card_site_id`` is where the card lies, None while it travels.

    ``at_counter`` while the citizen is served: the card was fetched before.
    """

    case_id: CaseId
    card_reference: str
    starts_at: datetime
    card_site_id: SiteId | None
    shelf_position: str | None
    held: bool
    at_counter: bool


PickKey = tuple[bool, str, CaseId]
"""Whether a card is elsewhere, its position (empty while it travels), and its case."""


@dataclass(frozen=True, slots=True)
class Expiring:
    """A card whose citizen should come soon, with a booking or without.

    ``ends_on`` is the last day of the card, or of the one it replaces where that ends first.
    """

    case_id: CaseId
    card_reference: str
    ward: WardCode
    shelf_position: str
    stage: Stage
    ends_on: date
    card_expires_on: date
    booked_at: datetime | None


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A booking whose card is not where it is expected; ``about`` names booking, site and time."""

    case_id: CaseId
    booking_id: UUID
    site_id: SiteId
    starts_at: datetime
    transfer_id: BatchId | None
    line: LineState | None
    held: bool
    about: str


async def leaving(
    conn: Connection,
    site_id: SiteId,
    now: datetime,
    after: tuple[datetime | None, str] | None,
    limit: int,
) -> Sequence[Need]:
    """Cards that have to leave a site, those needed first elsewhere first, after one.

    A card whose citizen comes to this very site stays until then.
    """
    starts_at, position = after or (None, None)
    rows = await conn.fetch(_LEAVING, site_id, now, limit, starts_at, position)
    return [Need(**row) for row in rows]


async def expected(
    conn: Connection,
    site_id: SiteId,
    span: tuple[datetime, datetime],
    *,
    now: datetime,
    after: PickKey | None,
    limit: int,
) -> Sequence[Pick]:
    """The cards of visitors of a site in a span of time, in the order of its shelves, after one."""
    key = after or (None, None, None)
    rows = await conn.fetch(_EXPECTED, site_id, *span, now, *key, limit)
    return [Pick(**row) for row in rows]


async def near_expiry(
    conn: Connection,
    site_id: SiteId,
    *,
    now: datetime,
    days: tuple[date, date],
    after: tuple[date, str] | None,
    limit: int,
) -> Sequence[Expiring]:
    """Cards on the shelves of a site that end, or whose predecessor ends, by the last of ``days``
    and are still valid on the first; after one.
    """
    ends_on, position = after or (None, None)
    rows = await conn.fetch(_NEAR_EXPIRY, site_id, now, *days, limit, ends_on, position)
    return [Expiring(**{**row, "stage": Stage(row["stage"])}) for row in rows]


async def at_risk(conn: Connection, now: datetime, until: datetime, limit: int) -> Sequence[AtRisk]:
    """Bookings before ``until`` whose cards are elsewhere and that were not told of; their cards
    are locked, those that somebody works on are left out.
    """
    rows = await conn.fetch(_AT_RISK, now, until, limit)
    return [
        AtRisk(**{**row, "line": LineState(row["line"]) if row["line"] else None}) for row in rows
    ]


async def failed(
    conn: Connection,
    case_ids: Collection[CaseId],
    about: Sequence[str],
    reason: Sequence[str],
    at: datetime,
) -> set[CaseId]:
    """Remember what is told; returns the cases for which it had not been."""
    rows = await conn.fetch(_FAILED, list(case_ids), list(about), list(reason), at)
    return {row["case_id"] for row in rows}


_LEAVING = """
SELECT card.case_id, card_reference, card.ward, shelf_position,
       booking.site_id AS booked_site_id, booking.starts_at,
       CASE WHEN site.state IN ('winding_down', 'closed') THEN site.last_day END AS last_day
FROM card
LEFT JOIN booking ON booking.case_id = card.case_id AND booking.state = 'booked'
                 AND booking.starts_at > $2 AND card.stage IN ('shelved', 'notified')
LEFT JOIN site ON site.site_id = card.site_id
WHERE card.site_id = $1 AND NOT at_counter(card.case_id, $2)
  AND CASE WHEN booking.site_id IS NULL THEN site.state IN ('winding_down', 'closed')
           ELSE booking.site_id <> $1
                AND (card.holds = 0 OR site.state IN ('winding_down', 'closed')) END
  AND ($5::text IS NULL
       OR (coalesce(booking.starts_at, 'infinity'), shelf_position)
          > (coalesce($4::timestamptz, 'infinity'), $5))
ORDER BY booking.starts_at NULLS LAST, shelf_position LIMIT $3
"""
_EXPECTED = """
SELECT booking.case_id, card_reference, booking.starts_at, card.site_id AS card_site_id,
       card.shelf_position, card.holds > 0 AS held, at_counter(card.case_id, $4) AS at_counter
FROM booking JOIN card USING (case_id)
WHERE booking.state = 'booked' AND booking.site_id = $1
  AND booking.starts_at >= $2 AND booking.starts_at < $3
  AND card.stage IN ('shelved', 'notified')
  AND ($5::boolean IS NULL
       OR (card.site_id IS DISTINCT FROM $1, coalesce(shelf_position, ''), card.case_id)
          > ($5, $6::text, $7::uuid))
ORDER BY card.site_id IS DISTINCT FROM $1, coalesce(shelf_position, ''), card.case_id LIMIT $8
"""
_NEAR_EXPIRY = """
SELECT card.case_id, card_reference, ward, shelf_position, stage, ends_on, card_expires_on,
       booking.starts_at AS booked_at
FROM card
CROSS JOIN LATERAL (SELECT least(card_expires_on, old_card_expires_on) AS ends_on) AS which
LEFT JOIN booking ON booking.case_id = card.case_id AND booking.state = 'booked'
                 AND booking.starts_at > $2
WHERE card.site_id = $1 AND stage IN ('shelved', 'notified') AND holds = 0
  AND card_expires_on >= $3 AND ends_on <= $4
  AND ($6::date IS NULL OR (ends_on, shelf_position) > ($6, $7::text))
ORDER BY ends_on, shelf_position LIMIT $5
"""
# The bookings of the time first, then their cards by key: asked at once, in the order of the cases,
# every booking there ever was is read, and it is asked at every look at what is due.
_AT_RISK = """
WITH soon AS MATERIALIZED (
    SELECT case_id, booking_id, site_id, starts_at,
           concat_ws(' ', booking_id, site_id, extract(epoch FROM starts_at)::bigint) AS about
    FROM booking WHERE state = 'booked' AND starts_at > $1 AND starts_at < $2
)
SELECT card.case_id, soon.booking_id, soon.site_id, soon.starts_at, card.transfer_id,
       line.state AS line, card.holds > 0 AS held, soon.about
FROM card JOIN soon USING (case_id)
LEFT JOIN transfer_card line ON line.transfer_id = card.transfer_id
                            AND line.case_id = card.case_id
WHERE card.case_id = ANY(ARRAY(SELECT case_id FROM soon))
  AND card.stage IN ('shelved', 'notified') AND card.site_id IS DISTINCT FROM soon.site_id
  AND NOT EXISTS (SELECT FROM transfer_failure f
                  WHERE f.case_id = card.case_id AND f.about = soon.about)
ORDER BY card.case_id LIMIT $3 FOR UPDATE OF card SKIP LOCKED
"""
_FAILED = """
INSERT INTO transfer_failure (case_id, about, reason, failed_at)
SELECT case_id, about, reason, $4
FROM unnest($1::uuid[], $2::text[], $3::text[]) AS told(case_id, about, reason)
ORDER BY case_id ON CONFLICT DO NOTHING RETURNING case_id
"""
