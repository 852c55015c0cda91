"""The seats of a city in one month: what can be served at all, and who prefers which site.

A seat is a start on the grid of the planned length, as often as the site has counters. At a scale
below one the sites serve that share of their seats, so that a month overflows at any scale alike.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from fractions import Fraction
from random import Random

from shared.contracts.base import Procedure
from simulation.replay.cases import DAY_MINUTES, Seat
from simulation.replay.city import City, Site, Ward
from simulation.replay.days import BusinessDays, month_end
from simulation.replay.settings import Behaviour

Want = Callable[[int], bool]
"""Whether a minute, counted since year 1, suits."""
_TRIES = 6
_SUNDAY = 6


@dataclass(slots=True)
class Pool:
    """The free seats of one site, in no order."""

    site: Site
    free: list[int] = field(default_factory=list)

    def take(self, rng: Random, may: Want, likes: Want) -> Seat | None:
        """A seat that may be, and if one is soon found, is liked; None where there is none."""
        found = None
        for _ in range(min(_TRIES, len(self.free))):
            at = int(rng.random() * len(self.free))
            if may(self.free[at]):
                found = at
                if likes(self.free[at]):
                    break
        if found is None:
            found = next((n for n, minute in enumerate(self.free) if may(minute)), None)
        return None if found is None else self._taken(found)

    def take_together(self, may: Want, size: int) -> Seat | None:
        """A time that may be and has ``size`` seats, all of which are taken; None without one."""
        # The seats lie in no order, so the first that suits is anyone.
        there = Counter(self.free)
        found = next((at for at in self.free if there[at] >= size and may(at)), None)
        if found is None:
            return None
        taken = [self._taken(self.free.index(found)) for _ in range(size)]
        return taken[0]

    def _taken(self, at: int) -> Seat:
        minute, last = self.free[at], self.free.pop()
        if at < len(self.free):
            self.free[at] = last
        return Seat(self.site.site_id, minute)


class Seats:
    """All pools of a month."""

    def __init__(
        self,
        city: City,
        behaviour: Behaviour,
        days: BusinessDays,
        *,
        month: date,
        scale: Fraction,
        rng: Random,
    ) -> None:
        self._city = city
        self._behaviour = behaviour
        self._days = days
        self._accepts: dict[tuple[str, Procedure, str, int], bool] = {}
        self._weights: dict[tuple[Procedure, str], list[tuple[Pool, float]]] = {}
        self.pools = {site.site_id: self._pool(site, month, scale, rng) for site in city.sites}

    def options(self, procedure: Procedure, ward: Ward) -> list[tuple[Pool, float]]:
        """The sites that serve the ward, each with how strongly it draws."""
        key = (procedure, ward.code)
        if key not in self._weights:
            self._weights[key] = [
                (pool, self._draw(ward, pool.site))
                for pool in self.pools.values()
                if pool.free and pool.site.ever_accepts(procedure, ward.code)
            ]
        return self._weights[key]

    def may(self, site: Site, procedure: Procedure, ward: str) -> Want:
        """Which minutes at ``site`` serve ``ward`` with ``procedure``."""

        def asked(minute: int) -> bool:
            key = (site.site_id, procedure, ward, minute // DAY_MINUTES)
            if key not in self._accepts:
                day = date.fromordinal(key[3])
                self._accepts[key] = site.accepts(procedure, ward, day) and not rests(
                    procedure, day
                )
            return self._accepts[key]

        return asked

    def _draw(self, ward: Ward, site: Site) -> float:
        own = site.kind == "ward_office" and site.ward == ward.code
        near = math.exp(-kilometres(ward.office, site.place) / self._behaviour.reach_km)
        return near * site.seats * (self._behaviour.own_office if own else 1.0)

    def _pool(self, site: Site, month: date, scale: Fraction, rng: Random) -> Pool:
        starts = list(self._starts(site, month))
        share = round(len(starts) * site.seats * min(scale, Fraction(1)))
        every = [
            minute
            for minute in starts
            if self._acts_on(minute // DAY_MINUTES)
            for _ in range(site.seats)
        ]
        rng.shuffle(every)
        return Pool(site, every[:share])

    def _acts_on(self, day: int) -> bool:
        return self._behaviour.acts_every == 1 or date.fromordinal(day) in self._days

    def _starts(self, site: Site, month: date) -> Iterator[int]:
        length = self._behaviour.minutes
        for number in range((month_end(month) - month).days + 1):
            day = month + timedelta(days=number)
            for opens, closes in site.hours_on(day, self._city.calendar):
                last = _minutes(closes) - length
                for start in range(_minutes(opens), last + 1, length):
                    yield day.toordinal() * DAY_MINUTES + start


def rests(procedure: Procedure, day: date) -> bool:
    """No certificate work on the Sunday after the third Saturday (the brief's calendar)."""
    if procedure is not Procedure.CERTIFICATE_RENEWAL or day.weekday() != _SUNDAY:
        return False
    return ((day - timedelta(days=1)).day - 1) // 7 + 1 == 3


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """As the crow flies, over the distances of a city."""
    north = (one[0] - other[0]) * 111.2
    east = (one[1] - other[1]) * 111.2 * math.cos(math.radians(one[0]))
    return math.hypot(north, east)


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
