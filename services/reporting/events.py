"""What the room hears, which is all that others say, by the read models it is kept in, and what it
says itself."""

from services.reporting.domain.milestones import MILESTONES
from services.reporting.handlers import (
    bookings,
    cases,
    first_free,
    plans,
    searches,
    sites,
    transfers,
    visits,
)
from services.reporting.handlers.projection import Projection, together
from shared.contracts import issuance, preparation, reporting, reservation, site
from shared.contracts.base import CaseOpened, Event
from shared.contracts.catalog import TOPICS_OF_CASE_OPENED
from shared.messaging.subscriptions import on

PUBLISHES: tuple[type[Event], ...] = (reporting.ForecastPublished,)

CASES = Projection(
    "cases",
    tables=("case_fact", "booking_change", "hold_change"),
    subscriptions=(
        on(CaseOpened, cases.heard, topics=TOPICS_OF_CASE_OPENED),
        on(preparation.CardApplied, cases.heard),
        on(preparation.CardShipped, cases.heard),
        *(on(each, cases.heard) for each in MILESTONES),
        on(preparation.CardHeld, cases.held),
        on(preparation.CardReleased, cases.held),
        on(reservation.BookingMoved, cases.changed),
        on(reservation.BookingCancelled, cases.changed),
        on(issuance.CardIssued, cases.heard),
        on(issuance.CertificateRenewed, cases.heard),
    ),
)

SITES = Projection(
    "sites",
    tables=("site_fact", "site_seats", "site_day_closed", "site_suspension"),
    subscriptions=(
        on(site.SitePlanned, sites.changed),
        on(site.SiteOpened, sites.changed),
        on(site.SiteChanged, sites.changed),
        on(site.SiteWindDownStarted, sites.changed),
        on(site.SiteClosed, sites.changed),
        on(site.CapacityPublished, sites.published),
        on(site.DayClosed, sites.day_closed),
        on(site.NationalSystemSuspended, sites.suspended),
        on(site.NationalSystemResumed, sites.resumed),
    ),
)

MEASURES = Projection(
    "measures",
    tables=("site_measure",),
    subscriptions=(on(issuance.ServiceMeasured, sites.measured),),
)

SITE_DAYS = Projection(
    "site_days",
    tables=("site_version", "site_offer", "booking_fact", "visit_fact", "transfer_fact"),
    subscriptions=(
        on(site.SitePlanned, plans.changed),
        on(site.SiteOpened, plans.changed),
        on(site.SiteChanged, plans.changed),
        on(site.SiteWindDownStarted, plans.changed),
        on(site.SiteClosed, plans.changed),
        on(site.CapacityPublished, plans.offered),
        on(reservation.BookingConfirmed, bookings.heard),
        on(reservation.BookingMoved, bookings.heard),
        on(reservation.BookingCancelled, bookings.heard),
        on(reservation.BookingMissed, bookings.heard),
        on(reservation.BookingFulfilled, bookings.heard),
        on(issuance.VisitCheckedIn, visits.heard),
        on(issuance.VisitCalled, visits.heard),
        on(issuance.VisitCompleted, visits.heard),
        on(issuance.VisitDeferred, visits.heard),
        on(issuance.VisitAbandoned, visits.heard),
        on(preparation.CardDispatched, transfers.dispatched),
        on(preparation.CardArrived, transfers.arrived),
        on(preparation.CardTransferFailed, transfers.failed),
    ),
)

FREE_DAYS = Projection(
    "free_days",
    tables=("free_told",),
    subscriptions=(on(site.CapacityPublished, first_free.told),),
)

SEARCHES = Projection(
    "searches",
    tables=("search_count",),
    subscriptions=(on(reservation.AvailabilitySearched, searches.searched),),
)

PROJECTIONS: tuple[Projection, ...] = (CASES, SITES, MEASURES, SITE_DAYS, FREE_DAYS, SEARCHES)
"""Each can be built again from offset zero by itself (``madoguchi projections rebuild``)."""

SUBSCRIBES = together(PROJECTIONS)
