"""Bookings as reservation tells of them: the seat and the state, each the newest heard.

A satellite with a database of its own keeps those of its site, and goes on hearing of one that it
knows wherever it moves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.issuance.domain.booking import Booking, BookingState
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.db import Connection, Row
from shared.ids import BookingId, CaseId, PartyId, SiteId


@dataclass(frozen=True, slots=True)
class Seat:
    """A booking's seat and state since event ``seq``; ``minutes`` where the event tells them."""

    booking_id: BookingId
    case_id: CaseId
    seq: int
    party_id: PartyId
    site_id: SiteId
    starts_at: datetime
    minutes: int | None
    procedure: Procedure
    state: BookingState

    @property
    def day(self) -> date:
        """The date in Japan."""
        return business_date(self.starts_at)


@dataclass(frozen=True, slots=True)
class Expected:
    """A booking of a site's day; ``is_seen`` once its case was checked in or served, ``is_missed``
    once this room or reservation has called it so.
    """

    booking: Booking
    is_seen: bool
    is_missed: bool


async def seated(conn: Connection, seats: Sequence[Seat]) -> None:
    """Note seats and, with them, states."""
    newest = {seat.booking_id: seat for seat in sorted(seats, key=lambda seat: seat.seq)}
    rows = [newest[booking_id] for booking_id in sorted(newest)]
    await conn.execute(
        _SEATED,
        [seat.booking_id for seat in rows],
        [seat.case_id for seat in rows],
        [seat.seq for seat in rows],
        [seat.party_id for seat in rows],
        [seat.site_id for seat in rows],
        [seat.starts_at for seat in rows],
        [seat.day for seat in rows],
        [seat.minutes for seat in rows],
        [seat.procedure for seat in rows],
        [seat.state for seat in rows],
    )


async def became(
    conn: Connection, facts: Iterable[tuple[BookingId, CaseId, int, BookingState]]
) -> None:
    """Note states that come without a seat: (booking, case, sequence, state)."""
    newest = {fact[0]: fact for fact in sorted(facts, key=lambda fact: fact[2])}
    rows = [newest[booking_id] for booking_id in sorted(newest)]
    await conn.execute(_BECAME, *(list(column) for column in zip(*rows, strict=True)))


async def find(conn: Connection, booking_id: BookingId) -> Booking | None:
    """The booking, once its seat is known."""
    row = await conn.fetchrow(f"{_BOOKING} AND booking_id = $1", booking_id)
    return booking_of(row) if row else None


async def party(conn: Connection, booking: Booking) -> list[Booking]:
    """The active bookings that come together with ``booking``: same party, site and day."""
    rows = await conn.fetch(_PARTY, booking.party_id, booking.site_id, booking.day)
    return [booking_of(row) for row in rows]


async def used(conn: Connection, booking_ids: Sequence[BookingId]) -> set[BookingId]:
    """Those of the bookings with which somebody has been checked in."""
    rows = await conn.fetch(_USED, booking_ids)
    return {BookingId(row["booking_id"]) for row in rows}


async def today_of_case(
    conn: Connection, case_id: CaseId, site_id: SiteId, day: date
) -> Booking | None:
    """The active booking of the case at this site on this day, if it has one."""
    row = await conn.fetchrow(_TODAY, case_id, site_id, day)
    return booking_of(row) if row else None


async def of_day(conn: Connection, site_id: SiteId, day: date) -> list[Expected]:
    """The bookings of a site's day that were not given up in time, by time."""
    rows = await conn.fetch(_OF_DAY, site_id, day)
    return [Expected(booking_of(row), row["is_seen"], row["is_missed"]) for row in rows]


def booking_of(row: Row) -> Booking:
    """A booking whose seat is known."""
    late: int | None = row["lateness_minutes"]
    return Booking(
        booking_id=row["booking_id"],
        case_id=row["case_id"],
        party_id=row["party_id"],
        site_id=row["site_id"],
        starts_at=row["starts_at"],
        minutes=row["minutes"],
        procedure=Procedure(row["procedure"]),
        state=BookingState(row["state"]),
        lateness=None if late is None else timedelta(minutes=late),
    )


_SEATED = """
INSERT INTO booking AS b (booking_id, case_id, seat_seq, party_id, site_id, starts_at,
                          business_date, minutes, procedure, state, state_seq)
SELECT booking_id, case_id, seq, party_id, site_id, starts_at, day, minutes, procedure, state, seq
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[],
            $7::date[], $8::int[], $9::text[], $10::text[])
    AS e (booking_id, case_id, seq, party_id, site_id, starts_at, day, minutes, procedure, state)
WHERE NOT EXISTS (SELECT FROM satellite_here h WHERE h.site_id <> e.site_id)
      OR EXISTS (SELECT FROM booking k WHERE k.booking_id = e.booking_id)
ON CONFLICT (booking_id) DO UPDATE SET
    party_id = CASE WHEN excluded.seat_seq > b.seat_seq THEN excluded.party_id ELSE b.party_id END,
    site_id = CASE WHEN excluded.seat_seq > b.seat_seq THEN excluded.site_id ELSE b.site_id END,
    starts_at =
        CASE WHEN excluded.seat_seq > b.seat_seq THEN excluded.starts_at ELSE b.starts_at END,
    business_date = CASE WHEN excluded.seat_seq > b.seat_seq
                         THEN excluded.business_date ELSE b.business_date END,
    minutes = CASE WHEN b.minutes IS NULL OR excluded.seat_seq > b.seat_seq
                   THEN coalesce(excluded.minutes, b.minutes) ELSE b.minutes END,
    procedure = excluded.procedure,
    seat_seq = greatest(b.seat_seq, excluded.seat_seq),
    state = CASE WHEN excluded.state_seq > b.state_seq THEN excluded.state ELSE b.state END,
    state_seq = greatest(b.state_seq, excluded.state_seq)
"""
_BECAME = """
INSERT INTO booking AS b (booking_id, case_id, state_seq, state)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[]) AS e (booking_id)
WHERE NOT EXISTS (SELECT FROM satellite_here)
      OR EXISTS (SELECT FROM booking k WHERE k.booking_id = e.booking_id)
ON CONFLICT (booking_id) DO UPDATE SET state_seq = excluded.state_seq, state = excluded.state
WHERE excluded.state_seq > b.state_seq
"""
_BOOKING = "SELECT * FROM expected_booking WHERE starts_at IS NOT NULL"
_PARTY = f"""{_BOOKING} AND party_id = $1 AND site_id = $2 AND business_date = $3
    AND state = 'active' ORDER BY starts_at, booking_id"""
_USED = """
SELECT DISTINCT booking_id FROM visit_case WHERE booking_id = ANY ($1::uuid[])
"""
_TODAY = f"""{_BOOKING} AND case_id = $1 AND site_id = $2 AND business_date = $3
    AND state = 'active' ORDER BY starts_at, booking_id LIMIT 1"""
_OF_DAY = """
SELECT b.*,
       EXISTS (SELECT FROM visit_case c JOIN visit v USING (visit_id)
               WHERE c.booking_id = b.booking_id
                     AND v.site_id = b.site_id AND v.business_date = b.business_date)
       OR EXISTS (SELECT FROM procedure_ended e WHERE e.case_id = b.case_id) AS is_seen,
       m.booking_id IS NOT NULL OR b.state = 'missed' AS is_missed
FROM expected_booking b LEFT JOIN missed m USING (booking_id, site_id, business_date)
WHERE b.site_id = $1 AND b.business_date = $2
      AND (b.state IN ('active', 'fulfilled', 'missed') OR m.booking_id IS NOT NULL)
ORDER BY b.starts_at, b.booking_id
"""
