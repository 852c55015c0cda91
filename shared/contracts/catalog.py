"""Every published event by its type: an event that is not here is not part of the contracts."""

from collections.abc import Mapping
from types import MappingProxyType

from shared.contracts import clock, issuance, preparation, reporting, reservation, site
from shared.contracts.base import CaseOpened, Event

EVENTS: tuple[type[Event], ...] = (
    CaseOpened,
    preparation.CardApplied,
    preparation.CardShipped,
    preparation.CardReceived,
    preparation.CardInspected,
    preparation.CardRejected,
    preparation.CardRegistryChecked,
    preparation.CardHeld,
    preparation.CardReleased,
    preparation.CardVoided,
    preparation.CardPreset,
    preparation.CardShelved,
    preparation.CardNotified,
    preparation.CardNoticeReturned,
    preparation.CardDispatched,
    preparation.CardArrived,
    preparation.CardTransferFailed,
    preparation.CardDisposalDue,
    preparation.CardDisposed,
    reservation.BookingConfirmed,
    reservation.BookingMoved,
    reservation.BookingCancelled,
    reservation.BookingMissed,
    reservation.BookingFulfilled,
    reservation.WaitlistOffered,
    reservation.ContactErased,
    reservation.AvailabilitySearched,
    site.SitePlanned,
    site.SiteOpened,
    site.SiteChanged,
    site.SiteWindDownStarted,
    site.SiteClosed,
    site.CapacityPublished,
    site.DayClosed,
    site.NationalSystemSuspended,
    site.NationalSystemResumed,
    issuance.VisitCheckedIn,
    issuance.VisitCalled,
    issuance.VisitCompleted,
    issuance.VisitDeferred,
    issuance.VisitAbandoned,
    issuance.VisitPaused,
    issuance.VisitMissed,
    issuance.CardIssued,
    issuance.CertificateRenewed,
    issuance.CertificateFailed,
    issuance.PinReset,
    issuance.CardSwitchAccepted,
    issuance.ServiceMeasured,
    reporting.ForecastPublished,
    clock.ClockAdvanced,
)

BY_TYPE: Mapping[str, type[Event]] = MappingProxyType({event.type: event for event in EVENTS})

TOPICS_OF_CASE_OPENED: tuple[str, ...] = (
    "preparation.events",
    "reservation.events",
    "issuance.events",
)


def topics_of(event: type[Event]) -> tuple[str, ...]:
    """The topics on which ``event`` may be found."""
    return (event.topic,) if event.topic else TOPICS_OF_CASE_OPENED


def by_topic() -> dict[str, tuple[type[Event], ...]]:
    """The events of each topic, in the order of the catalogue."""
    topics = sorted({topic for event in EVENTS for topic in topics_of(event)})
    return {topic: tuple(e for e in EVENTS if topic in topics_of(e)) for topic in topics}


def named(event_type: str) -> type[Event]:
    """The event of this type.

    Raises LookupError naming the type and what to do, where there is none.
    """
    try:
        return BY_TYPE[event_type]
    except KeyError:
        raise LookupError(
            f"No event {event_type!r} in the contracts; add it to shared/contracts/catalog.py "
            f"or upgrade to a release that knows it."
        ) from None
