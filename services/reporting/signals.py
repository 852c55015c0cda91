"""What asks for somebody at the city's windows, as figures for alerts and dashboards.

Read by the clock in the consume process, from the same facts by the same functions as the pages:
an alert and the dashboard never tell two stories. Every process tells the same, so who asks takes
the greatest. While the facts cannot be read the figures stand still, and their age says so.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from prometheus_client import Gauge

from services.reporting.domain.days import business_day
from services.reporting.domain.free import first_free_of_ward
from services.reporting.handlers import alert_history, site_reports
from services.reporting.handlers.alerts import Watch
from services.reporting.handlers.site_reports import HORIZON_DAYS, Outlook, SiteState
from services.reporting.settings import ReportingSettings
from services.reporting.store import projections, searches, stages
from services.reporting.store.stages import Standing
from shared.calendar import BusinessCalendar
from shared.messaging.failure import may_heal
from shared.room import Resources
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from shared.unit import Unit, Units

SECONDS = 60.0
"""Between two readings."""
log = logging.getLogger(__name__)


class Signals:
    """The figures; a site that serves no more has none."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.waiting = self._gauge("parties_waiting", "Parties that wait now.", "site_id")
        self.longest = self._gauge(
            "longest_wait_seconds", "How long the party waits that came first.", "site_id"
        )
        self.counters = self._gauge(
            "counters_at_work",
            "Counters that have somebody or called somebody within half an hour.",
            "site_id",
        )
        self.to_come = self._gauge("cases_to_come", "Cases still expected today.", "site_id")
        self.served = self._gauge("cases_served", "Cases served today.", "site_id")
        self.first_free = self._gauge(
            "first_free_days",
            f"Days until a resident finds a seat; {HORIZON_DAYS + 1} where there is none.",
            "ward",
            "procedure",
        )
        self.cards = self._gauge("cards_waiting", "Cards that wait at a stage.", "stage")
        self.behind = self._gauge(
            "projections_behind", "Read models to be rebuilt after an upgrade."
        )
        self.read_at = self._gauge(
            "signals_read_seconds", "When these were read and alerts written down, since 1970."
        )

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        registry = self._metrics.registry
        return Gauge(f"madoguchi_reporting_{name}", says, labels, registry=registry)

    async def read(self, unit: Unit) -> None:
        """Look at the facts as they are."""
        day = business_day(unit.now)
        self._sites(await site_reports.now(unit.conn, day, unit.now))
        self._outlook(await site_reports.outlook(unit.conn, day))
        self._stages(await stages.standing(unit.conn, unit.now, unit.now))
        self.behind.set(len(await projections.behind(unit.conn)))

    def _sites(self, states: Sequence[SiteState]) -> None:
        for gauge in (self.waiting, self.longest, self.counters, self.to_come, self.served):
            gauge.clear()
        for state in states:
            site, site_id = state.site, state.site.site_id
            self.waiting.labels(site_id).set(site.waiting)
            self.longest.labels(site_id).set((state.longest_wait or 0) * 60)
            self.counters.labels(site_id).set(site.counters)
            self.to_come.labels(site_id).set(site.to_come)
            self.served.labels(site_id).set(site.served)

    def _outlook(self, outlook: Outlook) -> None:
        self.first_free.clear()
        # Where nothing was ever offered, nothing is missing.
        offered = {procedure for room in outlook.rooms.values() for procedure in room.free}
        seats = outlook.seats
        for ward in {site.ward for site in outlook.sites}:
            for procedure in offered:
                found = first_free_of_ward(seats, outlook.sites, ward, procedure)
                days = (found[0] - outlook.today).days if found else HORIZON_DAYS + 1
                self.first_free.labels(ward, procedure).set(days)

    def _stages(self, standing: Sequence[Standing]) -> None:
        for each in standing:
            self.cards.labels(each.stage).set(each.cards)


async def once(units: Units, signals: Signals, band: float, calendar: BusinessCalendar) -> None:
    """Read the figures, write down which alerts there are, and only then say that it is done."""
    principal = Principal.system("reporting")
    async with units.begin(principal) as unit:
        await signals.read(unit)
        await alert_history.look(unit, Watch(business_day(unit.now), band, calendar))
    signals.read_at.set(time.time())
    async with units.begin(principal) as unit:
        await searches.forget(unit.conn, business_day(unit.now))


async def works(resources: Resources) -> None:
    """Reads the figures again and again, and forgets what is too old to be asked for."""
    signals, band = Signals(resources.metrics), ReportingSettings().forecast_band
    calendar = BusinessCalendar()
    while True:
        try:
            await once(resources.units, signals, band, calendar)
        except Exception as error:
            if not may_heal(error):
                log.exception("the figures for alerts could not be read")
            else:
                log.warning("the figures for alerts stand still: %s", type(error).__name__)
        await asyncio.sleep(SECONDS)
