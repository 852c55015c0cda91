"""When a site is open on a day, and whom an entry of its acceptance serves.

Reservation makes seats of it and reporting the counter hours that were planned, so it is read in
one place. A dated exception stands instead of the weekday's hours; outside its period a site is
closed.
"""

from collections.abc import Iterator
from datetime import date, time

from shared.calendar import BusinessCalendar
from shared.contracts.place import Acceptance, Site, Weekday
from shared.ids import WardCode

Hours = tuple[time, time]
"""From the first to the second; local time (Asia/Tokyo)."""


def hours_on(site: Site, day: date, calendar: BusinessCalendar) -> tuple[Hours, ...]:
    """The hours of ``site`` on ``day``, in order; empty where it is closed."""
    if day < site.opens_on or (site.closes_on is not None and day > site.closes_on):
        return ()
    dated = [entry for entry in site.exceptions if entry.business_date == day]
    if dated:
        return tuple(sorted((e.opens, e.closes) for e in dated if e.opens and e.closes))
    if not site.open_on_holidays and (calendar.is_holiday(day) or calendar.rules.closes(day)):
        return ()
    return tuple(sorted(_weekly(site, day)))


def serves_ward(entry: Acceptance, ward: WardCode | None) -> bool:
    """Whether ``entry`` is for residents of ``ward``; without a ward, of any."""
    return entry.wards is None or ward is None or ward in entry.wards


def in_period(entry: Acceptance, day: date) -> bool:
    """Whether ``entry`` holds on ``day``."""
    begun = entry.from_date is None or entry.from_date <= day
    return begun and (entry.until_date is None or day <= entry.until_date)


def _weekly(site: Site, day: date) -> Iterator[Hours]:
    weekday, nth = Weekday.of(day), (day.day - 1) // 7 + 1
    for entry in site.hours:
        if entry.weekday is weekday and (not entry.occurrences or nth in entry.occurrences):
            yield entry.opens, entry.closes
