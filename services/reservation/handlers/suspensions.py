"""Suspensions: one command stops procedures at some or all sites, another lets them go on.

Nothing is booked into a suspension, because booking looks for one. What is booked in it already is
moved by a closure of each site, or kept, as the command says. How many seats are left to citizens
is told anew when one is commanded and when it ends; closures are locked before sites, sites before
cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.reservation.domain.closure import Closure, ClosureKind
from services.reservation.domain.national_system import (
    NoSuchSuspension,
    Policy,
    Suspension,
    check_suspension,
)
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import NoSuchSite
from services.reservation.handlers import capacity, closures, fresh_seats, standing
from services.reservation.store import closures as closure_store
from services.reservation.store import sites, suspensions
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import SiteState
from shared.contracts.site import (
    NationalSystemResumed,
    NationalSystemSuspended,
    SuspensionReason,
)
from shared.due import DueWork
from shared.ids import SiteId, SuspensionId, new_id
from shared.security.principal import EVERY_SITE
from shared.unit import Unit

BATCH = 50


@dataclass(frozen=True, slots=True)
class Order:
    """What is suspended; no sites: every site that is open."""

    site_ids: tuple[SiteId, ...] | None
    procedures: frozenset[Procedure]
    starts_at: datetime
    ends_at: datetime | None
    reason: SuspensionReason
    bookings: Policy


async def suspend(unit: Unit, order: Order, rules: Rules) -> list[Suspension]:
    """Stop what the order says at each of its sites; the suspension by site.

    Raises ``SiteForbidden``, ``NoSuchSite`` and ``SuspensionUnsound``.
    """
    check_suspension(order.starts_at, order.ends_at, unit.now)
    site_ids = await _sites(unit, order.site_ids)
    one = Suspension(
        suspension_id=SuspensionId(new_id()),
        site_id=site_ids[0],
        procedures=order.procedures,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        reason=order.reason,
        bookings=order.bookings,
        commanded_at=unit.now,
        resumed_at=None,
    )
    await suspensions.insert(unit.conn, one, site_ids)
    for site_id in site_ids:
        unit.emit(_suspended(one, site_id))
        unit.audit(
            "national_system.suspended",
            subject=site_id,
            site_id=site_id,
            suspension_id=str(one.suspension_id),
        )
        if order.bookings is Policy.MOVE:
            await closures.start(
                unit, site_id, ClosureKind.SUSPENSION, suspension_id=one.suspension_id
            )
    await capacity.tell(unit, site_ids, rules)
    return await suspensions.read(unit.conn, one.suspension_id)


async def resume(
    unit: Unit, suspension_id: SuspensionId, site_ids: Sequence[SiteId] | None, rules: Rules
) -> list[Suspension]:
    """Let it end at these sites (at all) now; whoever has not moved keeps the seat.

    What has ended already stays as it is. Raises ``NoSuchSuspension`` and ``SiteForbidden``.
    """
    found = await read(unit, suspension_id)
    wanted = sorted(site_ids) if site_ids else [one.site_id for one in found]
    for site_id in wanted:
        unit.principal.require_site(site_id)
    ended = await suspensions.resume(unit.conn, suspension_id, wanted, unit.now)
    await _tell_resumed(unit, ended, rules)
    return await suspensions.read(unit.conn, suspension_id)


async def read(unit: Unit, suspension_id: SuspensionId) -> list[Suspension]:
    """One suspension, by site. Raises ``NoSuchSuspension``."""
    found = await suspensions.read(unit.conn, suspension_id)
    if not found:
        raise NoSuchSuspension
    return found


async def closures_of(unit: Unit, suspension_id: SuspensionId) -> list[Closure]:
    """What finds other seats at its sites."""
    return await closure_store.of_suspension(unit.conn, suspension_id)


async def page(
    unit: Unit, after: SuspensionId | None, limit: int, *, running_only: bool
) -> list[list[Suspension]]:
    """Up to ``limit`` suspensions after this one, oldest first, each by site."""
    rows = await suspensions.page(unit.conn, after, limit, running_only=running_only)
    grouped: dict[SuspensionId, list[Suspension]] = {}
    for one in rows:
        grouped.setdefault(one.suspension_id, []).append(one)
    return list(grouped.values())


def ends(rules: Rules) -> DueWork:
    """Due work: a suspension ends when it was said to."""

    async def batch(unit: Unit) -> int:
        over = await suspensions.take_over(unit.conn, unit.now, BATCH)
        ended: list[Suspension] = []
        for one in over:
            at = one.ends_at or unit.now
            ended += await suspensions.resume(unit.conn, one.suspension_id, [one.site_id], at)
        await _tell_resumed(unit, ended, rules)
        return len(over)

    return batch


async def _sites(unit: Unit, named: tuple[SiteId, ...] | None) -> list[SiteId]:
    if named is None:
        unit.principal.require_site(EVERY_SITE)
        site_ids = [stored.site.site_id for stored in await sites.in_service(unit.conn)]
    else:
        for site_id in named:
            unit.principal.require_site(site_id)
        there = await sites.read_all(unit.conn, named)
        serving = (SiteState.OPEN, SiteState.WINDING_DOWN)
        site_ids = sorted(one for one in there if there[one].site.state in serving)
        if len(site_ids) < len(set(named)):
            raise NoSuchSite
    if not site_ids:
        raise NoSuchSite
    return site_ids


async def _tell_resumed(unit: Unit, ended: Sequence[Suspension], rules: Rules) -> None:
    for one in ended:
        unit.emit(
            NationalSystemResumed(
                site_id=one.site_id,
                suspension_id=one.suspension_id,
                procedures=_named(one),
                resumed_at=one.resumed_at or unit.now,
            )
        )
        unit.audit(
            "national_system.resumed",
            subject=one.site_id,
            site_id=one.site_id,
            suspension_id=str(one.suspension_id),
        )
    for suspension_id in sorted({one.suspension_id for one in ended}):
        await closure_store.hurry(unit.conn, suspension_id, unit.now)
    await capacity.tell(unit, {one.site_id for one in ended}, rules)
    # Closures come before cells, as for whoever works on them.
    for one in sorted(ended, key=lambda each: each.site_id):
        await fresh_seats.ask_first(unit, one.site_id, *_reach(one))
    for one in ended:
        await standing.stop_telling(unit, one.suspension_id, one.site_id)


def _reach(one: Suspension) -> tuple[date, date | None]:
    """The first and last day on which it kept seats from being booked."""
    return business_date(one.starts_at), business_date(one.ends_at) if one.ends_at else None


def _suspended(one: Suspension, site_id: SiteId) -> NationalSystemSuspended:
    return NationalSystemSuspended(
        site_id=site_id,
        suspension_id=one.suspension_id,
        procedures=_named(one),
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        reason=one.reason,
    )


def _named(one: Suspension) -> tuple[Procedure, ...]:
    return tuple(procedure for procedure in Procedure if procedure in one.procedures)
