"""Free seats by site and day, as they stand when asked; booking checks again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.reservation.domain.cells import Free, Start, by_day, midnight, seats, starts
from services.reservation.domain.national_system import NationalSystem
from services.reservation.domain.opening import accepts, ever_accepts
from services.reservation.domain.rules import Rules
from services.reservation.handlers import calendar
from services.reservation.store import cells, sites, suspensions
from services.reservation.store.sites import StoredSite
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.ids import SiteId, WardCode
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; days from ``first`` to ``last``, both included."""

    procedure: Procedure
    ward: WardCode
    first: date
    last: date
    party: int = 1
    site_id: SiteId | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """Free seats of one day, and the times at which a visit may begin."""

    day: date
    free: int
    starts: list[Start]


@dataclass(frozen=True, slots=True)
class SiteDays:
    """The days of one site on which something is free; ``version`` is the site's."""

    site: Site
    version: int
    days: list[Day]


async def find(unit: Unit, question: Question, rules: Rules) -> list[SiteDays]:
    """Sites that serve the ward with the procedure, and their free seats within the horizon."""
    today = business_date(unit.now)
    first = max(question.first, rules.calendar.next_business_day(today))
    last = min(question.last, rules.last_day(today))
    found = [stored for stored in await sites.all_open(unit.conn) if _asked(stored.site, question)]
    if not found or last < first:
        return []
    for stored in found:
        await calendar.extend(unit, stored, last, rules)
    free = await _free(unit, found, first, last)
    stops = await suspensions.of_sites(unit.conn, sorted(free))
    system = NationalSystem(stops, unit.now, rules)
    usable = {site: system.usable(site, question.procedure, free[site]) for site in free}
    return [
        SiteDays(
            stored.site,
            stored.version,
            list(_days(stored.site, usable.get(stored.site.site_id, {}), question, rules)),
        )
        for stored in found
    ]


def _asked(site: Site, question: Question) -> bool:
    wanted = question.site_id is None or site.site_id == question.site_id
    return wanted and ever_accepts(site, question.procedure, question.ward)


async def _free(
    unit: Unit, found: Sequence[StoredSite], first: date, last: date
) -> dict[SiteId, dict[datetime, int]]:
    ids = [stored.site.site_id for stored in found]
    start, end = midnight(first), midnight(last + timedelta(days=1))
    free: dict[SiteId, dict[datetime, int]] = {}
    for row in await cells.free(unit.conn, ids, start, end, unit.now):
        free.setdefault(row.site_id, {})[row.starts_at] = row.free
    return free


def _days(site: Site, free: Free, question: Question, rules: Rules) -> Iterator[Day]:
    count, minutes = rules.cells(question.procedure), rules.cell_minutes
    for day, cells_of_day in by_day(free).items():
        if accepts(site, question.procedure, question.ward, day):
            found = starts(cells_of_day, count, minutes, question.party)
            if found:
                yield Day(day, seats(cells_of_day, count, minutes), found)
