"""Making, reading and cancelling bookings.

Locks are taken in one order: site (only where its calendar is extended), cases, cells. Whoever
gives a seat back takes no lock of a cell, so no two units ever wait for each other in a circle.
"""

from services.reservation.domain.booking import (
    Booking,
    BookingState,
    NoSuchBooking,
    check_cancellable,
)
from services.reservation.domain.rules import Rules
from services.reservation.handlers import announce, citizens, parties, site_rules, together
from services.reservation.handlers.parties import Request
from services.reservation.handlers.precondition import Precondition
from services.reservation.store import bookings, returns
from shared.contracts.reservation import CancelReason
from shared.errors import Problem
from shared.ids import BookingId
from shared.unit import Unit

__all__ = ["Request", "book", "cancel", "find"]


async def book(unit: Unit, request: Request, rules: Rules) -> list[Booking]:
    """Book a seat for every case of the party at the same time, or for none.

    Raises what ``parties.ready`` raises, ``NoSuchSlot``, ``AlreadyBooked``, ``SlotTaken``.
    """
    (outcome,) = await together.book_all(unit, [(unit, request)], rules)
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


async def find(unit: Unit, booking_id: BookingId) -> Booking:
    """The booking, for its citizen or staff of its site; the reading is audited.

    Raises ``NoSuchBooking``, ``CaseForbidden`` and ``SiteForbidden``.
    """
    booking = await bookings.read(unit.conn, booking_id)
    if booking is None:
        raise NoSuchBooking
    unit.principal.require_case_at(booking.case_id, booking.site_id)
    parties.audit(unit, "booking.read", booking)
    return booking


async def cancel(unit: Unit, booking_id: BookingId, rules: Rules, require: Precondition) -> Booking:
    """Cancel a booking; its seat returns after a random delay. A cancelled one stays as it is.

    Raises ``NoSuchBooking``, ``CaseBusy``, ``BookingEnded``, ``ChangeTooLate`` and what
    ``require`` raises.
    """
    seen = await bookings.read(unit.conn, booking_id)
    if seen is None:
        raise NoSuchBooking
    unit.principal.require_case_at(seen.case_id, seen.site_id)
    await parties.lock(unit, [seen.case_id])
    booking = await bookings.read(unit.conn, booking_id) or seen
    if booking.state is BookingState.CANCELLED:
        return booking
    require(booking.version)
    by_staff = unit.principal.is_staff
    own = (await site_rules.at(unit, booking.site_id, rules)).of(booking.procedure)
    check_cancellable(booking, by_staff=by_staff, now=unit.now, rules=own)
    return await _cancelled(unit, booking, by_staff=by_staff, rules=own)


async def _cancelled(unit: Unit, booking: Booking, *, by_staff: bool, rules: Rules) -> Booking:
    reason = CancelReason.STAFF if by_staff else CancelReason.CITIZEN
    (ended,) = await bookings.cancel(unit.conn, [(booking.booking_id, unit.now)], reason)
    due_at = await parties.back_at(unit, ended.site_id, rules)
    await returns.give_back(unit.conn, [(ended.booking_id, due_at)])
    unit.emit(announce.cancelled(ended, reason))
    parties.audit(unit, "booking.cancelled", ended)
    await citizens.notify(unit, citizens.present([citizens.cancelled(ended, unit.now, reason)]))
    return ended
