"""What this room tells about bookings, made from the booking as it stands."""

from datetime import date, datetime, timedelta

from services.reservation.domain.booking import Booking
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingMissed,
    BookingMoved,
    CancelReason,
    MoveReason,
)
from shared.ids import SiteId


def confirmed(booking: Booking) -> BookingConfirmed:
    """The case has a seat."""
    return BookingConfirmed(
        case_id=booking.case_id,
        booking_id=booking.booking_id,
        party_id=booking.party_id,
        site_id=booking.site_id,
        starts_at=booking.starts_at,
        minutes=booking.minutes,
        procedure=booking.procedure,
        card_site_id=booking.card_site_id,
    )


def moved(
    booking: Booking, previous_site_id: SiteId, previous_starts_at: datetime, reason: MoveReason
) -> BookingMoved:
    """The case has another seat."""
    return BookingMoved(
        **confirmed(booking).model_dump(),
        previous_site_id=previous_site_id,
        previous_starts_at=previous_starts_at,
        reason=reason,
    )


def cancelled(booking: Booking, reason: CancelReason) -> BookingCancelled:
    """The seat is given back."""
    return BookingCancelled(
        case_id=booking.case_id,
        booking_id=booking.booking_id,
        party_id=booking.party_id,
        site_id=booking.site_id,
        starts_at=booking.starts_at,
        procedure=booking.procedure,
        reason=reason,
    )


def missed(booking: Booking, day: date) -> BookingMissed:
    """Nobody came on ``day``."""
    return BookingMissed(
        case_id=booking.case_id,
        booking_id=booking.booking_id,
        site_id=booking.site_id,
        business_date=day,
        bookable_from=bookable_from(day),
    )


def bookable_from(missed_on: date) -> date:
    """Whoever did not come may book again the next day (the brief's reservation rules)."""
    return missed_on + timedelta(days=1)
