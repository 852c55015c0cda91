"""What preparation tells of cards that cannot be where they are awaited.

The booking stays until somebody has called: the day is near, and where the card lies, or will lie,
a clerk can see and agree on another date. Nobody loses a seat by an event.
"""

from collections.abc import Sequence

from services.reservation.domain.booking import Booking
from services.reservation.domain.message import CallReason, PhoneCall
from services.reservation.handlers import citizens
from services.reservation.store import bookings
from shared.contracts.preparation import CardTransferFailed
from shared.messaging.envelope import Message
from shared.unit import Unit

ABOUT = "card_not_there"


async def failed(unit: Unit, messages: Sequence[Message[CardTransferFailed]]) -> None:
    """Whoever was booked there when it was told, and still is, is called once for that date."""
    told = [(m.data.case_id, m.data.to_site_id, m.time) for m in messages]
    standing = await bookings.standing(unit.conn, told)
    by_case = {message.data.case_id: message for message in messages}
    await citizens.call(unit, [_call(booking, by_case[booking.case_id]) for booking in standing])


def _call(booking: Booking, message: Message[CardTransferFailed]) -> PhoneCall:
    starts_at = booking.starts_at.isoformat()
    return PhoneCall(
        case_id=booking.case_id,
        ref=f"{ABOUT}:{booking.booking_id}:{booking.site_id}:{starts_at}",
        about=ABOUT,
        reason=CallReason.CARD_NOT_THERE,
        at=message.time,
        booking_id=booking.booking_id,
        site_id=booking.site_id,
        facts={"starts_at": starts_at, "reason": message.data.reason.value},
    )
