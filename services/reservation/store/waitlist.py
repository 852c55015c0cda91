"""The waiting list. One place per case and one open offer per party are unique indexes.

An entry is locked after the cases of its party and before any hold or cell.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.reservation.domain.waitlist import (
    AlreadyWaiting,
    Entry,
    EntryId,
    EntryState,
    Offer,
    OfferState,
)
from shared.contracts.base import Procedure
from shared.db import Connection, Row
from shared.ids import CaseId, OfferId, SiteId

_COLUMNS = """
e.entry_id, e.case_ids, e.site_ids, e.procedure, e.first_day, e.last_day, e.made_at, e.offers,
e.state
"""
_LAST_OFFER = """
LEFT JOIN LATERAL (
    SELECT offer_id, site_id, starts_at, expires_at, state FROM waitlist_offer
    WHERE entry_id = e.entry_id ORDER BY expires_at DESC, offer_id DESC LIMIT 1
) AS o ON true
"""
_WITH_OFFER = f"""
SELECT {_COLUMNS}, o.offer_id, o.site_id AS offer_site_id, o.starts_at AS offer_starts_at,
       o.expires_at AS offer_expires_at, o.state AS offer_state
FROM waitlist_entry e {_LAST_OFFER}
"""  # noqa: S608  only our column list
_READ = _WITH_OFFER + " WHERE e.entry_id = $1"
_LOCK = "SELECT FROM waitlist_entry WHERE entry_id = $1 FOR UPDATE"
_OF_CASES = f"""
{_WITH_OFFER}
WHERE e.entry_id IN (SELECT entry_id FROM waitlist_case WHERE case_id = ANY($1::uuid[]))
ORDER BY e.made_at, e.entry_id
"""  # noqa: S608
_PAGE = f"""
{_WITH_OFFER}
WHERE e.state IN ('waiting', 'offered') AND e.site_ids && ARRAY[$1::text]
    AND ($2::timestamptz IS NULL OR (e.made_at, e.entry_id) > ($2, $3::uuid))
ORDER BY e.made_at, e.entry_id
LIMIT $4
"""
_INSERT = """
WITH entry AS (
    INSERT INTO waitlist_entry (entry_id, case_ids, site_ids, procedure, first_day, last_day,
                                made_at, changed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
)
INSERT INTO waitlist_case (case_id, entry_id)
SELECT case_id, $1 FROM unnest($2::uuid[]) AS c(case_id) ORDER BY case_id
"""
_PUT_STATE = "UPDATE waitlist_entry SET state = $2, changed_at = $3 WHERE entry_id = $1"
_LEAVE = "DELETE FROM waitlist_case WHERE entry_id = $1"
_ANYBODY = """
SELECT EXISTS (
    SELECT FROM waitlist_entry WHERE state = 'waiting' AND site_ids && $1::text[]
)
"""
_WAITED_FOR = """
SELECT day::date AS day, sum(cardinality(e.case_ids))::int AS cases
FROM waitlist_entry e
CROSS JOIN LATERAL generate_series(
    greatest(e.first_day, $2)::timestamp, least(e.last_day, $3)::timestamp, '1 day') AS g(day)
WHERE e.state = 'waiting' AND e.site_ids && ARRAY[$1::text]
GROUP BY day
"""
_WAITED_SITES = """
SELECT DISTINCT unnest(site_ids) AS site_id FROM waitlist_entry WHERE state = 'waiting'
ORDER BY site_id
"""
_IN_ORDER = f"""
SELECT {_COLUMNS} FROM waitlist_entry e
WHERE e.state = 'waiting' AND e.site_ids && ARRAY[$1::text]
    AND e.first_day <= $2 AND e.last_day >= $2
    AND (e.offers, e.made_at, e.entry_id) > ($3, $4, $5)
ORDER BY e.offers, e.made_at, e.entry_id
LIMIT $6
"""  # noqa: S608
_OFFERED = """
SELECT entry_id, starts_at FROM waitlist_offer WHERE entry_id = ANY($1::uuid[]) AND site_id = $2
"""
_OFFER = """
WITH offer AS (
    INSERT INTO waitlist_offer (offer_id, entry_id, site_id, starts_at, expires_at)
    VALUES ($1, $2, $3, $4, $5)
)
UPDATE waitlist_entry SET state = 'offered', offers = offers + 1, changed_at = $6
WHERE entry_id = $2
"""
_END_OFFER = "UPDATE waitlist_offer SET state = $2 WHERE offer_id = $1"
_LAPSE = """
WITH over AS (
    SELECT o.offer_id FROM waitlist_offer o JOIN waitlist_entry e USING (entry_id)
    WHERE o.state = 'open' AND o.expires_at <= $1
    ORDER BY o.expires_at LIMIT $2
    FOR UPDATE OF e SKIP LOCKED
), lapsed AS (
    UPDATE waitlist_offer o SET state = 'lapsed' FROM over
    WHERE o.offer_id = over.offer_id AND o.state = 'open'
    RETURNING o.offer_id, o.entry_id
), holds AS (
    UPDATE hold SET state = 'lapsed' FROM lapsed
    WHERE hold.hold_id = lapsed.offer_id AND hold.state = 'held'
)
UPDATE waitlist_entry e SET state = 'waiting', changed_at = $1 FROM lapsed
WHERE e.entry_id = lapsed.entry_id AND e.state = 'offered'
RETURNING e.entry_id, e.case_ids
"""
_END = """
WITH over AS (
    SELECT e.entry_id FROM waitlist_entry e
    WHERE e.state = 'waiting' AND (e.last_day < $1 OR EXISTS (
        SELECT FROM case_facts f WHERE f.case_id = ANY(e.case_ids)
            AND (f.voided_at IS NOT NULL OR f.disposal_due_at IS NOT NULL
                 OR f.done_at IS NOT NULL)))
    ORDER BY e.last_day LIMIT $3
    FOR UPDATE SKIP LOCKED
), places AS (
    DELETE FROM waitlist_case c USING over WHERE c.entry_id = over.entry_id
)
UPDATE waitlist_entry e SET state = 'ended', changed_at = $2 FROM over
WHERE e.entry_id = over.entry_id
RETURNING e.entry_id, e.case_ids
"""


async def insert(conn: Connection, entry: Entry) -> None:
    """Give a party a place. Raises ``AlreadyWaiting`` where a case has one."""
    values = (
        entry.entry_id, entry.case_ids, entry.site_ids, entry.procedure.value, entry.first_day,
        entry.last_day, entry.made_at,
    )  # fmt: skip
    try:
        await conn.execute(_INSERT, *values)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "waitlist_case_pkey":
            raise
        raise AlreadyWaiting from None


async def read(conn: Connection, entry_id: EntryId) -> Entry | None:
    """The place with its last offer, or none."""
    row = await conn.fetchrow(_READ, entry_id)
    return _entry(row) if row else None


async def lock(conn: Connection, entry_id: EntryId) -> Entry | None:
    """The place as it is once it is locked; after the cases of its party."""
    await conn.execute(_LOCK, entry_id)
    return await read(conn, entry_id)


async def of_cases(conn: Connection, case_ids: Sequence[CaseId]) -> list[Entry]:
    """The places that cases have now."""
    return [_entry(row) for row in await conn.fetch(_OF_CASES, case_ids)]


async def page(
    conn: Connection, site_id: SiteId, after: tuple[datetime, UUID] | None, limit: int
) -> list[Entry]:
    """Who waits for a site, the longest first; up to ``limit`` after (made_at, entry_id)."""
    made_at, entry_id = after or (None, None)
    return [_entry(row) for row in await conn.fetch(_PAGE, site_id, made_at, entry_id, limit)]


async def put_state(conn: Connection, entry_id: EntryId, state: EntryState, now: datetime) -> None:
    """A locked entry stands like this; one that is over frees its cases for another place."""
    await conn.execute(_PUT_STATE, entry_id, state.value, now)
    if state not in (EntryState.WAITING, EntryState.OFFERED):
        await conn.execute(_LEAVE, entry_id)


async def anybody_waits(conn: Connection, site_ids: Sequence[SiteId]) -> bool:
    """Whether anybody waits for a seat at one of the sites."""
    found: bool = await conn.fetchval(_ANYBODY, site_ids)
    return found


async def waited_for(conn: Connection, site_id: SiteId, first: date, last: date) -> dict[date, int]:
    """How many cases wait for a seat at the site, by day."""
    rows = await conn.fetch(_WAITED_FOR, site_id, first, last)
    return {row["day"]: row["cases"] for row in rows}


async def waited_sites(conn: Connection) -> list[SiteId]:
    """The sites that somebody waits for, by id."""
    return [SiteId(row["site_id"]) for row in await conn.fetch(_WAITED_SITES)]


async def in_order(
    conn: Connection, site_id: SiteId, day: date, after: Entry | None, limit: int
) -> list[Entry]:
    """Up to ``limit`` who wait for this site and day, in fair order after ``after``."""
    start = (after.offers, after.made_at, after.entry_id) if after else _FIRST
    return [_entry(row) for row in await conn.fetch(_IN_ORDER, site_id, day, *start, limit)]


async def offered(
    conn: Connection, entry_ids: Sequence[EntryId], site_id: SiteId
) -> set[tuple[EntryId, datetime]]:
    """Which starts at a site have been offered to whom."""
    rows = await conn.fetch(_OFFERED, entry_ids, site_id)
    return {(EntryId(row["entry_id"]), row["starts_at"]) for row in rows}


async def offer(conn: Connection, made: Offer, now: datetime) -> None:
    """Store an offer to a locked entry that is waiting."""
    values = (made.offer_id, made.entry_id, made.site_id, made.starts_at, made.expires_at)
    await conn.execute(_OFFER, *values, now)


async def end_offer(conn: Connection, offer_id: OfferId, state: OfferState) -> None:
    """An offer of a locked entry has ended like this."""
    await conn.execute(_END_OFFER, offer_id, state.value)


async def lapse(conn: Connection, now: datetime, limit: int) -> list[tuple[EntryId, list[CaseId]]]:
    """Let up to ``limit`` unanswered offers lapse; their parties wait on."""
    rows = await conn.fetch(_LAPSE, now, limit)
    return [(EntryId(row["entry_id"]), row["case_ids"]) for row in rows]


async def end(
    conn: Connection, today: date, now: datetime, limit: int
) -> list[tuple[EntryId, list[CaseId]]]:
    """End up to ``limit`` places whose days, or one of whose cases, are over."""
    rows = await conn.fetch(_END, today, now, limit)
    return [(EntryId(row["entry_id"]), row["case_ids"]) for row in rows]


_FIRST = (-1, datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


def _entry(row: Row) -> Entry:
    values = dict(row)
    return Entry(
        entry_id=EntryId(values["entry_id"]),
        case_ids=tuple(CaseId(one) for one in values["case_ids"]),
        site_ids=tuple(SiteId(one) for one in values["site_ids"]),
        procedure=Procedure(values["procedure"]),
        first_day=values["first_day"],
        last_day=values["last_day"],
        made_at=values["made_at"],
        offers=values["offers"],
        state=EntryState(values["state"]),
        offer=_offer(values),
    )


def _offer(values: Mapping[str, Any]) -> Offer | None:
    if values.get("offer_id") is None:
        return None
    return Offer(
        offer_id=OfferId(values["offer_id"]),
        entry_id=EntryId(values["entry_id"]),
        site_id=SiteId(values["offer_site_id"]),
        starts_at=values["offer_starts_at"],
        expires_at=values["offer_expires_at"],
        state=OfferState(values["offer_state"]),
    )
