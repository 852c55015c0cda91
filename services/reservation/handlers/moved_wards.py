"""Citizens who have moved within the city while a visit was booked: the ward of residence decides
which ward office may serve a card (the brief's words), and it may be another now.

The booking stays until somebody has called and agreed on another site: nobody loses a seat by an
event.
"""

from collections.abc import Sequence

from services.reservation.domain.booking import Booking
from services.reservation.domain.message import CallReason, PhoneCall
from services.reservation.domain.opening import would_accept
from services.reservation.handlers import citizens, facts
from services.reservation.handlers.facts import newest
from services.reservation.store import bookings, cases, sites
from shared.calendar import business_date
from shared.contracts.preparation import CardReleased
from shared.ids import WardCode
from shared.messaging.envelope import Message
from shared.unit import Unit

ABOUT = "ward_changed"


async def released(unit: Unit, messages: Sequence[Message[CardReleased]]) -> None:
    """The hold is over; whoever is booked where the ward is not served is called once for it."""
    await facts.released(unit, messages)
    by_case = {message.data.case_id: message for message in newest(messages)}
    known = {case.case_id: case.ward for case in await cases.read(unit.conn, sorted(by_case))}
    booked = await bookings.active(unit.conn, sorted(by_case))
    there = await sites.read_all(unit.conn, sorted({one.site_id for one in booked}))
    calls = []
    for booking in booked:
        message, ward = by_case[booking.case_id], known.get(booking.case_id)
        day = business_date(booking.starts_at)
        ahead = booking.starts_at > message.time
        stored = there.get(booking.site_id)
        if ward is None or stored is None or not ahead:
            continue
        if not would_accept(stored.site, booking.procedure, ward, day):
            calls.append(_call(booking, ward, message))
    await citizens.call(unit, calls)


def _call(booking: Booking, ward: WardCode, message: Message[CardReleased]) -> PhoneCall:
    starts_at = booking.starts_at.isoformat()
    return PhoneCall(
        case_id=booking.case_id,
        ref=f"{ABOUT}:{booking.booking_id}:{booking.site_id}:{ward}",
        about=ABOUT,
        reason=CallReason.WARD_CHANGED,
        at=message.time,
        booking_id=booking.booking_id,
        site_id=booking.site_id,
        facts={"starts_at": starts_at, "ward": ward},
    )
