"""When a site is open on a day, and whom it serves with what.

A dated exception stands instead of the weekday's hours; outside its period a site is closed.
"""

from collections.abc import Iterator
from datetime import date, time

from shared.calendar import BusinessCalendar, is_after_third_saturday
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, Site, SiteState, Weekday
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


def on_sale(site: Site) -> bool:
    """Whether free seats of ``site`` are sold: to its last day, unless its planner stopped that."""
    return site.state is SiteState.OPEN or (site.state is SiteState.WINDING_DOWN and site.selling)


def accepts(site: Site, procedure: Procedure, ward: WardCode | None, day: date) -> bool:
    """Whether ``site`` sells seats to residents of ``ward`` for ``procedure`` on ``day``.

    Without a ward: whether it does to residents of any.
    """
    return on_sale(site) and would_accept(site, procedure, ward, day)


def would_accept(site: Site, procedure: Procedure, ward: WardCode | None, day: date) -> bool:
    """Whether ``site``, were it selling, would serve residents of ``ward`` like this."""
    if national_system_rests(procedure, day):
        return False
    return any(
        entry.procedure is procedure and _serves(entry, ward) and _in_period(entry, day)
        for entry in site.acceptance
    )


def ever_accepts(site: Site, procedure: Procedure, ward: WardCode | None) -> bool:
    """Whether ``site`` serves residents of ``ward`` (of any) with ``procedure`` on any day."""
    return on_sale(site) and any(
        entry.procedure is procedure and _serves(entry, ward) for entry in site.acceptance
    )


def _weekly(site: Site, day: date) -> Iterator[Hours]:
    weekday, nth = Weekday.of(day), (day.day - 1) // 7 + 1
    for entry in site.hours:
        if entry.weekday is weekday and (not entry.occurrences or nth in entry.occurrences):
            yield entry.opens, entry.closes


def national_system_rests(procedure: Procedure, day: date) -> bool:
    """No certificate work on the Sunday after the third Saturday (the brief's calendar)."""
    return procedure is Procedure.CERTIFICATE_RENEWAL and is_after_third_saturday(day)


def _serves(entry: Acceptance, ward: WardCode | None) -> bool:
    return entry.wards is None or ward is None or ward in entry.wards


def _in_period(entry: Acceptance, day: date) -> bool:
    begun = entry.from_date is None or entry.from_date <= day
    return begun and (entry.until_date is None or day <= entry.until_date)
