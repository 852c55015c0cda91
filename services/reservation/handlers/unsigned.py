"""Visits whose day no site has signed off: their bookings stay active, and somebody has to look.

Issuance owns attendance, so nothing is decided here. After some days the booking is on its site's
list; the sign-off, or whoever cancels the booking, takes it off again. The citizen may do so too,
from the day after the visit, and book another (``domain.booking.check_cancellable``).
"""

from datetime import timedelta

from services.reservation.domain.booking import Booking
from services.reservation.domain.cells import midnight
from services.reservation.domain.message import CallReason, PhoneCall
from services.reservation.handlers import citizens
from services.reservation.store import bookings, phone_list
from shared.calendar import business_date
from shared.due import DueWork
from shared.unit import Unit

ABOUT = "not_signed_off"
BATCH = 500


def listing(days: int) -> DueWork:
    """Due work: list bookings whose visit was ``days`` ago and that nobody has ended."""

    async def batch(unit: Unit) -> int:
        before = midnight(business_date(unit.now) - timedelta(days=days - 1))
        found = await bookings.unsigned(unit.conn, before, ABOUT, BATCH)
        await citizens.call(unit, [_call(unit, booking) for booking in found])
        return len(found)

    return batch


async def settle(unit: Unit) -> int:
    """Due work: whose booking has ended meanwhile is off the list."""
    return await phone_list.signed_off(unit.conn, unit.now, BATCH)


def _call(unit: Unit, booking: Booking) -> PhoneCall:
    starts_at = booking.starts_at.isoformat()
    return PhoneCall(
        case_id=booking.case_id,
        ref=f"{ABOUT}:{booking.booking_id}:{starts_at}",
        about=ABOUT,
        reason=CallReason.NOT_SIGNED_OFF,
        at=unit.now,
        booking_id=booking.booking_id,
        site_id=booking.site_id,
        facts={"starts_at": starts_at},
    )
