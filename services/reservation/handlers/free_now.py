"""Whoever joins the waiting list hears where they could be served without waiting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.reservation.domain.case import CaseFacts, window
from services.reservation.domain.cells import by_day, midnight
from services.reservation.domain.national_system import NationalSystem
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import SiteRules
from services.reservation.domain.waitlist import Entry, fitting
from services.reservation.handlers import parties, site_rules
from services.reservation.store import bookings, cases, free_cells, sites, suspensions
from shared.calendar import business_date
from shared.contracts.place import Site
from shared.errors import Problem
from shared.ids import SiteId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class FreeNow:
    """A seat that the party could book at this moment."""

    site_id: SiteId
    starts_at: datetime


async def find(unit: Unit, entry: Entry, rules: Rules) -> list[FreeNow]:
    """The earliest seat at each site of the entry that is free for it now; nothing is taken.

    Whoever has a booking waits for an earlier time.
    """
    members = await cases.read(unit.conn, entry.case_ids)
    booked = await bookings.active(unit.conn, entry.case_ids)
    before = min((one.starts_at for one in booked), default=None)
    there = await sites.read_all(unit.conn, entry.site_ids)
    own = await site_rules.at_all(unit, entry.site_ids, rules)
    system = NationalSystem(await suspensions.of_sites(unit.conn, entry.site_ids), unit.now, rules)
    found = []
    for site_id in entry.site_ids:
        asked = _Asked(members, there[site_id].site, own[site_id], system)
        at = await _earliest(unit, asked, entry.first_day, entry.last_day)
        if at is not None and (before is None or at < before):
            found.append(FreeNow(site_id, at))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    members: Sequence[CaseFacts]
    site: Site
    rules: SiteRules
    system: NationalSystem

    def minutes(self) -> list[int]:
        return [self.rules.of(one.procedure).minutes[one.procedure] for one in self.members]

    def kept(self, day: date, *, by_staff: bool) -> int | None:
        """Seats left to others on a day; none where the party cannot be served on it."""
        try:
            for case in self.members:
                parties.check(case, self.site, day, self.rules, by_staff=by_staff)
        except Problem:
            return None
        kept = (parties.kept_from(c, day, self.rules, by_staff=by_staff) for c in self.members)
        return max(kept)

    def serves(self, at: datetime) -> bool:
        return all(
            self.system.serves(self.site.site_id, case.procedure, at, minutes)
            for case, minutes in zip(self.members, self.minutes(), strict=True)
        )


async def _earliest(unit: Unit, asked: _Asked, first: date, last: date) -> datetime | None:
    today = business_date(unit.now)
    site_id, by_staff = asked.site.site_id, unit.principal.is_staff
    for case in asked.members:
        open_ = window(case, site_id, today, asked.rules.of(case.procedure), by_staff=by_staff)
        first, last = max(first, open_.first), min(last, open_.last)
    if first > last:
        return None
    start, end = max(midnight(first), unit.now), midnight(last + timedelta(days=1))
    rows = await free_cells.free(unit.conn, [site_id], start, end, unit.now)
    length = asked.rules.city.cell_minutes
    for day, free in by_day({row.starts_at: row.free for row in rows}).items():
        kept = asked.kept(day, by_staff=by_staff)
        if kept is None:
            continue
        left = {at: seats - kept for at, seats in free.items()}
        for at in fitting(left, asked.minutes(), length):
            if asked.serves(at):
                return at
    return None
