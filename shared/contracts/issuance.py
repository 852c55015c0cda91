"""What issuance tells about visits, one event per case; the cases of a visit share its id.

What it tells of a site and no case is in ``measures``, and named here with the rest.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.base import (
    BusinessDate,
    CaseEvent,
    CaseKind,
    Certificate,
    Procedure,
    SiteRef,
    WardRef,
)
from shared.contracts.measures import Service, ServiceMeasured, ServiceStep, ServiceTime
from shared.ids import BookingId, VisitId

__all__ = [
    "AbandonReason",
    "Arrival",
    "CardIssued",
    "CardSwitchAccepted",
    "CertificateFailed",
    "CertificateFailure",
    "CertificateRenewed",
    "Certificates",
    "DeferReason",
    "IssuanceEvent",
    "PinReset",
    "ProcedureEnded",
    "Service",
    "ServiceMeasured",
    "ServiceStep",
    "ServiceTime",
    "ToBring",
    "VisitAbandoned",
    "VisitCalled",
    "VisitCheckedIn",
    "VisitCompleted",
    "VisitDeferred",
    "VisitEvent",
    "VisitMissed",
    "VisitPaused",
]

Certificates = Annotated[tuple[Certificate, ...], Field(min_length=1)]


class IssuanceEvent(CaseEvent):
    """Something that has happened at a counter."""

    topic = "issuance.events"

    site_id: SiteRef
    """The site it happened at."""


class VisitEvent(IssuanceEvent):
    """Something that has happened to one case of a visit."""

    visit_id: VisitId
    """The visit."""


class Arrival(StrEnum):
    """How a citizen came."""

    BOOKED = "booked"
    LATE = "late"
    WALK_IN = "walk_in"


class DeferReason(StrEnum):
    """Why the citizen must come again."""

    DOCUMENTS_MISSING = "documents_missing"
    IDENTITY_NOT_VERIFIED = "identity_not_verified"
    INQUIRY_LETTER = "inquiry_letter"
    CARD_NOT_HERE = "card_not_here"
    CARD_HELD = "card_held"
    NATIONAL_SYSTEM = "national_system"
    OTHER = "other"


class ToBring(StrEnum):
    """What the citizen has to bring when coming again."""

    IDENTITY_DOCUMENTS = "identity_documents"
    PROXY_IDENTITY = "proxy_identity"
    POWER_OF_ATTORNEY = "power_of_attorney"
    EVIDENCE_OF_REASON = "evidence_of_reason"
    SEALED_REPLY = "sealed_reply"
    OLD_CARD = "old_card"
    CARD = "card"


class AbandonReason(StrEnum):
    """Why a visit ended with nothing done."""

    LEFT = "left"
    DAY_ENDED = "day_ended"


class CertificateFailure(StrEnum):
    """Why a certificate was not written."""

    NATIONAL_SYSTEM = "national_system"
    CARD_UNREADABLE = "card_unreadable"
    PIN_LOCKED = "pin_locked"
    NOT_ENTITLED = "not_entitled"
    OTHER = "other"


class VisitCheckedIn(VisitEvent):
    """The citizen is here."""

    type = "visit.checked_in.v1"

    booking_id: BookingId | None = None
    """The booking; none for a walk-in."""

    procedure: Procedure
    """What the citizen came for."""

    arrival: Arrival
    """In booked time, late, or without a booking."""


class VisitCalled(VisitEvent):
    """The citizen was called to a counter."""

    type = "visit.called.v1"

    counter: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    """The counter, as its sign says."""


class VisitCompleted(VisitEvent):
    """The case was served and nothing is left to do in this visit."""

    type = "visit.completed.v1"

    procedure: Procedure
    """What was done."""


class VisitDeferred(VisitEvent):
    """The case could not be finished in this visit; the citizen comes again."""

    type = "visit.deferred.v1"

    reason: DeferReason
    """What is missing."""

    booking_id: BookingId | None = None
    """The booking that this visit has used up; none for a walk-in."""

    bring: tuple[ToBring, ...] = ()
    """What was lacking and is to be brought."""


class VisitPaused(VisitEvent):
    """The national system has stopped, and the citizen waits at the site until it goes on.

    Said whenever staff let the visit wait; it goes on where it was.
    """

    type = "visit.paused.v1"

    booking_id: BookingId | None = None
    """The booking of this visit; none for a walk-in."""


class VisitAbandoned(VisitEvent):
    """The visit ended with nothing done."""

    type = "visit.abandoned.v1"

    reason: AbandonReason
    """Why."""

    booking_id: BookingId | None = None
    """The booking that this visit has used up; none for a walk-in."""


class VisitMissed(IssuanceEvent):
    """At the site's sign-off the booked citizen had not come."""

    type = "visit.missed.v1"

    booking_id: BookingId
    """The booking that was not kept."""

    business_date: BusinessDate
    """The day of the booking."""


class ProcedureEnded(VisitEvent):
    """A procedure was completed: what the city counts."""

    booking_id: BookingId | None = None
    """The booking; none where the case was served outside reservation."""

    procedure: Procedure
    """What was completed."""

    kind: CaseKind
    """Why the case existed."""

    ward: WardRef
    """The ward of residence on the day."""


class CardIssued(ProcedureEnded):
    """The card is in the citizen's hand (fourth official total, 交付)."""

    type = "card.issued.v1"


class CertificateRenewed(ProcedureEnded):
    """New certificates were written to the citizen's card."""

    type = "certificate.renewed.v1"

    certificates: Certificates
    """Which of the two."""


class CertificateFailed(VisitEvent):
    """A certificate could not be written."""

    type = "certificate.failed.v1"

    certificates: Certificates
    """Which of the two."""

    reason: CertificateFailure
    """What stood in the way."""


class PinReset(VisitEvent):
    """The citizen set a new PIN, which nobody else has seen and nothing has kept."""

    type = "pin.reset.v1"

    certificates: Certificates
    """Whose PIN was set."""


class CardSwitchAccepted(VisitEvent):
    """Instead of new certificates the citizen wants a next-generation card.

    The application itself is made to J-LIS; the card comes with a lot, as a case of its own. The
    renewal can still be taken up again.
    """

    type = "card_switch.accepted.v1"

    ward: WardRef | None = None
    """The ward of residence, for which a card is to come; none where nobody has told it yet."""
