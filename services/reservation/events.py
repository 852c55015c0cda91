"""What reservation publishes and hears."""

from services.reservation.handlers import facts, moved_wards, returned_notices, transfers, visits
from shared.contracts.base import CaseOpened, Event
from shared.contracts.issuance import (
    CardIssued,
    CertificateRenewed,
    VisitAbandoned,
    VisitDeferred,
    VisitMissed,
    VisitPaused,
)
from shared.contracts.preparation import (
    CardArrived,
    CardDispatched,
    CardDisposalDue,
    CardDisposed,
    CardHeld,
    CardNoticeReturned,
    CardNotified,
    CardReleased,
    CardTransferFailed,
    CardVoided,
)
from shared.contracts.reservation import (
    AvailabilitySearched,
    BookingCancelled,
    BookingConfirmed,
    BookingFulfilled,
    BookingMissed,
    BookingMoved,
    ContactErased,
    WaitlistOffered,
)
from shared.contracts.site import (
    CapacityPublished,
    DayClosed,
    NationalSystemResumed,
    NationalSystemSuspended,
    SiteChanged,
    SiteClosed,
    SiteOpened,
    SitePlanned,
    SiteWindDownStarted,
)
from shared.messaging.subscriptions import Subscription, on

PUBLISHES: tuple[type[Event], ...] = (
    SitePlanned,
    SiteOpened,
    SiteChanged,
    SiteWindDownStarted,
    SiteClosed,
    CapacityPublished,
    DayClosed,
    NationalSystemSuspended,
    NationalSystemResumed,
    BookingConfirmed,
    BookingMoved,
    BookingCancelled,
    BookingMissed,
    BookingFulfilled,
    WaitlistOffered,
    CaseOpened,
    ContactErased,
    AvailabilitySearched,
)

SUBSCRIBES: tuple[Subscription, ...] = (
    on(CardNotified, returned_notices.notified),
    on(CardHeld, facts.held),
    on(CardReleased, moved_wards.released),
    on(CardVoided, facts.voided),
    on(CardDispatched, facts.dispatched),
    on(CardArrived, facts.arrived),
    on(CardTransferFailed, transfers.failed),
    on(CardDisposalDue, facts.disposal_due),
    on(CardDisposed, facts.disposal_due),
    on(CardNoticeReturned, returned_notices.returned),
    on(CardIssued, visits.done),
    on(CertificateRenewed, visits.done),
    on(VisitDeferred, visits.used),
    on(VisitAbandoned, visits.used),
    on(VisitMissed, visits.missed),
    on(VisitPaused, visits.paused),
)
