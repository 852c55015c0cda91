"""The message log: what is written, and read. One row per message; ``dedupe_key`` is what keeps a
second from being written.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.reservation.domain.message import Kind, MessageState, Note, Notes
from shared.db import Connection, Row, plan_for_values
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
_FORGET = """
UPDATE message SET state = 'not_possible', reason = 'erased', settled_at = $2, taken_until = NULL
WHERE case_id = ANY($1::uuid[]) AND state = 'waiting'
"""


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
    await plan_for_values(conn)
    rows = await conn.fetch(_PAGE, site_id, state, case_id, created_at, message_id, limit)
    return [_logged(row) for row in rows]


async def forget(conn: Connection, case_ids: Sequence[CaseId], at: datetime) -> None:
    """Let nothing more go out about cases whose contact is erased."""
    await conn.execute(_FORGET, case_ids, at)


def _logged(row: Row) -> Logged:
    values = dict(row)
    own = {"kind": Kind(values["kind"]), "state": MessageState(values["state"])}
    return Logged(**values | own)
