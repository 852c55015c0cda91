"""What issuance says and hears."""

from services.issuance.handlers import booking_news, case_news, national_news, site_news
from shared.contracts.base import CaseOpened, Event
from shared.contracts.issuance import (
    CardIssued,
    CardSwitchAccepted,
    CertificateFailed,
    CertificateRenewed,
    PinReset,
    ServiceMeasured,
    VisitAbandoned,
    VisitCalled,
    VisitCheckedIn,
    VisitCompleted,
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
    CardNotified,
    CardReceived,
    CardReleased,
    CardShelved,
    CardTransferFailed,
    CardVoided,
)
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingFulfilled,
    BookingMissed,
    BookingMoved,
)
from shared.contracts.site import (
    NationalSystemResumed,
    NationalSystemSuspended,
    SiteChanged,
    SiteOpened,
    SiteWindDownStarted,
)
from shared.messaging.subscriptions import Subscription, on

PUBLISHES: tuple[type[Event], ...] = (
    CardIssued,
    CardSwitchAccepted,
    CertificateFailed,
    CertificateRenewed,
    CaseOpened,
    PinReset,
    ServiceMeasured,
    VisitAbandoned,
    VisitCalled,
    VisitCheckedIn,
    VisitCompleted,
    VisitDeferred,
    VisitMissed,
    VisitPaused,
)

SUBSCRIBES: tuple[Subscription, ...] = (
    on(CaseOpened, case_news.opened, topics=("preparation.events", "reservation.events")),
    on(CardReceived, case_news.received),
    on(CardShelved, case_news.shelved),
    on(CardNotified, case_news.notified),
    on(CardHeld, case_news.held),
    on(CardReleased, case_news.released),
    on(CardVoided, case_news.voided),
    on(CardDispatched, case_news.dispatched),
    on(CardArrived, case_news.arrived),
    on(CardTransferFailed, case_news.transfer_failed),
    on(CardDisposalDue, case_news.disposal_due),
    on(CardDisposed, case_news.disposed),
    on(BookingConfirmed, booking_news.confirmed),
    on(BookingMoved, booking_news.moved),
    on(BookingCancelled, booking_news.cancelled),
    on(BookingMissed, booking_news.missed),
    on(BookingFulfilled, booking_news.fulfilled),
    on(NationalSystemSuspended, national_news.suspended),
    on(NationalSystemResumed, national_news.resumed),
    on(SiteOpened, site_news.told),
    on(SiteChanged, site_news.told),
    on(SiteWindDownStarted, site_news.told),
)
