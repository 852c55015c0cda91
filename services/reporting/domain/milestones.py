"""What can happen to a case, as a fact with one time: the first at which it happened.

The values are those of the columns of ``case_fact``, without ``_at``.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from shared.contracts import issuance, preparation, reservation
from shared.contracts.base import CaseEvent


class Milestone(StrEnum):
    """A fact about a case that is a time and nothing else."""

    RECEIVED = "received"
    INSPECTED = "inspected"
    REJECTED = "rejected"
    REGISTRY_CHECKED = "registry_checked"
    HELD = "held"
    RELEASED = "released"
    VOIDED = "voided"
    PRESET = "preset"
    SHELVED = "shelved"
    NOTIFIED = "notified"
    NOTICE_RETURNED = "notice_returned"
    DISPATCHED = "dispatched"
    ARRIVED = "arrived"
    TRANSFER_FAILED = "transfer_failed"
    DISPOSAL_DUE = "disposal_due"
    DISPOSED = "disposed"
    BOOKED = "booked"
    BOOKING_MOVED = "booking_moved"
    BOOKING_CANCELLED = "booking_cancelled"
    BOOKING_MISSED = "booking_missed"
    BOOKING_FULFILLED = "booking_fulfilled"
    OFFERED = "offered"
    CONTACT_ERASED = "contact_erased"
    CHECKED_IN = "checked_in"
    CALLED = "called"
    SERVED = "served"
    DEFERRED = "deferred"
    ABANDONED = "abandoned"
    PAUSED = "paused"
    VISIT_MISSED = "visit_missed"
    CERTIFICATE_FAILED = "certificate_failed"
    PIN_RESET = "pin_reset"
    SWITCH_ACCEPTED = "switch_accepted"


MILESTONES: Mapping[type[CaseEvent], Milestone] = MappingProxyType(
    {
        preparation.CardReceived: Milestone.RECEIVED,
        preparation.CardInspected: Milestone.INSPECTED,
        preparation.CardRejected: Milestone.REJECTED,
        preparation.CardRegistryChecked: Milestone.REGISTRY_CHECKED,
        preparation.CardHeld: Milestone.HELD,
        preparation.CardReleased: Milestone.RELEASED,
        preparation.CardVoided: Milestone.VOIDED,
        preparation.CardPreset: Milestone.PRESET,
        preparation.CardShelved: Milestone.SHELVED,
        preparation.CardNotified: Milestone.NOTIFIED,
        preparation.CardNoticeReturned: Milestone.NOTICE_RETURNED,
        preparation.CardDispatched: Milestone.DISPATCHED,
        preparation.CardArrived: Milestone.ARRIVED,
        preparation.CardTransferFailed: Milestone.TRANSFER_FAILED,
        preparation.CardDisposalDue: Milestone.DISPOSAL_DUE,
        preparation.CardDisposed: Milestone.DISPOSED,
        reservation.BookingConfirmed: Milestone.BOOKED,
        reservation.BookingMoved: Milestone.BOOKING_MOVED,
        reservation.BookingCancelled: Milestone.BOOKING_CANCELLED,
        reservation.BookingMissed: Milestone.BOOKING_MISSED,
        reservation.BookingFulfilled: Milestone.BOOKING_FULFILLED,
        reservation.WaitlistOffered: Milestone.OFFERED,
        reservation.ContactErased: Milestone.CONTACT_ERASED,
        issuance.VisitCheckedIn: Milestone.CHECKED_IN,
        issuance.VisitCalled: Milestone.CALLED,
        issuance.VisitCompleted: Milestone.SERVED,
        issuance.VisitDeferred: Milestone.DEFERRED,
        issuance.VisitAbandoned: Milestone.ABANDONED,
        issuance.VisitPaused: Milestone.PAUSED,
        issuance.VisitMissed: Milestone.VISIT_MISSED,
        issuance.CertificateFailed: Milestone.CERTIFICATE_FAILED,
        issuance.PinReset: Milestone.PIN_RESET,
        issuance.CardSwitchAccepted: Milestone.SWITCH_ACCEPTED,
    }
)
"""Which event is which milestone."""
