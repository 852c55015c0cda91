"""What events tell about bookings: the seats of a site's day."""

from collections.abc import Sequence

from services.reporting.domain.told import Told
from services.reporting.store import bookings
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingFulfilled,
    BookingMissed,
    BookingMoved,
)
from shared.messaging.envelope import Message
from shared.unit import Unit

Ended = Message[BookingCancelled] | Message[BookingMissed] | Message[BookingFulfilled]


async def seated(
    unit: Unit, messages: Sequence[Message[BookingConfirmed] | Message[BookingMoved]]
) -> None:
    """The case has a seat, or another one."""
    await bookings.seat(unit.conn, [(Told(m.time, m.sequence, m.id), m.data) for m in messages])


async def cancelled(unit: Unit, messages: Sequence[Message[BookingCancelled]]) -> None:
    """The seat is free again."""
    await bookings.cancel(unit.conn, _ends(messages))


async def missed(unit: Unit, messages: Sequence[Message[BookingMissed]]) -> None:
    """Nobody came for the seat."""
    await bookings.miss(unit.conn, _ends(messages))


async def fulfilled(unit: Unit, messages: Sequence[Message[BookingFulfilled]]) -> None:
    """The seat was used."""
    await bookings.fulfil(unit.conn, _ends(messages))


def _ends(messages: Sequence[Ended]) -> list[bookings.End]:
    return [(m.data.booking_id, m.data.case_id, m.time) for m in messages]
