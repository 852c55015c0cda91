"""Reads what is known of sites' days, and lays the plan that held beside what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.reporting.domain.alarms import Alarm, alarms
from services.reporting.domain.free import Rooms, Seats, rooms, seats
from services.reporting.domain.opening import Planned, planned_minutes
from services.reporting.store import plans, site_days, site_now, site_offers, site_times
from services.reporting.store.site_days import DayFigures, Days, HourFigures
from services.reporting.store.site_now import SiteNow
from services.reporting.store.site_times import Percentiles
from shared.calendar import BusinessCalendar
from shared.contracts.place import Site
from shared.db import Connection
from shared.ids import SiteId

HORIZON_DAYS = 60
"""How far ahead citizens book (the brief's default; no event tells another)."""


@dataclass(frozen=True, slots=True)
class SiteDay:
    """A site's day: what was planned for it, and what came of it."""

    planned_minutes: int
    figures: DayFigures


@dataclass(frozen=True, slots=True)
class SiteHour:
    """An hour of a site's day: what was planned for it, and what came of it."""

    planned_minutes: int
    figures: HourFigures


async def days(conn: Connection, span: Days, calendar: BusinessCalendar) -> list[SiteDay]:
    """Every day of every site on which anything was planned or happened, by day and site."""
    plan = await _plan(conn, span, calendar)
    known = {(f.business_date, f.site_id): f for f in await site_days.days(conn, span)}
    return [
        SiteDay(sum(plan.get(key, {}).values()), known.get(key) or _no_day(*key))
        for key in sorted(known.keys() | {key for key, hours in plan.items() if hours})
    ]


async def hours(conn: Connection, span: Days, calendar: BusinessCalendar) -> list[SiteHour]:
    """Every hour of every site in which anything was planned or happened, in order."""
    plan = await _plan(conn, span, calendar)
    planned = {(*key, hour): mins for key, found in plan.items() for hour, mins in found.items()}
    known = {(f.business_date, f.site_id, f.hour): f for f in await site_days.hours(conn, span)}
    return [
        SiteHour(planned.get(key, 0), known.get(key) or HourFigures(*key, None, 0, 0, None, None))
        for key in sorted(known.keys() | {key for key, minutes in planned.items() if minutes})
    ]


@dataclass(frozen=True, slots=True)
class SiteState:
    """A site at a moment: what is known of it, how long parties waited today, what is wrong.

    ``longest_wait`` is that of the party that waits longest now, in minutes; none without one.
    """

    site: SiteNow
    waited: Percentiles
    longest_wait: int | None
    alarms: Sequence[Alarm]


async def now(conn: Connection, day: date, at: datetime) -> list[SiteState]:
    """Every site that serves, as it is at the instant ``at`` of ``day``."""
    found = await site_now.now(conn, day, at)
    spans = {one.site_id: one.waited for one in await site_times.times(conn, Days(day, day))}
    return [_state(site, spans.get(site.site_id, Percentiles(0)), at) for site in found]


def _state(site: SiteNow, waited: Percentiles, at: datetime) -> SiteState:
    # Who has come by another clock a moment later has not waited yet.
    wait = max(at - site.waiting_since, timedelta(0)) if site.waiting_since else None
    found = alarms(
        suspended=site.suspended,
        waited=wait,
        counters=site.counters,
        late_batches=site.late_batches,
    )
    longest = None if wait is None else wait // timedelta(minutes=1)
    return SiteState(site, waited, longest, tuple(found))


@dataclass(frozen=True, slots=True)
class Outlook:
    """The days from tomorrow on: what is offered and free at each site."""

    today: date
    sites: Sequence[Site]
    rooms: Rooms

    @property
    def seats(self) -> Seats:
        """What is free of it."""
        return seats(self.rooms)


async def outlook(conn: Connection, today: date) -> Outlook:
    """What is free from tomorrow to the end of the horizon, at the sites as they are now."""
    first, last = today + timedelta(days=1), today + timedelta(days=HORIZON_DAYS)
    offers = await site_offers.offers(conn, first, last)
    return Outlook(today, await plans.on_day(conn, today), rooms(offers))


async def _plan(
    conn: Connection, span: Days, calendar: BusinessCalendar
) -> dict[tuple[date, SiteId], Planned]:
    """What was planned for each day, by what had been told of the site until its end."""
    count = (span.last - span.first).days + 1
    wanted = [span.first + timedelta(days=number) for number in range(count)]
    return {
        (day, site_id): planned_minutes(site, day, calendar)
        for site_id, told in (await plans.versions(conn, span.site_id)).items()
        for day in wanted
        if (site := plans.as_of(told, day)) is not None
    }


def _no_day(day: date, site_id: SiteId) -> DayFigures:
    return DayFigures(
        business_date=day,
        site_id=site_id,
        offered_minutes=None,
        bookings=0,
        booked_minutes=0,
        open_minutes=None,
        used_minutes=None,
        no_shows=0,
        no_show_minutes=0,
        cancelled=0,
        parties=0,
        walk_ins=0,
        served=0,
        deferred=0,
        abandoned=0,
    )
