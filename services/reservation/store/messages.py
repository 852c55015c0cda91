"""The message log. One row per message; ``dedupe_key`` is what keeps a second from being written.

Leases and waits between tries are real time (the database's clock), so that replayed business time
neither hurries nor holds back the post.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.reservation.domain.message import Kind, MessageState, Note, Notes
from shared.db import Connection, Row
from shared.ids import BookingId, CaseId, SiteId, derived_id

# An own doing without an address is dropped; news of the city without one goes to the phone list.
_WRITE = """
WITH told AS (
    SELECT n.*, c.contact_id IS NOT NULL AS reachable
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[],
                $7::text[], $8::timestamptz[], $9::boolean[], $10::uuid[])
        AS n(message_id, dedupe_key, kind, case_id, booking_id, site_id, facts, at, by_city,
             entry_id)
    LEFT JOIN case_contact cc USING (case_id)
    LEFT JOIN contact c ON c.contact_id = cc.contact_id AND c.verified_at IS NOT NULL
        AND c.sealed_email IS NOT NULL
    WHERE n.by_city OR c.contact_id IS NOT NULL
), made AS (
    INSERT INTO message (message_id, dedupe_key, kind, case_id, booking_id, site_id, facts,
                         created_at, state, reason, settled_at)
    SELECT message_id, dedupe_key, kind, case_id, booking_id, site_id, facts::jsonb, at,
           CASE WHEN reachable THEN 'waiting' ELSE 'not_possible' END,
           CASE WHEN reachable THEN NULL ELSE 'no_contact' END,
           CASE WHEN reachable THEN NULL ELSE at END
    FROM told
    ORDER BY dedupe_key
    ON CONFLICT (dedupe_key) DO NOTHING
), listed AS (
    INSERT INTO phone_entry (entry_id, case_id, booking_id, site_id, about, reason, facts,
                             added_at)
    SELECT entry_id, case_id, booking_id, site_id, kind, 'no_contact', facts::jsonb, at
    FROM told WHERE NOT reachable
    ORDER BY entry_id
    ON CONFLICT (entry_id) DO NOTHING
)
SELECT case_id FROM told WHERE NOT reachable
"""
_REACHABLE = """
SELECT cc.case_id FROM case_contact cc JOIN contact c USING (contact_id)
WHERE cc.case_id = ANY($1::uuid[]) AND c.verified_at IS NOT NULL AND c.sealed_email IS NOT NULL
"""
_WRITE_CODE = """
INSERT INTO message (message_id, dedupe_key, kind, case_id, request_id, facts, created_at)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)
ON CONFLICT (dedupe_key) DO NOTHING
"""
# Materialized, so that no plan runs it twice and takes more than the limit.
_TAKE = """
WITH due AS MATERIALIZED (
    SELECT message_id FROM message
    WHERE state = 'waiting' AND (not_before IS NULL OR not_before <= clock_timestamp())
        AND (taken_until IS NULL OR taken_until <= clock_timestamp())
    ORDER BY created_at, message_id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE message m SET taken_until = clock_timestamp() + $2, tries = tries + 1
FROM due
WHERE m.message_id = due.message_id
RETURNING m.message_id, m.kind, m.case_id, m.booking_id, m.site_id, m.request_id, m.facts,
          m.tries, m.created_at
"""
# Only who still holds the lease settles; a row taken over by another process is left to it.
_SETTLE = """
UPDATE message m SET state = s.state, reason = s.reason, settled_at = s.at, taken_until = NULL
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::timestamptz[])
    AS s(message_id, tries, state, reason, at)
WHERE m.message_id = s.message_id AND m.state = 'waiting' AND m.tries = s.tries
RETURNING m.message_id, m.kind, m.case_id, m.booking_id, m.site_id, m.state, m.facts
"""
_LATER = """
UPDATE message m SET reason = l.reason, not_before = clock_timestamp() + l.wait,
    taken_until = NULL, tries = m.tries - CASE WHEN l.counts THEN 0 ELSE 1 END
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::interval[], $5::boolean[])
    AS l(message_id, tries, reason, wait, counts)
WHERE m.message_id = l.message_id AND m.state = 'waiting' AND m.tries = l.tries
"""
_BOUNCED = """
UPDATE message SET state = 'bounced', reason = $3, settled_at = $2
WHERE message_id = $1 AND state IN ('sent', 'waiting')
RETURNING message_id, kind, case_id, booking_id, site_id, state, facts
"""
_READ = """
SELECT message_id, kind, case_id, booking_id, site_id, state, reason, tries, created_at, settled_at
FROM message WHERE message_id = $1
"""
_PAGE = """
SELECT message_id, kind, case_id, booking_id, site_id, state, reason, tries, created_at, settled_at
FROM message
WHERE ($1::text IS NULL OR site_id = $1) AND ($2::text IS NULL OR state = $2)
    AND ($3::uuid IS NULL OR case_id = $3)
    AND ($4::timestamptz IS NULL OR (created_at, message_id) > ($4, $5::uuid))
ORDER BY created_at, message_id
LIMIT $6
"""
_BOOKINGS = """
SELECT booking_id, version, state = 'active' AS active, starts_at
FROM booking WHERE booking_id = ANY($1::uuid[])
"""
_TO_REMIND = """
SELECT b.booking_id, b.case_id, b.site_id, b.starts_at, b.minutes, b.procedure, b.version
FROM booking b
JOIN case_contact cc USING (case_id)
JOIN contact c ON c.contact_id = cc.contact_id AND c.verified_at IS NOT NULL
    AND c.sealed_email IS NOT NULL
WHERE b.state = 'active' AND b.site_id = ANY(SELECT site_id FROM site)
    AND b.starts_at >= $1 AND b.starts_at < $2 AND b.changed_at < $3
    AND NOT EXISTS (
        SELECT FROM displaced d WHERE d.booking_id = b.booking_id AND d.ended_at IS NULL)
    AND NOT EXISTS (
        SELECT FROM message m WHERE m.dedupe_key =
            'reminder:' || b.case_id || ':' || b.booking_id || ':' || b.version)
ORDER BY b.starts_at, b.booking_id
LIMIT $4
"""
_FORGET = """
UPDATE message SET state = 'not_possible', reason = 'erased', settled_at = $2, taken_until = NULL
WHERE case_id = ANY($1::uuid[]) AND state = 'waiting'
"""
_WAITING = """
SELECT count(*) AS waiting, min(created_at) AS oldest FROM message WHERE state = 'waiting'
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message whose turn it is; ``tries`` counts this one."""

    message_id: UUID
    kind: Kind
    case_id: CaseId | None
    booking_id: BookingId | None
    site_id: SiteId | None
    request_id: UUID | None
    facts: Mapping[str, Any]
    tries: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Now:
    """A booking as it is now."""

    version: int
    active: bool
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit to remind of."""

    booking_id: BookingId
    case_id: CaseId
    site_id: SiteId
    starts_at: datetime
    minutes: int
    procedure: str
    version: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a taken message."""

    message_id: UUID
    tries: int
    state: MessageState
    reason: str | None


@dataclass(frozen=True, slots=True)
class Later:
    """A taken message that waits for another try; ``counts``: this one used one up."""

    message_id: UUID
    tries: int
    reason: str
    wait: timedelta
    counts: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """A message that has come to an end."""

    message_id: UUID
    kind: Kind
    case_id: CaseId | None
    booking_id: BookingId | None
    site_id: SiteId | None
    state: MessageState
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Logged:
    """A message as the log shows it."""

    message_id: UUID
    kind: Kind
    case_id: CaseId | None
    booking_id: BookingId | None
    site_id: SiteId | None
    state: MessageState
    reason: str | None
    tries: int
    created_at: datetime
    settled_at: datetime | None


async def write(conn: Connection, notes: Notes) -> set[CaseId]:
    """Write what is told, and list for a call what cannot be; the cases that cannot."""
    by_key = {note.key: note for note in await _worth_writing(conn, notes)}
    if not by_key:
        return set()
    values = [
        (n.message_id, n.key, n.kind.value, n.case_id, n.booking_id, n.site_id,
         json.dumps(dict(n.facts)), n.at, n.by_city, derived_id("phone", n.case_id, n.key))
        for n in by_key.values()
    ]  # fmt: skip
    rows = await conn.fetch(_WRITE, *zip(*values, strict=True))
    return {CaseId(row["case_id"]) for row in rows}


async def _worth_writing(conn: Connection, notes: Notes) -> Sequence[Note]:
    """Those that somebody will hear of; working out the others would be most of the work."""
    own = [note.case_id for note in notes if not note.by_city]
    rows = await conn.fetch(_REACHABLE, own) if own else ()
    reachable = {row["case_id"] for row in rows}
    return [note for note in notes if note.by_city or note.case_id in reachable]


async def write_code(
    conn: Connection,
    kind: Kind,
    ref: UUID,
    at: datetime,
    *,
    case_id: CaseId | None = None,
) -> None:
    """Write a message that carries a code: ``ref`` is the request or contact it belongs to."""
    key = f"{kind}:{ref}"
    request_id = ref if kind is Kind.LOGIN_CODE else None
    facts = json.dumps({"ref": str(ref)})
    await conn.execute(
        _WRITE_CODE, derived_id("message", key), key, kind.value, case_id, request_id, facts, at
    )


async def take(conn: Connection, limit: int, lease: timedelta) -> list[Taken]:
    """Take up to ``limit`` waiting messages for ``lease``, oldest first; others pass them by."""
    rows = await conn.fetch(_TAKE, limit, lease)
    taken = [_taken(row) for row in rows]
    return sorted(taken, key=lambda one: (one.created_at, one.message_id))


async def settle(conn: Connection, ends: Sequence[Settled], at: datetime) -> list[Ended]:
    """Record ends of taken messages; those that were still ours to settle."""
    if not ends:
        return []
    values = [(e.message_id, e.tries, e.state.value, e.reason, at) for e in ends]
    return [_ended(row) for row in await conn.fetch(_SETTLE, *zip(*values, strict=True))]


async def later(conn: Connection, waits: Sequence[Later]) -> None:
    """Let taken messages wait for another try."""
    if waits:
        values = [(w.message_id, w.tries, w.reason, w.wait, w.counts) for w in waits]
        await conn.execute(_LATER, *zip(*values, strict=True))


async def bounced(conn: Connection, message_id: UUID, at: datetime, reason: str) -> Ended | None:
    """Record that a message came back; none where that is known, or it was never sent."""
    row = await conn.fetchrow(_BOUNCED, message_id, at, reason)
    return _ended(row) if row else None


async def read(conn: Connection, message_id: UUID) -> Logged | None:
    """One message of the log."""
    row = await conn.fetchrow(_READ, message_id)
    return _logged(row) if row else None


async def page(
    conn: Connection,
    *,
    site_id: SiteId | None,
    state: MessageState | None,
    case_id: CaseId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Logged]:
    """The log in the order in which it was written."""
    created_at, message_id = after or (None, None)
    rows = await conn.fetch(_PAGE, site_id, state, case_id, created_at, message_id, limit)
    return [_logged(row) for row in rows]


async def bookings_now(conn: Connection, ids: Sequence[BookingId]) -> dict[BookingId, Now]:
    """How the bookings are now that messages were written about."""
    rows = await conn.fetch(_BOOKINGS, ids)
    return {
        BookingId(row["booking_id"]): Now(row["version"], row["active"], row["starts_at"])
        for row in rows
    }


async def to_remind(
    conn: Connection, start: datetime, end: datetime, changed_before: datetime, limit: int
) -> list[Visit]:
    """Visits from ``start`` to before ``end`` whose citizens can be and were not reminded."""
    rows = await conn.fetch(_TO_REMIND, start, end, changed_before, limit)
    return [Visit(**dict(row)) for row in rows]


async def forget(conn: Connection, case_ids: Sequence[CaseId], at: datetime) -> None:
    """Let nothing more go out about cases whose contact is erased."""
    await conn.execute(_FORGET, case_ids, at)


async def waiting(conn: Connection) -> tuple[int, datetime | None]:
    """How many wait, and since when the oldest does."""
    row = await conn.fetchrow(_WAITING)
    return (row["waiting"], row["oldest"]) if row else (0, None)


def _taken(row: Row) -> Taken:
    values = dict(row)
    return Taken(**values | {"kind": Kind(values["kind"]), "facts": json.loads(values["facts"])})


def _ended(row: Row) -> Ended:
    values = dict(row)
    own = {"kind": Kind(values["kind"]), "state": MessageState(values["state"])}
    return Ended(**values | own | {"facts": json.loads(values["facts"])})


def _logged(row: Row) -> Logged:
    values = dict(row)
    own = {"kind": Kind(values["kind"]), "state": MessageState(values["state"])}
    return Logged(**values | own)
