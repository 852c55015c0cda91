"""Planning and opening a site, and changing one that is open.

Where a change takes booked seats away, it is refused, or starts a closure that finds others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.reservation.domain.closure import ClosureId, ClosureKind, ClosureRunning
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import NoSuchSite, SiteNotOpenable, check_sound, opened
from services.reservation.handlers import calendar, displacing
from services.reservation.handlers.calendar import BookingsInTheWay
from services.reservation.handlers.closures import start
from services.reservation.handlers.displacing import Change
from services.reservation.handlers.precondition import Precondition
from services.reservation.store import closures, sites
from services.reservation.store.sites import StoredSite
from shared.contracts.place import Site, SiteState
from shared.contracts.site import SiteChanged, SiteOpened, SitePlanned
from shared.ids import SiteId
from shared.unit import Unit


class Displaced(StrEnum):
    """What becomes of bookings for which a changed site has no seat."""

    REFUSE = "refuse"
    """The change is refused."""
    MOVE = "move"
    """Their citizens are offered other seats."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A site, its version, and whether a command has just made it."""

    site: Site
    version: int
    created: bool = False
    closure_id: ClosureId | None = None
    """What finds other seats for those that the change displaced."""


async def put(
    unit: Unit,
    described: Site,
    rules: Rules,
    require: Precondition,
    *,
    policy: Displaced = Displaced.REFUSE,
) -> Settled:
    """Plan ``described``, or let it replace the site of its id; the state stays as it is.

    The same value again changes nothing. Raises ``SiteUnsound``, ``SiteNotOpenable`` (closed for
    good), ``ClosureRunning``, ``BookingsInTheWay`` and what ``require`` raises.
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
    return await replace(unit, stored, described, rules, policy)


async def amend(
    unit: Unit,
    site_id: SiteId,
    part: Mapping[str, object],
    rules: Rules,
    require: Precondition,
    *,
    policy: Displaced = Displaced.REFUSE,
) -> Settled:
    """Replace a part of a site: its hours, exceptions, acceptance or staff.

    Raises ``NoSuchSite`` and what ``put`` raises.
    """
    stored = await sites.lock(unit.conn, site_id)
    if stored is None:
        raise NoSuchSite
    require(stored.version)
    described = stored.site.model_copy(update=dict(part))
    check_sound(described, rules.cell_minutes)
    return await replace(unit, stored, described, rules, policy)


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


async def replace(
    unit: Unit, stored: StoredSite, described: Site, rules: Rules, policy: Displaced
) -> Settled:
    """Let ``described`` replace a locked site, whose state stays. Raises like ``put``."""
    site = described.model_copy(update={"state": stored.site.state})
    if site == stored.site:
        return Settled(site, stored.version)
    if site.state is SiteState.CLOSED:
        raise SiteNotOpenable
    running = await closures.running_at(unit.conn, site.site_id)
    if running is not None:
        raise ClosureRunning(running)
    version = await sites.update(unit.conn, site, unit.now)
    unit.emit(SiteChanged(site=site))
    unit.audit("site.changed", subject=site.site_id, site_id=site.site_id, version=version)
    if site.state is not SiteState.OPEN:
        return Settled(site, version)
    if policy is Displaced.REFUSE:
        await calendar.remake(unit, site, stored.made_until, rules)
        if site.acceptance != stored.site.acceptance:
            await _refuse_unaccepted(unit, site, stored, rules)
        return Settled(site, version)
    await calendar.make_room(unit, site, stored.made_until, rules)
    change = Change(ClosureKind.CHANGE, site, stored.made_until)
    found = await displacing.affected(unit, change, rules)
    if not found.bookings and not found.unseated:
        return Settled(site, version)
    closure = await start(unit, site.site_id, ClosureKind.CHANGE)
    return Settled(site, version, closure_id=closure.closure_id)


async def _refuse_unaccepted(unit: Unit, site: Site, stored: StoredSite, rules: Rules) -> None:
    change = Change(ClosureKind.CHANGE, site, stored.made_until)
    if lost := (await displacing.affected(unit, change, rules)).bookings:
        times = [booking.starts_at for booking in lost]
        raise BookingsInTheWay(len(lost), min(times), max(times))
