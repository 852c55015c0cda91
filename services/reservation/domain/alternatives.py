"""Another seat for a party that loses its own: the same or the nearest site, the nearest date.

Distance and delay are weighed against each other (``Rules.kilometres_per_day``); among the times of
a day the one nearest to the hour that was booked. A party sits together, or not at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.reservation.domain.case import CaseFacts, window
from services.reservation.domain.cells import Free, by_day, party_cells
from services.reservation.domain.distance import kilometres
from services.reservation.domain.national_system import NationalSystem
from services.reservation.domain.opening import would_accept
from services.reservation.domain.rules import Rules
from shared.calendar import TOKYO, business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.ids import PartyId, SiteId


@dataclass(frozen=True, slots=True)
class Leaving:
    """Cases that came together to ``site`` at ``starts_at`` and have to leave; minutes of each."""

    party_id: PartyId
    site: Site
    starts_at: datetime
    cases: tuple[CaseFacts, ...]
    minutes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Seat:
    """Where and when a party can go instead."""

    site_id: SiteId
    starts_at: datetime


@dataclass(slots=True)
class Place:
    """A site that takes in, and its free seats; they go down as parties are placed."""

    site: Site
    free: dict[date, dict[datetime, int]] = field(default_factory=dict)
    own: Callable[[Procedure], Rules] | None = None
    """The rules of the site by procedure; none: the city's."""

    @classmethod
    def of(cls, site: Site, free: Free, own: Callable[[Procedure], Rules] | None = None) -> "Place":
        """The place with its free cells grouped by day."""
        return cls(site, by_day({at: seats for at, seats in free.items() if seats > 0}), own)


def place(
    parties: Sequence[Leaving], places: Sequence[Place], system: NationalSystem
) -> dict[PartyId, Seat]:
    """A seat for each party that finds one, in the order given; ``places`` are used up."""
    search = _Search(places, system)
    found = ((party.party_id, search.seat(party)) for party in parties)
    return {party_id: seat for party_id, seat in found if seat is not None}


@dataclass(slots=True)
class _Search:
    places: Sequence[Place]
    system: NationalSystem
    distances: dict[tuple[SiteId, SiteId], float] = field(default_factory=dict)

    @property
    def rules(self) -> Rules:
        return self.system.rules

    def seat(self, party: Leaving) -> Seat | None:
        """The best seat that is left, taken out of its place."""
        for there, day in self._ways(party):
            if not _welcome(party, there.site, day):
                continue
            cells = there.free[day]
            start = self._start(party, there.site.site_id, cells)
            if start is not None:
                for at, seats in self._wanted(party, start).items():
                    cells[at] -= seats
                return Seat(there.site.site_id, start)
        return None

    def _ways(self, party: Leaving) -> list[tuple[Place, date]]:
        booked_on = business_date(party.starts_at)
        ways = []
        for there in self.places:
            extra = self._distance(party.site, there.site) / self.rules.kilometres_per_day
            ways += [
                (abs((day - booked_on).days) + extra, there.site.site_id, day, there)
                for day in self._days(party, there)
            ]
        ways.sort(key=lambda way: way[:3])
        return [(there, day) for _, _, day, there in ways]

    def _days(self, party: Leaving, there: Place) -> Iterator[date]:
        today = business_date(self.system.now)
        within = [
            window(case, there.site.site_id, today, self._rules_of(there, case.procedure))
            for case in party.cases
        ]
        first, last = max(one.first for one in within), min(one.last for one in within)
        return (day for day in there.free if first <= day <= last)

    def _rules_of(self, there: Place, procedure: Procedure) -> Rules:
        return there.own(procedure) if there.own is not None else self.rules

    def _start(
        self, party: Leaving, site_id: SiteId, cells: Mapping[datetime, int]
    ) -> datetime | None:
        for start in sorted(cells, key=lambda at: (_apart(at, party.starts_at), at)):
            wanted = self._wanted(party, start)
            if any(cells.get(at, 0) < seats for at, seats in wanted.items()):
                continue
            same = site_id == party.site.site_id and start == party.starts_at
            if not same and self._system_serves(party, site_id, start):
                return start
        return None

    def _system_serves(self, party: Leaving, site_id: SiteId, start: datetime) -> bool:
        return all(
            self.system.serves(site_id, case.procedure, start, minutes)
            for case, minutes in zip(party.cases, party.minutes, strict=True)
        )

    def _wanted(self, party: Leaving, start: datetime) -> dict[datetime, int]:
        return party_cells(start, party.minutes, self.rules.cell_minutes)

    def _distance(self, one: Site, other: Site) -> float:
        key = (one.site_id, other.site_id)
        if key not in self.distances:
            self.distances[key] = kilometres(one, other)
        return self.distances[key]


def _welcome(party: Leaving, site: Site, day: date) -> bool:
    return all(would_accept(site, case.procedure, case.ward, day) for case in party.cases)


def _apart(one: datetime, other: datetime) -> float:
    """How far two times of day lie apart, in seconds."""
    a, b = one.astimezone(TOKYO), other.astimezone(TOKYO)
    return abs((a.hour - b.hour) * 3600 + (a.minute - b.minute) * 60)
