"""The life of a site besides planning and opening: it is prepared, wound down and closed.

A site closes only once everybody who was booked beyond its last day has another seat.
"""

from datetime import date, timedelta

from services.reservation.domain.cells import midnight
from services.reservation.domain.closure import ClosureKind, check_last_day, winding_down
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import NoSuchSite, prepared
from services.reservation.domain.withdrawal import Former
from services.reservation.handlers import calendar, site_news
from services.reservation.handlers.closures import start
from services.reservation.handlers.precondition import Precondition
from services.reservation.handlers.sites import Settled
from services.reservation.store import sites
from services.reservation.store.sites import StoredSite
from shared.calendar import business_date
from shared.contracts.place import Site
from shared.contracts.site import DayClosed, SiteChanged, SiteWindDownStarted
from shared.due import DueWork
from shared.ids import SiteId
from shared.opening import hours_on
from shared.unit import Unit

DAYS = 31
"""How many ended days of a site are told in one batch."""


async def prepare(unit: Unit, site_id: SiteId, require: Precondition) -> Settled:
    """A planned site is being prepared: rented, staffed, equipped. Said twice it stays so.

    Raises ``NoSuchSite``, ``SiteNotPreparable`` and what ``require`` raises.
    """
    stored = await _lock(unit, site_id, require)
    site = prepared(stored.site)
    if site == stored.site:
        return Settled(site, stored.version)
    version = await sites.update(unit.conn, site, unit.now)
    await site_news.tell(unit, SiteChanged, site)
    unit.audit("site.preparing", subject=site_id, site_id=site_id, version=version)
    return Settled(site, version)


async def wind_down(
    unit: Unit,
    site_id: SiteId,
    last_day: date,
    rules: Rules,
    require: Precondition,
    *,
    selling: bool = True,
) -> Settled:
    """An open site sells nothing beyond ``last_day``, serves until then, and closes.

    ``selling``: what is free until then is sold. Raises ``NoSuchSite``, ``SiteNotOpen``,
    ``LastDayRefused``, ``ClosureRunning`` and what ``require`` raises.
    """
    stored = await _lock(unit, site_id, require)
    site = winding_down(stored.site, last_day, selling=selling)
    check_last_day(stored.site, last_day, business_date(unit.now))
    return await _wind_down(unit, stored, site, last_day, rules)


async def _wind_down(
    unit: Unit, stored: StoredSite, site: Site, last_day: date, rules: Rules
) -> Settled:
    version = await sites.update(unit.conn, site, unit.now)
    closure = await start(
        unit,
        site.site_id,
        ClosureKind.WIND_DOWN,
        last_day=last_day,
        former=Former(stored.site, version),
    )
    await site_news.tell(unit, SiteWindDownStarted, site, last_day=last_day)
    unit.audit(
        "site.wind_down_started",
        subject=site.site_id,
        site_id=site.site_id,
        version=version,
        last_day=last_day.isoformat(),
    )
    await calendar.make_room(unit, site, stored.made_until, rules)
    return Settled(site, version, closure_id=closure.closure_id)


async def _lock(unit: Unit, site_id: SiteId, require: Precondition) -> StoredSite:
    stored = await sites.lock(unit.conn, site_id)
    if stored is None:
        raise NoSuchSite
    require(stored.version)
    return stored


def periods(rules: Rules) -> DueWork:
    """Due work: a site whose period has ended (a temporary window) is wound down by itself."""

    async def batch(unit: Unit) -> int:
        stored = await sites.take_outlived(unit.conn, business_date(unit.now))
        if stored is None or stored.site.closes_on is None:
            return 0
        last_day = stored.site.closes_on
        site = winding_down(stored.site, last_day)
        await _wind_down(unit, stored, site, last_day, rules)
        return 1

    return batch


def day_ends(rules: Rules) -> DueWork:
    """Due work: say of every business date of a site that it has ended."""

    async def batch(unit: Unit) -> int:
        today = business_date(unit.now)
        taken = await sites.take_day_ended(unit.conn, today)
        if taken is None:
            return 0
        stored, told = taken
        first = max(told + timedelta(days=1), stored.site.opens_on)
        last = min(today - timedelta(days=1), first + timedelta(days=DAYS))
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            if hours_on(stored.site, day, rules.calendar):
                end = midnight(day + timedelta(days=1))
                event = DayClosed(site_id=stored.site.site_id, business_date=day)
                unit.emit(event, time=end)
        await sites.day_closed(unit.conn, stored.site.site_id, max(last, told))
        return 1

    return batch
