"""Who of the waiting list could use freed seats, and from when; nobody is locked yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.reservation.domain.booking import Booking
from services.reservation.domain.case import CaseFacts
from services.reservation.domain.cells import midnight
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import SiteRules
from services.reservation.domain.waitlist import Entry, openings, with_freed
from services.reservation.handlers import parties, site_rules
from services.reservation.store import bookings, cases, free_cells, sites, waitlist
from services.reservation.store.freed_seats import Freed
from shared.calendar import business_date
from shared.contracts.place import Site
from shared.errors import Problem
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Chance:
    """Seats that are free or freed on one day at one site, and the rules there."""

    freed: Freed
    site: Site
    rules: SiteRules
    day: date
    free: dict[datetime, int]
    cell_minutes: int

    @property
    def already(self) -> bool:
        """Whether the free seats count the freed ones."""
        return self.freed.due_at <= self.rules.at


async def look(unit: Unit, freed: Freed, rules: Rules) -> Chance | None:
    """What could be offered with these seats; none where nobody waits, or the time has come."""
    stored = await sites.read(unit.conn, freed.site_id)
    first = min(freed.seats)
    if stored is None or first <= unit.now:
        return None
    if not await waitlist.anybody_waits(unit.conn, [freed.site_id]):
        return None
    day = business_date(first)
    start, end = midnight(day), midnight(day + timedelta(days=1))
    rows = await free_cells.free(unit.conn, [freed.site_id], start, end, unit.now)
    return Chance(
        freed=freed,
        site=stored.site,
        rules=await site_rules.at(unit, freed.site_id, rules),
        day=day,
        free={row.starts_at: row.free for row in rows},
        cell_minutes=rules.cell_minutes,
    )


async def suited(
    unit: Unit, chance: Chance, page: Sequence[Entry]
) -> list[tuple[Entry, list[datetime]]]:
    """Who of a page could use the chance, and from when."""
    wanted = [case_id for entry in page for case_id in entry.case_ids]
    facts = {case.case_id: case for case in await cases.read(unit.conn, wanted)}
    booked = {one.case_id: one for one in await bookings.active(unit.conn, wanted)}
    asked = await waitlist.offered(
        unit.conn, [entry.entry_id for entry in page], chance.site.site_id
    )
    found = []
    for entry in page:
        members = [facts[case_id] for case_id in entry.case_ids if case_id in facts]
        if len(members) == len(entry.case_ids) and _may(members, chance):
            before = _earlier([booked[one] for one in entry.case_ids if one in booked])
            starts = [
                at
                for at in _starts(members, chance)
                if (entry.entry_id, at) not in asked and (before is None or at < before)
            ]
            if starts:
                found.append((entry, starts))
    return found


def _may(members: Sequence[CaseFacts], chance: Chance) -> bool:
    try:
        for case in members:
            parties.check(case, chance.site, chance.day, chance.rules, by_staff=False)
    except Problem:
        return False
    return True


def _earlier(booked: Sequence[Booking]) -> datetime | None:
    """Whoever has a seat waits for an earlier one."""
    return min((booking.starts_at for booking in booked), default=None)


def _starts(members: Sequence[CaseFacts], chance: Chance) -> list[datetime]:
    kept = max(parties.kept_from(one, chance.day, chance.rules, by_staff=False) for one in members)
    minutes = [chance.rules.of(one.procedure).minutes[one.procedure] for one in members]
    free = with_freed(chance.free, chance.freed.seats, kept=kept, already=chance.already)
    return openings(free, chance.freed.seats, minutes, chance.cell_minutes)
