"""How the first bookable day moved: what a citizen who looked on a day would have found.

Reservation tells each day what is free on the days to come, holds and bookings taken off. What it
told is kept, so a day of the past is shown as it was known then, not as it would be reckoned now.
What was booked on a day is in the first telling after it (0:30), which is that day's evening.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.reporting.domain.free import Seats, first_free, first_free_of_ward
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.ids import SiteId


@dataclass(frozen=True, slots=True)
class Telling:
    """Free seats on ``evening``, day by day from ``first_day``; none: nothing said of a day."""

    evening: date
    site_id: SiteId
    procedure: Procedure
    first_day: date
    free: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class FirstFree:
    """How the evening of ``day`` was: the first day after it with a free seat, if any."""

    day: date
    part: str
    procedure: Procedure
    first_free: date | None

    @property
    def days(self) -> int | None:
        """Days to wait; None where nothing is free within the horizon."""
        return None if self.first_free is None else (self.first_free - self.day).days


def evenings(told: Iterable[Telling], horizon: int) -> Iterator[tuple[date, Seats]]:
    """The days to come of every site as they were known on each evening, in order.

    ``told`` is in order; what is told later of a day replaces what was. Evenings without any
    telling are left out: nobody knows.
    """
    known: dict[date, dict[tuple[SiteId, date], dict[Procedure, int]]] = {}
    for each in told:
        days = known.setdefault(each.evening, {})
        last = each.evening + timedelta(days=horizon)
        for number, free in enumerate(each.free):
            day = each.first_day + timedelta(days=number)
            if free is not None and each.evening < day <= last:
                days.setdefault((each.site_id, day), {})[each.procedure] = free
    for evening in sorted(known):
        in_order = sorted(known[evening].items(), key=lambda item: (item[0][1], item[0][0]))
        yield evening, dict(in_order)


def of_sites(found: Iterable[tuple[date, Seats]]) -> Iterator[FirstFree]:
    """The first free day of each site and procedure of which seats were told."""
    for day, seats in found:
        first = first_free(seats)
        offered = sorted({(key[0], each) for key, free in seats.items() for each in free})
        for site_id, procedure in offered:
            yield FirstFree(day, site_id, procedure, first.get((site_id, procedure)))


def of_wards(
    found: Iterable[tuple[date, Seats]], sites_on: Callable[[date], Sequence[Site]]
) -> Iterator[FirstFree]:
    """The first free day for residents of each ward, at any site that served them then."""
    for day, seats in found:
        sites = sites_on(day)
        for ward in sorted({site.ward for site in sites}):
            for procedure in Procedure:
                first = first_free_of_ward(seats, sites, ward, procedure)
                yield FirstFree(day, ward, procedure, first and first[0])
