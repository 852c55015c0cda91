"""How many counter minutes a site has planned, and whom it accepts: read from the site as told.

A counter can be used where there is a terminal and somebody to sit at it, so the least of the three
counts; where no staff is told, counters and terminals do.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, time
from functools import lru_cache

from shared.calendar import BusinessCalendar
from shared.contracts.base import Procedure
from shared.contracts.place import Site, SiteState, Weekday
from shared.ids import WardCode
from shared.opening import Hours, hours_on, in_period, serves_ward

Shift = tuple[time, time, int]
"""From when until when how many serve."""
Planned = Mapping[int, int]
"""Counter minutes by hour (0-23)."""

STEP = 5
"""Minutes; hours and staff change at no finer times."""

_SERVING = (SiteState.OPEN, SiteState.WINDING_DOWN)


def planned_minutes(site: Site, day: date, calendar: BusinessCalendar) -> Planned:
    """Counter minutes of ``site`` on ``day`` by the hour (0-23) in which they lie."""
    if site.state not in _SERVING:
        return {}
    weekday = Weekday.of(day)
    shifts = tuple((e.starts, e.ends, e.people) for e in site.staff if e.weekday is weekday)
    places = min(site.counters, site.terminals)
    return _by_hour(hours_on(site, day, calendar), places, shifts if site.staff else None)


def accepts(site: Site, procedure: Procedure, ward: WardCode, day: date) -> bool:
    """Whether ``site`` serves residents of ``ward`` with ``procedure`` on ``day``."""
    return site.state in _SERVING and any(
        entry.procedure is procedure and serves_ward(entry, ward) and in_period(entry, day)
        for entry in site.acceptance
    )


@lru_cache(maxsize=1024)  # a year has few kinds of days
def _by_hour(hours: tuple[Hours, ...], places: int, shifts: tuple[Shift, ...] | None) -> Planned:
    planned: Counter[int] = Counter()
    for opens, closes in hours:
        for at in range(_minute(opens), _minute(closes), STEP):
            planned[at // 60] += min(places, _people(shifts, at, places)) * STEP
    return planned


def _people(shifts: tuple[Shift, ...] | None, at: int, places: int) -> int:
    if shifts is None:
        return places
    return sum(
        people
        for starts, ends, people in shifts
        if _minute(starts) <= at and at + STEP <= _minute(ends)
    )


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
