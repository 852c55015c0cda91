"""What events tell about bookings: the seats of a site's day."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from services.reporting.domain.told import Told
from services.reporting.store import bookings
from services.reporting.store.bookings import Ending
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingFulfilled,
    BookingMissed,
    BookingMoved,
)
from shared.messaging.envelope import Message
from shared.unit import Unit

BookingEvent = BookingConfirmed | BookingMoved | BookingCancelled | BookingMissed | BookingFulfilled

_ENDINGS: Mapping[type[BookingEvent], Ending] = MappingProxyType(
    {
        BookingCancelled: Ending.CANCELLED,
        BookingMissed: Ending.MISSED,
        BookingFulfilled: Ending.FULFILLED,
    }
)


async def heard(unit: Unit, messages: Sequence[Message[BookingEvent]]) -> None:
    """The case has a seat, or another one, or none any more."""
    facts = bookings.batch()
    for message in messages:
        event = message.data
        if isinstance(event, BookingConfirmed | BookingMoved):
            bookings.seat(facts, Told(message.time, message.sequence, message.id), event)
        else:
            ending = _ENDINGS[type(event)]
            bookings.end(facts, ending, event.booking_id, event.case_id, message.time)
    await facts.keep(unit.conn)
