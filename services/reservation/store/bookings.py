"""Bookings. The caller holds the lock of the case of every booking it writes.

One active booking per case is a unique index; nothing here looks first.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import asyncpg

from services.reservation.domain.booking import AlreadyBooked, Booking, BookingState
from shared.contracts.base import Procedure
from shared.contracts.reservation import CancelReason
from shared.db import Connection, Row
from shared.ids import BookingId, CaseId, PartyId, SiteId

_COLUMNS = """
booking_id, case_id, party_id, site_id, starts_at, minutes, procedure, card_site_id, state,
reason, version
"""
_READ = f"SELECT {_COLUMNS} FROM booking WHERE booking_id = $1"  # noqa: S608  our column list
_READ_ALL = f"""
SELECT {_COLUMNS} FROM booking WHERE booking_id = ANY($1::uuid[])
"""  # noqa: S608
_ACTIVE = f"""
SELECT {_COLUMNS} FROM booking WHERE case_id = ANY($1::uuid[]) AND state = 'active'
ORDER BY case_id
"""  # noqa: S608
_UNSERVED = f"""
SELECT {_COLUMNS} FROM booking
WHERE booking_id = ANY($1::uuid[]) AND state IN ('active', 'missed')
ORDER BY case_id
"""  # noqa: S608
_STANDING = f"""
SELECT {_COLUMNS} FROM booking WHERE state = 'active' AND booking_id IN (
    SELECT b.booking_id FROM booking AS b
    JOIN unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS t(case_id, site_id, at)
        ON b.case_id = t.case_id AND b.site_id = t.site_id
    WHERE b.state = 'active' AND b.changed_at <= t.at AND b.starts_at > t.at)
ORDER BY case_id
"""  # noqa: S608
# Sites are named so that the index of a day is used.
_UNSIGNED = f"""
SELECT {_COLUMNS} FROM booking
WHERE state = 'active' AND site_id = ANY(SELECT site_id FROM site) AND starts_at < $1
    AND NOT EXISTS (
        SELECT FROM phone_entry p
        WHERE p.case_id = booking.case_id AND p.booking_id = booking.booking_id AND p.about = $2)
ORDER BY starts_at, booking_id LIMIT $3
"""  # noqa: S608
_OF_PARTIES = f"""
SELECT {_COLUMNS} FROM booking WHERE party_id = ANY($1::uuid[]) ORDER BY booking_id
"""  # noqa: S608
_OF_PARTY = f"""
SELECT {_COLUMNS} FROM booking WHERE party_id = $1 ORDER BY booking_id
"""  # noqa: S608
_MOVE = f"""
UPDATE booking SET site_id = m.site_id, starts_at = m.starts_at, minutes = m.minutes,
    party_id = m.party_id, card_site_id = m.card_site_id, version = version + 1, changed_at = $7
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[], $5::uuid[], $6::text[])
    AS m(id, site_id, starts_at, minutes, party_id, card_site_id)
WHERE booking_id = m.id AND state = 'active'
RETURNING {", ".join(f"booking.{name.strip()}" for name in _COLUMNS.split(","))}
"""  # noqa: S608
_INSERT = """
INSERT INTO booking (booking_id, case_id, party_id, site_id, starts_at, minutes, procedure,
                     card_site_id, made_at, changed_at)
SELECT *, $9, $9
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::int[],
            $7::text[], $8::text[])
"""
_INSERT_FREE = f"{_INSERT} ON CONFLICT DO NOTHING RETURNING booking_id"
_UNMAKE = "DELETE FROM booking WHERE booking_id = ANY($1::uuid[])"
_CANCEL = f"""
UPDATE booking SET state = 'cancelled', reason = $3, version = version + 1, changed_at = c.at
FROM unnest($1::uuid[], $2::timestamptz[]) AS c(id, at)
WHERE booking_id = c.id AND state = ANY($4::text[])
RETURNING {_COLUMNS}
"""  # noqa: S608
_MISS = f"""
UPDATE booking SET state = 'missed', version = version + 1, changed_at = m.at
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS m(id, of_case, at)
WHERE booking_id = m.id AND case_id = m.of_case AND state = 'active'
RETURNING {_COLUMNS}
"""  # noqa: S608
_FULFIL = f"""
UPDATE booking SET state = 'fulfilled', version = version + 1, changed_at = f.at
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS f(id, of_case, at)
WHERE booking_id = f.id AND case_id = f.of_case AND state IN ('active', 'missed')
RETURNING {_COLUMNS}
"""  # noqa: S608


async def read(conn: Connection, booking_id: BookingId) -> Booking | None:
    """The booking, or none."""
    row = await conn.fetchrow(_READ, booking_id)
    return _booking(row) if row else None


async def read_all(conn: Connection, booking_ids: Sequence[BookingId]) -> dict[BookingId, Booking]:
    """Those of the bookings that there are."""
    rows = await conn.fetch(_READ_ALL, booking_ids)
    return {BookingId(row["booking_id"]): _booking(row) for row in rows}


async def active(conn: Connection, case_ids: Sequence[CaseId]) -> list[Booking]:
    """The active bookings of the cases."""
    return [_booking(row) for row in await conn.fetch(_ACTIVE, case_ids)]


async def unserved(conn: Connection, booking_ids: Sequence[BookingId]) -> list[Booking]:
    """Those of the bookings with which nothing has been done yet: active or missed."""
    return [_booking(row) for row in await conn.fetch(_UNSERVED, booking_ids)]


async def standing(
    conn: Connection, told: Sequence[tuple[CaseId, SiteId, datetime]]
) -> list[Booking]:
    """Active bookings of a case at a site that were there at a time, for a later one."""
    if not told:
        return []
    return [_booking(row) for row in await conn.fetch(_STANDING, *zip(*told, strict=True))]


async def unsigned(conn: Connection, before: datetime, about: str, limit: int) -> list[Booking]:
    """Active bookings of visits before then that are not on the phone list for it."""
    return [_booking(row) for row in await conn.fetch(_UNSIGNED, before, about, limit)]


async def of_party(conn: Connection, party_id: PartyId) -> list[Booking]:
    """The bookings of a party, ended ones too."""
    return [_booking(row) for row in await conn.fetch(_OF_PARTY, party_id)]


async def of_parties(
    conn: Connection, party_ids: Sequence[PartyId]
) -> dict[PartyId, list[Booking]]:
    """``of_party`` for several."""
    found: dict[PartyId, list[Booking]] = {}
    for row in await conn.fetch(_OF_PARTIES, party_ids):
        booking = _booking(row)
        found.setdefault(booking.party_id, []).append(booking)
    return found


async def move(conn: Connection, moved: Sequence[Booking], now: datetime) -> list[Booking]:
    """Give active bookings the place, time, length and party that ``moved`` says."""
    values = [
        (b.booking_id, b.site_id, b.starts_at, b.minutes, b.party_id, b.card_site_id)
        for b in moved
    ]  # fmt: skip
    return [_booking(row) for row in await conn.fetch(_MOVE, *zip(*values, strict=True), now)]


async def insert(conn: Connection, bookings: Sequence[Booking], now: datetime) -> None:
    """Store new, active bookings. Raises ``AlreadyBooked`` where a case has one."""
    try:
        await conn.execute(_INSERT, *_new(bookings), now)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "one_active_booking_per_case":
            raise
        raise AlreadyBooked from None


async def insert_free(
    conn: Connection, bookings: Sequence[Booking], now: datetime
) -> set[BookingId]:
    """Store those of the new, active bookings whose case has none; which they are."""
    rows = await conn.fetch(_INSERT_FREE, *_new(bookings), now)
    return {BookingId(row["booking_id"]) for row in rows}


async def unmake(conn: Connection, booking_ids: Sequence[BookingId]) -> None:
    """Take back bookings that this transaction has made and nobody has heard of."""
    await conn.execute(_UNMAKE, booking_ids)


async def cancel(
    conn: Connection,
    told: Sequence[tuple[BookingId, datetime]],
    reason: CancelReason,
    *,
    missed: bool = False,
) -> list[Booking]:
    """Cancel those that are active, or ``missed`` as well, and return them: (booking, when)."""
    states = ["active", "missed"] if missed else ["active"]
    rows = await conn.fetch(_CANCEL, *zip(*told, strict=True), reason.value, states)
    return [_booking(row) for row in rows]


async def miss(
    conn: Connection, told: Sequence[tuple[BookingId, CaseId, datetime]]
) -> list[Booking]:
    """Mark those missed that are active, and return them: (booking, its case, when)."""
    rows = await conn.fetch(_MISS, *zip(*told, strict=True))
    return [_booking(row) for row in rows]


async def fulfil(
    conn: Connection, told: Sequence[tuple[BookingId, CaseId, datetime]]
) -> list[Booking]:
    """Mark those fulfilled that are active or were missed: (booking, its case, when)."""
    rows = await conn.fetch(_FULFIL, *zip(*told, strict=True))
    return [_booking(row) for row in rows]


def _new(bookings: Sequence[Booking]) -> Iterator[tuple[object, ...]]:
    """Columns of ``_INSERT``."""
    return zip(
        *(
            (b.booking_id, b.case_id, b.party_id, b.site_id, b.starts_at, b.minutes,
             b.procedure.value, b.card_site_id)
            for b in bookings
        ),
        strict=True,
    )  # fmt: skip


def _booking(row: Row) -> Booking:
    values = dict(row)
    reason = values["reason"]
    return Booking(
        **values
        | {
            "procedure": Procedure(values["procedure"]),
            "state": BookingState(values["state"]),
            "reason": CancelReason(reason) if reason else None,
        }
    )
