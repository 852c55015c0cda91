"""What reservation tells of bookings: whom a site expects, and when.

A booking that is heard of only after its day was signed off is called missed at once, so that no
case waits for a sign-off that has passed.
"""

from collections.abc import Sequence

from services.issuance.domain.booking import BookingState
from services.issuance.store import bookings, days
from services.issuance.store.bookings import Seat
from shared.contracts.issuance import VisitMissed
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingFulfilled,
    BookingMissed,
    BookingMoved,
    Seated,
)
from shared.messaging.envelope import Message
from shared.unit import Unit


async def confirmed(unit: Unit, messages: Sequence[Message[BookingConfirmed]]) -> None:
    """A party is expected."""
    await _expected(unit, messages)


async def moved(unit: Unit, messages: Sequence[Message[BookingMoved]]) -> None:
    """It is expected elsewhere or at another time."""
    await _expected(unit, messages)


async def cancelled(unit: Unit, messages: Sequence[Message[BookingCancelled]]) -> None:
    """It is expected no more. With a booking that a visit has used the party may come again today:
    that it has ended concerns who books, not who is here.
    """
    used = await bookings.used(unit.conn, [m.data.booking_id for m in messages])
    seats = [
        Seat(
            booking_id=m.data.booking_id,
            case_id=m.data.case_id,
            seq=m.sequence,
            party_id=m.data.party_id,
            site_id=m.data.site_id,
            starts_at=m.data.starts_at,
            minutes=None,
            procedure=m.data.procedure,
            state=BookingState.CANCELLED,
        )
        for m in messages
        if m.data.booking_id not in used
    ]
    await bookings.seated(unit.conn, seats)


async def missed(unit: Unit, messages: Sequence[Message[BookingMissed]]) -> None:
    """Reservation has taken note of a no-show."""
    await bookings.became(
        unit.conn,
        [(m.data.booking_id, m.data.case_id, m.sequence, BookingState.MISSED) for m in messages],
    )


async def fulfilled(unit: Unit, messages: Sequence[Message[BookingFulfilled]]) -> None:
    """Reservation has taken note that the procedure was done."""
    await bookings.became(
        unit.conn,
        [(m.data.booking_id, m.data.case_id, m.sequence, BookingState.FULFILLED) for m in messages],
    )


async def _expected(unit: Unit, messages: Sequence[Message[Seated]]) -> None:
    seats = [_seat(message) for message in messages]
    await days.share(unit.conn, [(seat.site_id, seat.day) for seat in seats])
    await bookings.seated(unit.conn, seats)
    causes = {message.data.booking_id: message for message in messages}
    for late in await days.miss(unit.conn, list(causes)):
        event = VisitMissed(
            case_id=late.case_id,
            site_id=late.site_id,
            booking_id=late.booking_id,
            business_date=late.business_date,
        )
        unit.emit(event, cause=causes[late.booking_id])


def _seat(message: Message[Seated]) -> Seat:
    data = message.data
    return Seat(
        booking_id=data.booking_id,
        case_id=data.case_id,
        seq=message.sequence,
        party_id=data.party_id,
        site_id=data.site_id,
        starts_at=data.starts_at,
        minutes=data.minutes,
        procedure=data.procedure,
        state=BookingState.ACTIVE,
    )
