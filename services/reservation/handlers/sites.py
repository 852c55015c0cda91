"""Planning and opening a site, and changing one that is open.

Where a change takes booked seats away, it is refused, or starts a closure that finds others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.reservation.domain.closure import ClosureId, ClosureKind, ClosureRunning
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import (
    AsRead,
    NoSuchSite,
    SiteNotOpenable,
    check_as_read,
    check_sound,
    opened,
)
from services.reservation.domain.withdrawal import Former
from services.reservation.handlers import calendar, displacing, fresh_seats, site_news
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

NOTHING_READ = AsRead()


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
    as_read: AsRead = NOTHING_READ,
) -> Settled:
    """Plan ``described``, or let it replace the site of its id; the state stays as it is.

    The same value again changes nothing. Raises ``SiteUnsound``, ``ReadOnly`` (``as_read`` is not
    the site), ``SiteNotOpenable`` (closed for good), ``ClosureRunning``, ``BookingsInTheWay`` and
    what ``require`` raises.
    """
    check_sound(described, rules.cell_minutes)
    new = described.model_copy(update={"state": SiteState.PLANNED})
    stored = await sites.lock(unit.conn, described.site_id)
    if stored is None:
        require(None)
        check_as_read(as_read, new)
        if await sites.insert(unit.conn, new, unit.now):
            await site_news.tell(unit, SitePlanned, new)
            unit.audit("site.planned", subject=new.site_id, site_id=new.site_id, version=1)
            return Settled(new, 1, created=True)
        stored = await sites.lock(unit.conn, described.site_id)
    if stored is None:
        raise NoSuchSite
    require(stored.version)
    check_as_read(as_read, stored.site)
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
    await site_news.tell(unit, SiteOpened, site)
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
    """Let ``described`` replace a locked site, whose state stays. Raises like ``put``.

    A closure that is at work there goes on with the site as it is then.
    """
    own = {"state": stored.site.state, "selling": stored.site.selling}
    site = described.model_copy(update=own)
    if site == stored.site:
        return Settled(site, stored.version)
    if site.state is SiteState.CLOSED:
        raise SiteNotOpenable
    running = await closures.running_at(unit.conn, site.site_id)
    if site.state is SiteState.WINDING_DOWN and running and site.closes_on != stored.site.closes_on:
        raise ClosureRunning(running)
    version = await sites.update(unit.conn, site, unit.now)
    await site_news.tell(unit, SiteChanged, site)
    unit.audit("site.changed", subject=site.site_id, site_id=site.site_id, version=version)
    if site.state not in (SiteState.OPEN, SiteState.WINDING_DOWN):
        return Settled(site, version)
    if running is None and policy is Displaced.REFUSE:
        await calendar.remake(unit, site, stored.made_until, rules, former=stored.site)
        if site.acceptance != stored.site.acceptance:
            await refuse_lost(unit, site, stored.made_until, rules)
        await fresh_seats.ask_first(unit, site.site_id)
        return Settled(site, version)
    await calendar.make_room(unit, site, stored.made_until, rules, former=stored.site)
    if policy is Displaced.REFUSE:
        await refuse_lost(unit, site, stored.made_until, rules)
    if running is not None:
        await closures.nudge(unit.conn, [running], unit.now)
        return Settled(site, version, closure_id=running)
    change = Change(ClosureKind.CHANGE, site, stored.made_until)
    if not (await displacing.affected(unit, change, rules)).lost:
        await fresh_seats.ask_first(unit, site.site_id)
        return Settled(site, version)
    former = Former(stored.site, version)
    closure = await start(unit, site.site_id, ClosureKind.CHANGE, former=former)
    return Settled(site, version, closure_id=closure.closure_id)


async def refuse_lost(unit: Unit, site: Site, made_until: date | None, rules: Rules) -> None:
    """Raise ``BookingsInTheWay`` where somebody who is not leaving already loses a seat.

    Whoever has the old seat back needs none that was kept instead.
    """
    change = Change(ClosureKind.CHANGE, site, made_until)
    found = await displacing.affected(unit, change, rules)
    back = set(found.returning)
    if lost := [one for one in found.lost if one.booking_id not in back]:
        times = [booking.starts_at for booking in lost]
        raise BookingsInTheWay(len(lost), min(times), max(times))
