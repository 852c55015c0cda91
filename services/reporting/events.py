"""What the room hears, which is everything, and what it says, which is nothing yet."""

from services.reporting.domain.milestones import MILESTONES
from services.reporting.handlers import cases, sites
from shared.contracts import issuance, preparation, site
from shared.contracts.base import CaseOpened, Event
from shared.contracts.catalog import TOPICS_OF_CASE_OPENED
from shared.messaging.subscriptions import Subscription, on

PUBLISHES: tuple[type[Event], ...] = ()

_WITH_WARD = (preparation.CardReleased, preparation.CardNotified)

SUBSCRIBES: tuple[Subscription, ...] = (
    on(CaseOpened, cases.opened, topics=TOPICS_OF_CASE_OPENED),
    on(preparation.CardApplied, cases.applied),
    on(preparation.CardShipped, cases.shipped),
    on(preparation.CardReleased, cases.reached_in_ward),
    on(preparation.CardNotified, cases.reached_in_ward),
    *(on(each, cases.reached) for each in MILESTONES if each not in _WITH_WARD),
    on(issuance.CardIssued, cases.completed),
    on(issuance.CertificateRenewed, cases.completed),
    on(issuance.ServiceMeasured, sites.measured),
    on(site.SitePlanned, sites.changed),
    on(site.SiteOpened, sites.changed),
    on(site.SiteChanged, sites.changed),
    on(site.SiteWindDownStarted, sites.changed),
    on(site.SiteClosed, sites.changed),
    on(site.CapacityPublished, sites.published),
    on(site.DayClosed, sites.day_closed),
    on(site.NationalSystemSuspended, sites.suspended),
    on(site.NationalSystemResumed, sites.resumed),
)
