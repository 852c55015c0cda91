"""Looks for what asks for a decision. A new kind is a detector in the table at the foot."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date

from services.reporting.domain.alerts import Alert, AlertKind, forecast_alerts
from services.reporting.handlers import forecasts, site_reports
from services.reporting.handlers.forecasts import Present
from services.reporting.handlers.site_reports import SiteState
from services.reporting.store import forecasts as stored
from shared.calendar import BusinessCalendar
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Watch:
    """The business date, what counts as far (a share of the forecast), and the business days."""

    today: date
    band: float
    calendar: BusinessCalendar


Detector = Callable[[Unit, Watch], Awaitable[list[Alert]]]
"""Finds the alerts of some kinds as the facts are now."""


async def found(unit: Unit, watch: Watch) -> list[Alert]:
    """Every alert there is, in order of kind and subject."""
    alerts = [alert for detect in DETECTORS for alert in await detect(unit, watch)]
    return sorted(alerts, key=lambda alert: (alert.kind, alert.subject))


async def forecasts_left(unit: Unit, watch: Watch) -> list[Alert]:
    """Months that left the band of the newest forecast."""
    version = await stored.newest(unit.conn)
    if version is None:
        return []
    expected = (await stored.read(unit.conn, version)).expected
    if not expected:
        return []
    month, months = watch.today.replace(day=1), [each for each, _ in expected]
    # Every minute: not all that was ever done.
    span = (min(months), min(month, max(months)))
    found = await forecasts.known(unit, Present(month, watch.calendar), span)
    running = {key: count for key, count in found.counts.items() if key[0] == month}
    done = {**found.over, **running}
    return list(forecast_alerts(version, expected, done, month, watch.band))


async def sites_in_need(unit: Unit, watch: Watch) -> list[Alert]:
    """The alarms of each site now."""
    return of_sites(await site_reports.now(unit.conn, watch.today, unit.now))


def of_sites(states: Iterable[SiteState]) -> list[Alert]:
    """The alarms of these sites as alerts."""
    return [
        Alert(AlertKind(alarm.value), state.site.site_id, None, state.site.site_id)
        for state in states
        for alarm in state.alarms
    ]


DETECTORS: tuple[Detector, ...] = (forecasts_left, sites_in_need)
