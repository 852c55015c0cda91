"""Planning and opening a site, and changing one that is open."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.reservation.domain.rules import Rules
from services.reservation.domain.site import NoSuchSite, check_sound, opened
from services.reservation.handlers import calendar
from services.reservation.handlers.precondition import Precondition
from services.reservation.store import sites
from services.reservation.store.sites import StoredSite
from shared.contracts.place import Site, SiteState
from shared.contracts.site import SiteChanged, SiteOpened, SitePlanned
from shared.ids import SiteId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Settled:
    """A site, its version, and whether a command has just made it."""

    site: Site
    version: int
    created: bool = False


async def put(unit: Unit, described: Site, rules: Rules, require: Precondition) -> Settled:
    """Plan ``described``, or let it replace the site of its id; the state stays as it is.

    The same value again changes nothing. Raises ``SiteUnsound``, ``BookingsInTheWay`` and what
    ``require`` raises.
    """
    check_sound(described, rules.cell_minutes)
    new = described.model_copy(update={"state": SiteState.PLANNED})
    stored = await sites.lock(unit.conn, described.site_id)
    if stored is None:
        require(None)
        if await sites.insert(unit.conn, new, unit.now):
            unit.emit(SitePlanned(site=new))
            unit.audit("site.planned", subject=new.site_id, site_id=new.site_id, version=1)
            return Settled(new, 1, created=True)
        stored = await sites.lock(unit.conn, described.site_id)
    if stored is None:
        raise NoSuchSite
    require(stored.version)
    return await _replace(unit, stored, described, rules)


async def open_(unit: Unit, site_id: SiteId, rules: Rules) -> Settled:
    """Open a site: from now on its seats can be booked. An open one stays as it is.

    Raises ``NoSuchSite``, ``SiteIncomplete`` and ``SiteNotOpenable``.
    """
    stored = await sites.lock(unit.conn, site_id)
    if stored is None:
        raise NoSuchSite
    site = opened(stored.site)
    if site == stored.site:
        return Settled(site, stored.version)
    version = await sites.update(unit.conn, site, unit.now)
    unit.emit(SiteOpened(site=site))
    unit.audit("site.opened", subject=site_id, site_id=site_id, version=version)
    await calendar.remake(unit, site, stored.made_until, rules)
    return Settled(site, version)


async def list_(unit: Unit, after: str, limit: int) -> Sequence[Settled]:
    """Up to ``limit`` sites whose id comes after ``after``, by id."""
    rows = await sites.page(unit.conn, after, limit)
    return [Settled(row.site, row.version) for row in rows]


async def read(unit: Unit, site_id: SiteId) -> Settled:
    """The site. Raises ``NoSuchSite``."""
    stored = await find(unit, site_id)
    return Settled(stored.site, stored.version)


async def find(unit: Unit, site_id: SiteId) -> StoredSite:
    """The site with what only handlers need. Raises ``NoSuchSite``."""
    stored = await sites.read(unit.conn, site_id)
    if stored is None:
        raise NoSuchSite
    return stored


async def _replace(unit: Unit, stored: StoredSite, described: Site, rules: Rules) -> Settled:
    site = described.model_copy(update={"state": stored.site.state})
    if site == stored.site:
        return Settled(site, stored.version)
    version = await sites.update(unit.conn, site, unit.now)
    unit.emit(SiteChanged(site=site))
    unit.audit("site.changed", subject=site.site_id, site_id=site.site_id, version=version)
    if site.state is SiteState.OPEN:
        await calendar.remake(unit, site, stored.made_until, rules)
    return Settled(site, version)
