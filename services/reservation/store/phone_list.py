"""Whom staff have to call. One entry per case and cause, kept when it is done."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.reservation.domain.message import PhoneCall
from shared.db import Connection, plan_for_values
from shared.ids import BookingId, CaseId, SiteId

_ADD = """
INSERT INTO phone_entry (entry_id, case_id, booking_id, site_id, about, reason, facts, added_at)
SELECT entry_id, case_id, booking_id, site_id, about, reason, facts::jsonb, added_at
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::timestamptz[])
    AS c(entry_id, case_id, booking_id, site_id, about, reason, facts, added_at)
ORDER BY entry_id
ON CONFLICT (entry_id) DO NOTHING
"""
_PAGE = """
SELECT p.entry_id, p.case_id, p.booking_id, p.site_id, p.about, p.reason, p.added_at,
       (p.facts ->> 'starts_at')::timestamptz AS visit_at,
       (p.facts ->> 'answer_by')::timestamptz AS answer_by,
       c.contact_id, c.sealed_phone, c.sealed_email, c.language
FROM phone_entry p
LEFT JOIN case_contact cc USING (case_id)
LEFT JOIN contact c ON c.contact_id = cc.contact_id AND c.erased_at IS NULL
WHERE ($1::text IS NULL OR p.site_id = $1) AND p.done_at IS NULL
    AND ($2::timestamptz IS NULL OR (p.added_at, p.entry_id) > ($2, $3::uuid))
ORDER BY p.added_at, p.entry_id
LIMIT $4
"""
_OPEN = "SELECT count(*) FROM phone_entry WHERE done_at IS NULL"
_SITE = "SELECT site_id, case_id FROM phone_entry WHERE entry_id = $1"
_DONE = """
UPDATE phone_entry SET done_at = $2, outcome = $3 WHERE entry_id = $1 AND done_at IS NULL
RETURNING entry_id
"""
# Asked at every look at what is due, so the index of just these calls has to serve it
# (``phone_entry_not_signed_off``): what they are about stands here as it stands there.
_ENDED = """
UPDATE phone_entry SET done_at = $1, outcome = 'not_needed'
WHERE entry_id IN (
    SELECT p.entry_id FROM phone_entry p JOIN booking b USING (booking_id)
    WHERE p.done_at IS NULL AND p.about = 'not_signed_off' AND b.state <> 'active'
    ORDER BY p.entry_id LIMIT $2
    FOR UPDATE OF p SKIP LOCKED)
RETURNING entry_id
"""
# Entries of before the notice was written down here are about the first.
_SENT_AGAIN = """
UPDATE phone_entry SET done_at = s.at, outcome = 'not_needed'
FROM (
    SELECT p.entry_id, t.at
    FROM phone_entry p
    JOIN unnest($2::uuid[], $3::int[], $4::timestamptz[]) AS t(case_id, seq, at) USING (case_id)
    WHERE p.about = $1 AND p.done_at IS NULL
        AND coalesce((p.facts ->> 'notice_seq')::int, 1) < t.seq
    ORDER BY p.entry_id
    FOR UPDATE OF p
) AS s
WHERE phone_entry.entry_id = s.entry_id
"""
_NOT_NEEDED = """
UPDATE phone_entry SET done_at = $3, outcome = 'not_needed'
WHERE entry_id IN (
    SELECT p.entry_id FROM phone_entry p
    JOIN unnest($1::uuid[], $2::uuid[]) AS b(case_id, booking_id) USING (case_id, booking_id)
    WHERE p.about = $4 AND p.done_at IS NULL
    ORDER BY p.entry_id
    FOR UPDATE OF p)
RETURNING case_id
"""


@dataclass(frozen=True, slots=True)
class PhoneEntry:
    """One call to make, and what seals the way to make it."""

    entry_id: UUID
    case_id: CaseId
    booking_id: BookingId | None
    site_id: SiteId | None
    about: str
    reason: str
    added_at: datetime
    visit_at: datetime | None
    answer_by: datetime | None
    contact_id: UUID | None
    sealed_phone: bytes | None
    sealed_email: bytes | None
    language: str | None


async def add(conn: Connection, calls: Sequence[PhoneCall]) -> None:
    """Add calls; one that is there already stays as it is."""
    values = [
        (c.entry_id, c.case_id, c.booking_id, c.site_id, c.about, c.reason.value,
         json.dumps(dict(c.facts)), c.at)
        for c in calls
    ]  # fmt: skip
    await conn.execute(_ADD, *zip(*values, strict=True))


async def page(
    conn: Connection,
    site_id: SiteId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[PhoneEntry]:
    """Open calls in the order in which they came; of one site, or of all."""
    added_at, entry_id = after or (None, None)
    await plan_for_values(conn)
    rows = await conn.fetch(_PAGE, site_id, added_at, entry_id, limit)
    return [PhoneEntry(**dict(row)) for row in rows]


async def open_calls(conn: Connection) -> int:
    """How many calls wait."""
    found: int = await conn.fetchval(_OPEN)
    return found


async def site_of(conn: Connection, entry_id: UUID) -> tuple[SiteId | None, CaseId] | None:
    """The site and the case of an entry."""
    row = await conn.fetchrow(_SITE, entry_id)
    return (row["site_id"], row["case_id"]) if row else None


async def done(conn: Connection, entry_id: UUID, at: datetime, outcome: str) -> bool:
    """Close an entry; false where it was closed before."""
    return await conn.fetchval(_DONE, entry_id, at, outcome) is not None


async def signed_off(conn: Connection, at: datetime, limit: int) -> int:
    """Take calls about visits without sign-off off whose booking has ended meanwhile; how many."""
    return len(await conn.fetch(_ENDED, at, limit))


async def sent_again(
    conn: Connection, about: str, sent: Sequence[tuple[CaseId, int, datetime]]
) -> None:
    """A later notice has gone out to these cases: calls about earlier ones are off the list."""
    if sent:
        await conn.execute(_SENT_AGAIN, about, *zip(*sent, strict=True))


async def settled(
    conn: Connection,
    told: Sequence[tuple[CaseId, BookingId]],
    at: datetime,
    about: str = "alternative",
) -> set[CaseId]:
    """Nobody need be called any more about this for these bookings; who was to be."""
    if not told:
        return set()
    rows = await conn.fetch(_NOT_NEEDED, *zip(*told, strict=True), at, about)
    return {CaseId(row["case_id"]) for row in rows}
