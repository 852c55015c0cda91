"""Who wants what, and which seat each gets: those with the fewest sites to choose from first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from shared.contracts.base import Procedure
from simulation.replay.cases import DAY_MINUTES, Seat
from simulation.replay.city import City, Ward
from simulation.replay.seats import Pool, Seats, Want
from simulation.replay.settings import Behaviour

_EARLY, _LATE = 10 * 60, 15 * 60


@dataclass(frozen=True, slots=True)
class Seated:
    """A citizen with the seat at which the procedure is completed, and the pool it came from."""

    procedure: Procedure
    ward: Ward
    pool: Pool
    seat: Seat


@dataclass(frozen=True, slots=True)
class Seating:
    """Draws citizens by population and seats them."""

    city: City
    behaviour: Behaviour
    seats: Seats
    rng: Random

    def all(self, wanted: Mapping[Procedure, int]) -> tuple[list[Seated], Mapping[Procedure, int]]:
        """Everybody who gets a seat, and how many of each procedure do not."""
        people = [(each, ward) for each in Procedure for ward in self.homes(wanted[each])]
        self.rng.shuffle(people)
        people.sort(key=lambda one: len(self.seats.options(*one)))
        carried, seated = dict.fromkeys(Procedure, 0), []
        for procedure, ward in people:
            found = self.one(procedure, ward)
            if found is None:
                carried[procedure] += 1
            else:
                seated.append(found)
        return seated, carried

    def homes(self, count: int) -> list[Ward]:
        """Wards of ``count`` citizens, drawn by population."""
        wards = self.city.wards
        return self.rng.choices(wards, [ward.population for ward in wards], k=count)

    def one(self, procedure: Procedure, ward: Ward) -> Seated | None:
        """A seat at a site drawn by nearness and size, at a time that is liked; none if all is
        taken.
        """
        likes = self._taste()
        options = [each for each in self.seats.options(procedure, ward) if each[0].free]
        while options:
            pool = self.rng.choices([p for p, _ in options], [w for _, w in options])[0]
            may = self.seats.may(pool.site, procedure, ward.code)
            if (seat := pool.take(self.rng, may, likes)) is not None:
                return Seated(procedure, ward, pool, seat)
            options = [each for each in options if each[0] is not pool]
        return None

    def another(self, who: Seated) -> Seat | None:
        """One more seat at the same site, whenever."""
        may = self.seats.may(who.pool.site, who.procedure, who.ward.code)
        return who.pool.take(self.rng, may, _anything)

    def _taste(self) -> Want:
        if self.rng.random() >= self.behaviour.choosy:
            return _anything
        return self.rng.choice((_weekend, _early, _late))


def _anything(_: int) -> bool:
    return True


def _weekend(minute: int) -> bool:
    return date.fromordinal(minute // DAY_MINUTES).weekday() >= 5


def _early(minute: int) -> bool:
    return minute % DAY_MINUTES < _EARLY


def _late(minute: int) -> bool:
    return minute % DAY_MINUTES >= _LATE
