"""What reservation tells about bookings, one event per case; a party shares its ``party_id``.

What was looked for in vain belongs to no case: it is told in numbers.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.base import (
    BusinessDate,
    CaseEvent,
    Event,
    Instant,
    Procedure,
    SiteRef,
    Value,
    WardRef,
)
from shared.contracts.place import Count
from shared.ids import BookingId, OfferId, PartyId, VisitId

Minutes = Annotated[int, Field(ge=1, le=24 * 60)]


class ReservationEvent(CaseEvent):
    """Something that has happened to the booking of a case."""

    topic = "reservation.events"


class MoveReason(StrEnum):
    """On whose account a booking was moved."""

    CITIZEN = "citizen"
    STAFF = "staff"
    SITE_CHANGED = "site_changed"
    SUSPENSION = "suspension"
    TRANSFER_FAILED = "transfer_failed"


class CancelReason(StrEnum):
    """On whose account a booking was cancelled."""

    CITIZEN = "citizen"
    STAFF = "staff"
    CARD_HELD = "card_held"
    CARD_VOIDED = "card_voided"
    DISPOSAL_DUE = "disposal_due"
    SITE_CHANGED = "site_changed"
    SUSPENSION = "suspension"
    TRANSFER_FAILED = "transfer_failed"
    SERVED_OTHERWISE = "served_otherwise"


class ErasureReason(StrEnum):
    """Why contact data was erased."""

    REQUESTED = "requested"
    RETENTION_ENDED = "retention_ended"


class Seated(ReservationEvent):
    """The case has a seat."""

    booking_id: BookingId
    """The booking of this case; moving keeps it."""

    party_id: PartyId
    """Shared by the cases that come together."""

    site_id: SiteRef
    """Where the case will be served."""

    starts_at: Instant
    """When the case's own time begins."""

    minutes: Minutes
    """Time planned for this case, in minutes; the cases of a party add up."""

    procedure: Procedure
    """What the citizen comes for."""

    card_site_id: SiteRef | None = None
    """Where the card lies now; none where the procedure needs no card from a shelf."""


class BookingConfirmed(Seated):
    """The case has a seat: issuance expects the visit and preparation sends the card."""

    type = "booking.confirmed.v1"


class BookingMoved(Seated):
    """The booking has another seat; the old one is free."""

    type = "booking.moved.v1"

    previous_site_id: SiteRef
    """Where the case would have been served."""

    previous_starts_at: Instant
    """When it would have been."""

    reason: MoveReason
    """On whose account."""


class BookingCancelled(ReservationEvent):
    """The booking is no more, and its seat is free."""

    type = "booking.cancelled.v1"

    booking_id: BookingId
    """The booking."""

    party_id: PartyId
    """The party it belonged to."""

    site_id: SiteRef
    """Where the case would have been served."""

    starts_at: Instant
    """When it would have been."""

    procedure: Procedure
    """What the citizen would have come for."""

    reason: CancelReason
    """On whose account."""


class BookingMissed(ReservationEvent):
    """The citizen did not come: the answer to ``visit.missed``, or to whoever gives the booking up
    once its day is over and no site has said who came.
    """

    type = "booking.missed.v1"

    booking_id: BookingId
    """The booking."""

    site_id: SiteRef
    """Where the citizen was expected."""

    business_date: BusinessDate
    """The day of the booking."""

    bookable_from: BusinessDate
    """The first day on which the citizen may make another booking."""


class BookingFulfilled(ReservationEvent):
    """The citizen came, and the procedure was done."""

    type = "booking.fulfilled.v1"

    booking_id: BookingId
    """The booking."""

    site_id: SiteRef
    """Where it was done."""

    visit_id: VisitId
    """The visit in which it was done."""


class WaitlistOffered(ReservationEvent):
    """A freed seat is kept for this case of the waiting list, for a time."""

    type = "waitlist.offered.v1"

    offer_id: OfferId
    """The offer."""

    party_id: PartyId
    """Shared by the cases that would come together."""

    site_id: SiteRef
    """Where the seat is."""

    starts_at: Instant
    """When the case's own time would begin."""

    minutes: Minutes
    """Time planned for this case, in minutes."""

    procedure: Procedure
    """What the citizen waits for."""

    expires_at: Instant
    """When the seat is offered to the next."""


class ContactErased(ReservationEvent):
    """The case's contact data was erased; every room erases what it keeps and confirms."""

    type = "contact.erased.v1"

    reason: ErasureReason
    """Why."""


class SearchCount(Value):
    """How often free seats were looked for in one way."""

    procedure: Procedure
    """For what."""

    site_id: SiteRef | None = None
    """The only site that was asked about; none where several or all were."""

    searched: Count
    """Questions; who asks again whether an answer still holds is not counted."""

    refused: Count
    """Those among them for which nothing was free."""


class AvailabilitySearched(Event):
    """How often free seats were looked for since this was last told: numbers, and nobody's name."""

    type = "availability.searched.v1"
    topic = "reservation.events"

    business_date: BusinessDate
    """The day on which it was looked."""

    ward: WardRef | None = None
    """Ward of residence of those who looked; none where they named none, or several."""

    counts: Annotated[tuple[SearchCount, ...], Field(min_length=1)]
    """By what was looked for; questions by several processes are told by each of them."""

    @property
    def subject(self) -> str:
        """The ward, or that none was named."""
        return self.ward or "any-ward"
