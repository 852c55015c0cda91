"""How the first bookable day moved: what a citizen who looked on a day would have found.

On each evening a day to come has the seats that are offered for it, less the time of the bookings
that were made by then and not cancelled by then. A moved booking counts where it is now, and seats
are those told last: what they were on the evening itself is not kept.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.reporting.domain.free import Offer, Rooms, first_free, first_free_of_ward, rooms
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.ids import SiteId, WardCode

Changes = Mapping[tuple[SiteId, date], Mapping[date, int]]
"""Minutes booked (given back: less than 0) of each site's day, by the day on which they were."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Minutes of a site's day that were booked on one day and given back on another, if ever."""

    site_id: SiteId
    business_date: date
    booked_on: date
    cancelled_on: date | None
    minutes: int


@dataclass(frozen=True, slots=True)
class FirstFree:
    """What somebody found on the evening of ``day``: the first day with a seat, if any."""

    day: date
    part: str
    procedure: Procedure
    first_free: date | None

    @property
    def days(self) -> int | None:
        """Days to wait; None where nothing is free within the horizon."""
        return None if self.first_free is None else (self.first_free - self.day).days


def evenings(
    offers: Sequence[Offer], taken: Iterable[Taken], shown: Sequence[date], horizon: int
) -> Iterator[tuple[date, Rooms]]:
    """The days to come of every site as they were on each evening of ``shown``, in order."""
    booked: dict[tuple[SiteId, date], dict[date, int]] = {}
    for each in taken:
        changes = booked.setdefault((each.site_id, each.business_date), {})
        changes[each.booked_on] = changes.get(each.booked_on, 0) + each.minutes
        if each.cancelled_on is not None:
            changes[each.cancelled_on] = changes.get(each.cancelled_on, 0) - each.minutes
    for day in shown:
        yield day, rooms(_as_of(day, offers, booked, day + timedelta(days=horizon)))


def of_sites(found: Iterable[tuple[date, Rooms]]) -> Iterator[FirstFree]:
    """The first free day of each site and procedure that has seats at all."""
    for day, room in found:
        first = first_free(room)
        offered = sorted({(key[0], each) for key, one in room.items() for each in one.free})
        for site_id, procedure in offered:
            yield FirstFree(day, site_id, procedure, first.get((site_id, procedure)))


def of_wards(
    found: Iterable[tuple[date, Rooms]], sites: Sequence[Site], wards: Sequence[WardCode]
) -> Iterator[FirstFree]:
    """The first free day for residents of each ward, at any site that serves them."""
    for day, room in found:
        for ward in wards:
            for procedure in Procedure:
                first = first_free_of_ward(room, sites, ward, procedure)
                yield FirstFree(day, ward, procedure, first and first[0])


def _as_of(day: date, offers: Iterable[Offer], booked: Changes, last: date) -> Iterator[Offer]:
    """The offers of the days after ``day`` up to ``last``, with what was booked by then."""
    taken: dict[tuple[SiteId, date], int] = {}
    for one in offers:
        if day < one.business_date <= last:
            key = (one.site_id, one.business_date)
            if key not in taken:
                changes = booked.get(key, {})
                taken[key] = sum(minutes for on, minutes in changes.items() if on <= day)
            # Written out: tens of thousands are made for a month of evenings.
            yield Offer(*key, one.procedure, one.seats, one.minutes, taken[key])
