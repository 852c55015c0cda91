"""Messages on their way out: taken under a lease, then settled, or left for another try.

Leases and waits between tries are real time (the database's clock), so that replayed business time
neither hurries nor holds back the post.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.reservation.domain.message import Kind, MessageState
from shared.db import Connection, Row
from shared.ids import BookingId, CaseId, SiteId

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
_BOOKINGS = """
SELECT booking_id, version, state = 'active' AS active, starts_at
FROM booking WHERE booking_id = ANY($1::uuid[])
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


async def bookings_now(conn: Connection, ids: Sequence[BookingId]) -> dict[BookingId, Now]:
    """How the bookings are now that messages were written about."""
    rows = await conn.fetch(_BOOKINGS, ids)
    return {
        BookingId(row["booking_id"]): Now(row["version"], row["active"], row["starts_at"])
        for row in rows
    }


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
