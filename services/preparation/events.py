"""What preparation tells and what it hears."""

from services.preparation.handlers import erasure, facts, seats, sites, visits
from shared.contracts.base import CaseOpened, Event
from shared.contracts.issuance import (
    CardIssued,
    VisitAbandoned,
    VisitCheckedIn,
    VisitCompleted,
    VisitDeferred,
)
from shared.contracts.preparation import (
    CardApplied,
    CardArrived,
    CardDispatched,
    CardDisposalDue,
    CardDisposed,
    CardHeld,
    CardInspected,
    CardNoticeReturned,
    CardNotified,
    CardPreset,
    CardReceived,
    CardRegistryChecked,
    CardRejected,
    CardReleased,
    CardShelved,
    CardShipped,
    CardTransferFailed,
    CardVoided,
)
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingMissed,
    BookingMoved,
    ContactErased,
)
from shared.contracts.site import (
    CapacityPublished,
    SiteChanged,
    SiteClosed,
    SiteOpened,
    SitePlanned,
    SiteWindDownStarted,
)
from shared.messaging.subscriptions import Subscription, each, on

PUBLISHES: tuple[type[Event], ...] = (
    CaseOpened,
    CardApplied,
    CardShipped,
    CardReceived,
    CardInspected,
    CardRegistryChecked,
    CardRejected,
    CardHeld,
    CardReleased,
    CardVoided,
    CardPreset,
    CardShelved,
    CardDispatched,
    CardArrived,
    CardTransferFailed,
    CardNotified,
    CardNoticeReturned,
    CardDisposalDue,
    CardDisposed,
)

SUBSCRIBES: tuple[Subscription, ...] = (
    on(BookingConfirmed, facts.seated),
    on(BookingMoved, facts.seated),
    on(BookingCancelled, facts.cancelled),
    on(BookingMissed, facts.missed),
    on(ContactErased, erasure.erased),
    on(VisitCheckedIn, visits.arrived),
    on(VisitDeferred, each(visits.deferred)),
    on(VisitAbandoned, visits.ended),
    on(VisitCompleted, visits.ended),
    on(CardIssued, facts.issued),
    on(SitePlanned, sites.changed),
    on(SiteOpened, sites.changed),
    on(SiteChanged, sites.changed),
    on(SiteWindDownStarted, sites.changed),
    on(SiteClosed, sites.changed),
    on(CapacityPublished, seats.published),
)
