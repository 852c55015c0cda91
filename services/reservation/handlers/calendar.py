"""Makes the cells of a site: when its calendar changes, and when days beyond them are asked for.

Nobody loses a seat here: a calendar that has no room for what is booked is refused, or, where the
bookings are being moved elsewhere (a closure), keeps their seats until they leave.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, partial

from services.reservation.domain.cells import (
    Shape,
    capacities,
    midnight,
    minutes_by_hour,
    seats,
)
from services.reservation.domain.opening import accepts, on_sale
from services.reservation.domain.published import Bookable
from services.reservation.domain.rules import Rules
from services.reservation.handlers import site_rules
from services.reservation.store import cells, free_cells, sites, suspensions
from services.reservation.store.free_cells import DayShape
from services.reservation.store.sites import StoredSite
from shared.calendar import TOKYO, business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site, SiteState
from shared.contracts.site import CapacityPublished, DayCapacity
from shared.errors import Conflict, Text
from shared.unit import Unit


class BookingsInTheWay(Conflict):
    """The new calendar has fewer seats than are booked."""

    slug = "bookings-in-the-way"
    title = Text("Booked seats would be lost", "予約済みの枠が失われます")
    remedy = Text(
        "Keep these seats, or send the change again with bookings=move to offer citizens others.",
        "該当する枠を残すか、bookings=move を付けて再送し、市民に代わりの枠をご案内してください。",
    )

    def __init__(self, seats_missing: int, first: datetime, last: datetime) -> None:
        super().__init__(
            extras={
                "seats_missing": seats_missing,
                "first": first.astimezone(TOKYO).isoformat(),
                "last": last.astimezone(TOKYO).isoformat(),
            }
        )


async def remake(
    unit: Unit, site: Site, made_until: date | None, rules: Rules, *, former: Site | None = None
) -> None:
    """Make the cells of a locked site in service anew, from now on, and publish its capacity.

    Days on which ``former`` sold seats and it sells none any more are published as such.
    Raises ``BookingsInTheWay``.
    """
    today = business_date(unit.now)
    until = max(made_until or today, rules.made_until(today))
    await _make(unit, site, today, until, rules)
    await _publish(unit, site, today, until, rules, gone=_sold_days(former, unit.now, until, rules))


async def make_room(
    unit: Unit, site: Site, made_until: date | None, rules: Rules, *, former: Site | None = None
) -> None:
    """Make the cells of a locked site anew from now on, although more may be booked than fits.

    What is booked stays; nothing is sold beyond the new calendar, and days without any seat left
    are published as such, also of what only ``former`` accepted.
    """
    today = business_date(unit.now)
    until = max(made_until or today, rules.made_until(today))
    await _make(unit, site, today, until, rules, strict=False)
    gone = _sold_days(former, unit.now, until, rules)
    for procedure in {entry.procedure for entry in site.acceptance}:
        gone[procedure] = {today + timedelta(days=n) for n in range((until - today).days + 1)}
    await _publish(unit, site, today, until, rules, gone=gone)


async def extend(unit: Unit, stored: StoredSite, asked: date, rules: Rules) -> None:
    """Make cells up to ``asked`` and some days more, unless they are there."""
    if stored.made_until is not None and asked <= stored.made_until:
        return
    locked = await sites.lock(unit.conn, stored.site.site_id)
    if locked is None or (locked.made_until is not None and asked <= locked.made_until):
        return
    first = (locked.made_until or business_date(unit.now)) + timedelta(days=1)
    until = max(asked, rules.made_until(business_date(unit.now)))
    await _make(unit, locked.site, first, until, rules)
    await _publish(unit, locked.site, first, until, rules)


async def publish(unit: Unit, stored: StoredSite, rules: Rules) -> None:
    """Say anew how many seats a locked site has, and how many of them citizens may book now, on
    all days that have cells.
    """
    if stored.made_until is not None and on_sale(stored.site):
        today = business_date(unit.now)
        await _publish(unit, stored.site, today, stored.made_until, rules)


def sold(site: Site, first: date, last: date, rules: Rules) -> dict[datetime, int]:
    """Seats by cell that are sold from ``first`` to ``last``: none unless the site sells."""
    return there(site, first, last, rules) if on_sale(site) else {}


def there(site: Site, first: date, last: date, rules: Rules) -> dict[datetime, int]:
    """Seats by cell in which who is booked can be served: none unless the site is in service."""
    if site.state not in (SiteState.OPEN, SiteState.WINDING_DOWN):
        return {}
    return capacities(site, first, last, rules.calendar, rules.cell_minutes)


async def _make(
    unit: Unit, site: Site, first: date, last: date, rules: Rules, *, strict: bool = True
) -> None:
    start = max(unit.now, midnight(first))
    end = midnight(last + timedelta(days=1))
    wanted = {at: seats for at, seats in sold(site, first, last, rules).items() if at >= start}
    booked = await cells.lock_range(unit.conn, site.site_id, start, end, unit.now)
    if tight := _without_room(booked, wanted):
        # A hold is no booking: it ends where the seat does.
        await cells.end_holds(unit.conn, site.site_id, tight)
        booked = await cells.lock_range(unit.conn, site.site_id, start, end, unit.now)
    if strict:
        _check_room(booked, wanted)
    await cells.replace(unit.conn, site.site_id, start, end, wanted, booked=booked)
    await sites.made(unit.conn, site.site_id, last)


def _check_room(booked: Mapping[datetime, int], wanted: Mapping[datetime, int]) -> None:
    if missing := _without_room(booked, wanted):
        raise BookingsInTheWay(sum(missing.values()), min(missing), max(missing))


def _without_room(
    booked: Mapping[datetime, int], wanted: Mapping[datetime, int]
) -> dict[datetime, int]:
    return {
        at: seats_booked - wanted.get(at, 0)
        for at, seats_booked in booked.items()
        if seats_booked > wanted.get(at, 0)
    }


def _sold_days(
    former: Site | None, start: datetime, last: date, rules: Rules
) -> dict[Procedure, set[date]]:
    """The days on which ``former`` sold seats from ``start`` on, by procedure.

    A day of which nothing is left is not among them: what was told of it stands.
    """
    if former is None:
        return {}
    cells_then = sold(former, business_date(start), last, rules)
    days = {business_date(at) for at in cells_then if at >= start}
    return {
        procedure: {day for day in days if accepts(former, procedure, None, day)}
        for procedure in Procedure
    }


async def _publish(
    unit: Unit,
    site: Site,
    first: date,
    last: date,
    rules: Rules,
    *,
    gone: Mapping[Procedure, Collection[date]] | None = None,
) -> None:
    """Say how many seats there are; on days ``gone`` without any, that there are none."""
    start, end = max(unit.now, midnight(first)), midnight(last + timedelta(days=1))
    shapes = await free_cells.shapes(unit.conn, site.site_id, start, end, unit.now)
    own = await site_rules.at(unit, site.site_id, rules)
    stops = await suspensions.running(unit.conn, [site.site_id])
    for procedure in Procedure:
        there = own.of(procedure)
        count, length = there.cells(procedure), there.cell_minutes
        # Most days of a site look alike: the calendar's weeks, and what nobody has booked yet.
        fit = cache(partial(seats, count=count, cell_minutes=length))
        lie = cache(partial(minutes_by_hour, count=count, cell_minutes=length))
        bookable = Bookable(site.site_id, procedure, there, stops, unit.now)
        found = {day.business_date: day for day in _days(site, bookable, shapes, fit, lie)}
        for day in (gone or {}).get(procedure, ()):
            found.setdefault(day, DayCapacity(business_date=day, total=0, free=0))
        if found:
            days = tuple(found[day] for day in sorted(found))
            unit.emit(
                CapacityPublished(
                    site_id=site.site_id, procedure=procedure, minutes=count * length, days=days
                )
            )


def _days(
    site: Site,
    bookable: Bookable,
    shapes: Sequence[DayShape],
    fit: Callable[[Shape], int],
    lie: Callable[[Shape], tuple[int | None, Sequence[int]]],
) -> Iterator[DayCapacity]:
    for day in shapes:
        if accepts(site, bookable.procedure, None, day.business_date):
            first, minutes = lie(day.total)
            yield DayCapacity(
                business_date=day.business_date,
                total=fit(day.total),
                free=fit(bookable.of(day.business_date, day.free)),
                first_hour=first,
                minutes_by_hour=tuple(minutes),
            )
