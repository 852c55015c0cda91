"""What is still free on days to come: the free seats told last, less what was booked since.

What reservation tells is what a citizen may book: without holds, shares kept for others, suspended
hours and odd ends between bookings, none of which could be reckoned here. It tells it every morning
and when a calendar changes; until it tells anew, bookings take of it. Both procedures are served in
the same time, so every booking takes of both, whatever it is for. Right after a telling this is
what was told; the figure of an evening (``domain.first_free``) is the same one, told after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.reporting.domain.opening import accepts
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.ids import SiteId, WardCode


@dataclass(frozen=True, slots=True)
class Offer:
    """Seats of a site's day for a procedure, and what is booked of the day's time."""

    site_id: SiteId
    business_date: date
    procedure: Procedure
    seats: int
    minutes: int
    booked_minutes: int
    free: int | None = None
    """Free seats as they were told last; None where no more than all seats was told."""
    taken_minutes: int = 0
    """Booked since then, less what was given back of what had been booked before."""


@dataclass(frozen=True, slots=True)
class DayRoom:
    """A site's day: minutes that could be booked, minutes that are, seats free by procedure."""

    capacity: int
    booked: int
    free: Mapping[Procedure, int]

    @property
    def full(self) -> float:
        """The booked share, 0 to 1; a day without seats is full."""
        return min(1.0, self.booked / self.capacity) if self.capacity else 1.0


Rooms = Mapping[tuple[SiteId, date], DayRoom]
"""The days of every site, in order of days and then of sites."""
Seats = Mapping[tuple[SiteId, date], Mapping[Procedure, int]]
"""Free seats of the days of every site, in the same order."""
FirstFree = Mapping[tuple[SiteId, Procedure], date]
"""The first day with a free seat; nothing where there is none."""


def rooms(offers: Iterable[Offer]) -> Rooms:
    """What each day of each site has."""
    days: dict[tuple[SiteId, date], list[Offer]] = {}
    for offer in offers:
        days.setdefault((offer.site_id, offer.business_date), []).append(offer)
    in_order = sorted(days.items(), key=lambda item: (item[0][1], item[0][0]))
    return {key: _room(found) for key, found in in_order}


def seats(found: Rooms) -> Seats:
    """The free seats alone."""
    return {key: room.free for key, room in found.items()}


def first_free(found: Seats) -> FirstFree:
    """The first day of each site and procedure on which a seat is free."""
    first: dict[tuple[SiteId, Procedure], date] = {}
    for (site_id, day), seats in found.items():
        for procedure, free in seats.items():
            if free > 0:
                first.setdefault((site_id, procedure), day)
    return first


def first_free_of_ward(
    found: Seats, sites: Iterable[Site], ward: WardCode, procedure: Procedure
) -> tuple[date, SiteId] | None:
    """The first day on which a resident of ``ward`` finds a seat anywhere, and where."""
    by_id = {site.site_id: site for site in sites}
    days = (
        (day, site_id)
        for (site_id, day), seats in found.items()
        if seats.get(procedure, 0) > 0
        and site_id in by_id
        and accepts(by_id[site_id], procedure, ward, day)
    )
    return next(days, None)


def _room(offers: list[Offer]) -> DayRoom:
    capacity = max(offer.seats * offer.minutes for offer in offers)
    booked = max(offer.booked_minutes for offer in offers)
    left = max(0, capacity - booked)
    return DayRoom(capacity, booked, {offer.procedure: _free(offer, left) for offer in offers})


def _free(offer: Offer, left: int) -> int:
    if offer.free is None:
        return min(offer.seats, left // offer.minutes)
    gone = -(-offer.taken_minutes // offer.minutes)  # a seat that is half taken is taken
    return max(0, min(offer.seats, offer.free - gone))
