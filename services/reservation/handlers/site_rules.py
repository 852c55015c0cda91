"""The rules that hold at a site, and changing what it decides otherwise than its city."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.reservation.domain.booking import Booking
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import NoSuchSite
from services.reservation.domain.site_rules import NONE, Overrides, SiteRules
from services.reservation.handlers.precondition import Precondition
from services.reservation.store import site_rules, sites
from services.reservation.store.site_rules import StoredOverrides
from services.reservation.store.sites import StoredSite
from shared.contracts.base import Procedure
from shared.ids import BookingId, SiteId
from shared.unit import Unit


async def at(unit: Unit, site_id: SiteId, rules: Rules) -> SiteRules:
    """The rules of a site as they are now."""
    return SiteRules(rules, await site_rules.read(unit.conn, site_id), unit.now)


async def at_all(
    unit: Unit, site_ids: Sequence[SiteId], rules: Rules
) -> Mapping[SiteId, SiteRules]:
    """The rules of several sites as they are now."""
    found = await site_rules.of_sites(unit.conn, site_ids)
    return {site_id: SiteRules(rules, found.get(site_id, {}), unit.now) for site_id in site_ids}


async def of_bookings(
    unit: Unit, made: Sequence[Booking], rules: Rules
) -> Mapping[BookingId, Rules]:
    """The rules that hold for each of the bookings, where and for what it is."""
    own = await at_all(unit, sorted({booking.site_id for booking in made}), rules)
    return {one.booking_id: own[one.site_id].of(one.procedure) for one in made}


@dataclass(frozen=True, slots=True)
class Decided:
    """What a site decides for a procedure now, and what it did before, where that is another."""

    now: StoredOverrides
    site: StoredSite
    before: Overrides | None = None


async def put(
    unit: Unit, site_id: SiteId, procedure: Procedure, own: Overrides, require: Precondition
) -> Decided:
    """Replace what the site decides for ``procedure``. The same value changes nothing.

    Raises ``NoSuchSite`` and what ``require`` raises.
    """
    site = await sites.lock(unit.conn, site_id)
    if site is None:
        raise NoSuchSite
    stored = await site_rules.versioned(unit.conn, site_id, procedure)
    require(stored.version if stored else 0)
    if stored is not None and stored.overrides == own:
        return Decided(stored, site)
    version = await site_rules.put(unit.conn, site_id, procedure, own, unit.now)
    unit.audit(
        "site_rule.changed",
        subject=site_id,
        site_id=site_id,
        procedure=procedure.value,
        version=version,
    )
    return Decided(StoredOverrides(own, version), site, stored.overrides if stored else NONE)


async def read(unit: Unit, site_id: SiteId, procedure: Procedure) -> StoredOverrides:
    """What the site decides for ``procedure``; version 0 where nothing.

    Raises ``NoSuchSite``.
    """
    if await sites.read(unit.conn, site_id) is None:
        raise NoSuchSite
    return await site_rules.versioned(unit.conn, site_id, procedure) or StoredOverrides(NONE, 0)
