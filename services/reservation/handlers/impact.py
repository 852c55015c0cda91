"""What a change would do to bookings: found without a lock, and without changing anything.

It asks what the closure itself asks (``displacing``), so the answer is what the change then does,
unless somebody books or cancels in between.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.reservation.domain.closure import ClosureKind, check_last_day, winding_down
from services.reservation.domain.national_system import Policy, Suspension, check_suspension
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import check_sound
from services.reservation.handlers import displacing, sites
from services.reservation.handlers.displacing import Change
from services.reservation.handlers.suspensions import Order
from services.reservation.store.sites import StoredSite
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site, SiteState
from shared.ids import SiteId, SuspensionId, new_id
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Impact:
    """Bookings that would lose their seats, and what could be offered for them at this moment."""

    bookings: int
    parties: int
    first: datetime | None
    last: datetime | None
    by_day: Mapping[date, int]
    by_procedure: Mapping[Procedure, int]
    offered_at: Mapping[SiteId, int]
    """For how many a seat is free at which site."""
    without_alternative: int
    alternatives_lost: int
    """Seats kept at the site for bookings of other sites, which would need yet another."""


async def of_change(unit: Unit, described: Site, rules: Rules) -> Impact:
    """Were the site like this. Raises ``NoSuchSite`` and ``SiteUnsound``."""
    stored = await sites.find(unit, described.site_id)
    check_sound(described, rules.cell_minutes)
    if stored.site.state is not SiteState.OPEN:
        return _NONE
    site = described.model_copy(update={"state": SiteState.OPEN})
    return await _impact(unit, Change(ClosureKind.CHANGE, site, stored.made_until), rules)


async def of_wind_down(unit: Unit, site_id: SiteId, last_day: date, rules: Rules) -> Impact:
    """Did the site serve for the last time on that day.

    Raises ``NoSuchSite``, ``SiteNotOpen`` and ``LastDayRefused``.
    """
    stored = await sites.find(unit, site_id)
    site = winding_down(stored.site, last_day)
    check_last_day(stored.site, last_day, business_date(unit.now))
    return await _impact(unit, Change(ClosureKind.WIND_DOWN, site, stored.made_until), rules)


async def of_suspension(unit: Unit, site_id: SiteId, order: Order, rules: Rules) -> Impact:
    """Were this suspended at the site and bookings moved.

    Raises ``NoSuchSite`` and ``SuspensionUnsound``.
    """
    stored = await sites.find(unit, site_id)
    check_suspension(order.starts_at, order.ends_at, unit.now)
    if order.bookings is Policy.KEEP:
        return _NONE
    return await _impact(unit, _suspended(unit, stored, order), rules)


def _suspended(unit: Unit, stored: StoredSite, order: Order) -> Change:
    suspension = Suspension(
        suspension_id=SuspensionId(new_id()),
        site_id=stored.site.site_id,
        procedures=order.procedures,
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        reason=order.reason,
        bookings=order.bookings,
        commanded_at=unit.now,
        resumed_at=None,
    )
    return Change(ClosureKind.SUSPENSION, stored.site, stored.made_until, suspension=suspension)


async def _impact(unit: Unit, change: Change, rules: Rules) -> Impact:
    found = await displacing.affected(unit, change, rules)
    seats = await displacing.search(unit, found.bookings, rules, preview=change)
    times = [booking.starts_at for booking in found.bookings]
    return Impact(
        bookings=len(found.bookings),
        parties=len({(b.party_id, b.starts_at) for b in found.bookings}),
        first=min(times, default=None),
        last=max(times, default=None),
        by_day=dict(sorted(Counter(business_date(at) for at in times).items())),
        by_procedure=Counter(booking.procedure for booking in found.bookings),
        offered_at=dict(sorted(Counter(seat.site_id for seat in seats.values()).items())),
        without_alternative=len(found.bookings) - len(seats),
        alternatives_lost=len(found.unseated),
    )


_NONE = Impact(0, 0, None, None, {}, {}, {}, 0, 0)
