"""A booking is for one day at one site; who comes late loses the turn but not the visit."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.issuance import Arrival
from shared.errors import Conflict, NotFound, Text
from shared.ids import BookingId, CaseId, PartyId, SiteId


class BookingState(StrEnum):
    """Where a booking stands, as reservation tells."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    MISSED = "missed"
    FULFILLED = "fulfilled"


@dataclass(frozen=True, slots=True)
class Booking:
    """The seat of one case. ``minutes`` is the time planned for it, ``lateness`` how late the site
    lets it come; none where the city's rule holds.
    """

    booking_id: BookingId
    case_id: CaseId
    party_id: PartyId
    site_id: SiteId
    starts_at: datetime
    minutes: int | None
    procedure: Procedure
    state: BookingState
    lateness: timedelta | None = None

    @property
    def day(self) -> date:
        """The date in Japan on which the party is expected."""
        return business_date(self.starts_at)

    def in_time_until(self, grace: timedelta) -> datetime:
        """The last moment in which the party keeps its turn; ``grace`` is the city's."""
        return self.starts_at + (grace if self.lateness is None else self.lateness)


class BookingUnknown(NotFound):
    """No such booking has been heard of."""

    slug = "booking-not-known"
    title = Text("This booking is not known here", "この予約の情報がありません")
    remedy = Text(
        "Check the booking code; just after booking, try again in a moment.",
        "予約番号を確認してください。予約直後の場合は少し待って再度お試しください。",
    )


class BookingNotActive(Conflict):
    """The booking was cancelled, missed or used."""

    slug = "booking-not-active"
    title = Text("This booking is not open any more", "この予約は有効ではありません")
    remedy = Text(
        "Check the citizen in with the notice number, or make a new booking.",
        "交付通知書の番号で受け付けるか、予約を取り直してください。",
    )


class BookedElsewhere(Conflict):
    """The booking is for another site or day."""

    slug = "booking-elsewhere"
    title = Text(
        "This booking is for another site or day", "この予約は別の窓口または別の日のものです"
    )
    remedy = Text(
        "See booked_site_id and starts_at; a card that lies here may be collected with its notice"
        " number.",
        "booked_site_id と starts_at を確認してください。"
        "カードがこの窓口にあれば交付通知書の番号で受け付けられます。",
    )


def require_expected(booking: Booking, site_id: SiteId, today: date) -> None:
    """Raise unless the party is expected at ``site_id`` on ``today``.

    Raises ``BookingNotActive`` and ``BookedElsewhere``.
    """
    if booking.state is not BookingState.ACTIVE:
        raise BookingNotActive(extras={"state": booking.state})
    if (booking.site_id, booking.day) != (site_id, today):
        raise BookedElsewhere(
            extras={
                "booked_site_id": booking.site_id,
                "starts_at": booking.starts_at.isoformat(),
            }
        )


def arrival(bookings: Collection[Booking], now: datetime, grace: timedelta) -> Arrival:
    """In time up to and including the grace after the first of a party's bookings (brief,
    reservation rules); of those that begin together the most patient counts.
    """
    if not bookings:
        return Arrival.WALK_IN
    first = min(booking.starts_at for booking in bookings)
    until = max(b.in_time_until(grace) for b in bookings if b.starts_at == first)
    return Arrival.BOOKED if now <= until else Arrival.LATE
