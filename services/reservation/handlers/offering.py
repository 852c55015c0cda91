"""Keeping other seats for bookings that are displaced, and telling of them.

A party sits together or is looked for again; nothing is taken from the old seat here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.reservation.domain.alternatives import Seat
from services.reservation.domain.booking import Booking, BookingState
from services.reservation.domain.cells import party_cells
from services.reservation.domain.closure import (
    Closure,
    Displaced,
    DisplacedState,
    answer_by,
    seat_id,
)
from services.reservation.domain.message import CallReason, PhoneCall
from services.reservation.domain.rules import Rules
from services.reservation.handlers import citizens, displacing
from services.reservation.store import alternatives, displaced
from services.reservation.store.alternatives import Wish
from shared.ids import BookingId, SiteId
from shared.unit import Unit

SEARCH_EVERY = timedelta(hours=1)
"""Where nobody takes in a party, seats are looked for again so often."""


async def hold(unit: Unit, closure: Closure, seatless: Sequence[Displaced], rules: Rules) -> None:
    """Keep a seat for every party for which there is one; the others go on the phone list."""
    now = await alternatives.read(unit.conn, [one.booking_id for one in seatless])
    active = [b for b in now.values() if b.state is BookingState.ACTIVE]
    seats = await displacing.search(unit, active, rules)
    held = await _claim(unit, closure, active, seats, rules)
    if held:
        places = {one: (seats[one].site_id, seats[one].starts_at) for one in held}
        await displaced.hold(unit.conn, closure.closure_id, places, unit.now)
    # Seats that somebody was quicker to take are looked for again at once, the rest later.
    none = [b for b in active if b.booking_id not in seats]
    if none:
        look_at = unit.now + SEARCH_EVERY
        ids = [b.booking_id for b in none]
        await displaced.nobody_takes_in(unit.conn, closure.closure_id, ids, look_at, unit.now)
        await citizens.call(
            unit, [call(closure, b, CallReason.NOT_POSSIBLE, "none", unit.now) for b in none]
        )


async def _claim(
    unit: Unit,
    closure: Closure,
    bookings: Sequence[Booking],
    seats: Mapping[BookingId, Seat],
    rules: Rules,
) -> list[BookingId]:
    """Take the seats found: of all at once, or, where one is gone, party by party."""
    groups: dict[tuple[object, ...], list[BookingId]] = {}
    wishes: dict[BookingId, Wish] = {}
    for booking in bookings:
        if (seat := seats.get(booking.booking_id)) is None:
            continue
        taken = party_cells(seat.starts_at, [booking.minutes], rules.cell_minutes)
        own = seat_id(closure.closure_id, booking.booking_id)
        wishes[booking.booking_id] = Wish(own, seat.site_id, list(taken))
        key = (booking.party_id, booking.site_id, booking.starts_at)
        groups.setdefault(key, []).append(booking.booking_id)
    if not wishes or await _try(unit, list(wishes.values())):
        return list(wishes)
    taken_: list[BookingId] = []
    # In the order of their cells, as everybody locks them; those kept stay locked to the end.
    for group in sorted(groups.values(), key=lambda one: _place(seats[one[0]])):
        if await _try(unit, [wishes[one] for one in group]):
            taken_ += group
    return taken_


def _place(seat: Seat) -> tuple[SiteId, datetime]:
    return seat.site_id, seat.starts_at


async def _try(unit: Unit, wishes: Sequence[Wish]) -> bool:
    attempt = unit.conn.transaction()
    await attempt.start()
    if await alternatives.claim(unit.conn, wishes, unit.now):
        await attempt.commit()
        return True
    await attempt.rollback()
    return False


async def tell(unit: Unit, closure: Closure, held: Sequence[Displaced], rules: Rules) -> None:
    """Tell of the seats that are kept; whom no mail reaches is on the phone list."""
    now = await alternatives.read(unit.conn, [one.booking_id for one in held])
    by: dict[BookingId, datetime] = {}
    notes = []
    for one in held:
        if one.to_site_id is None or one.to_starts_at is None:
            continue
        by[one.booking_id] = answer_by(unit.now, one.starts_at, one.to_starts_at, rules)
        notes.append(
            citizens.alternative(
                now[one.booking_id],
                unit.now,
                closure_id=closure.closure_id,
                to_site_id=one.to_site_id,
                to_starts_at=one.to_starts_at,
                answer_by=by[one.booking_id],
            )
        )
    unreached = await citizens.notify(unit, notes)
    told = {
        one.booking_id: (
            DisplacedState.PHONE_LIST if one.case_id in unreached else DisplacedState.TOLD,
            by[one.booking_id],
        )
        for one in held
        if one.booking_id in by
    }
    await displaced.tell(unit.conn, closure.closure_id, told, unit.now)


def call(
    closure: Closure, booking: Booking, reason: CallReason, why: str, at: datetime
) -> PhoneCall:
    return PhoneCall(
        case_id=booking.case_id,
        ref=f"{closure.closure_id}:{booking.booking_id}:{why}",
        about="alternative",
        reason=reason,
        at=at,
        booking_id=booking.booking_id,
        site_id=booking.site_id,
        facts={"closure_id": str(closure.closure_id), "starts_at": booking.starts_at.isoformat()},
    )
