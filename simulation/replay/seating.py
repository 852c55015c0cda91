"""Who wants what, and which seat each gets: those with the fewest sites to choose from first, and
of these families first, who need several seats at one time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from shared.contracts.base import Procedure
from simulation.replay.cases import DAY_MINUTES, Seat
from simulation.replay.city import City, Ward
from simulation.replay.seats import Pool, Seats, Want
from simulation.replay.settings import Behaviour

_EARLY, _LATE = 10 * 60, 15 * 60
_LARGEST_FAMILY = 4
"""As many as reservation takes as one party unless a city has set it otherwise."""


@dataclass(frozen=True, slots=True)
class Seated:
    """A citizen with the seat at which the procedure is completed, and the pool it came from."""

    procedure: Procedure
    ward: Ward
    pool: Pool
    seat: Seat


Party = tuple[Seated, ...]
"""Those who are served together, mostly one; all of one ward, at one time."""


@dataclass(frozen=True, slots=True)
class Seating:
    """Draws citizens by population and seats them."""

    city: City
    behaviour: Behaviour
    seats: Seats
    rng: Random

    def all(self, wanted: Mapping[Procedure, int]) -> tuple[list[Party], Mapping[Procedure, int]]:
        """Everybody who gets a seat, and how many of each procedure do not."""
        people = [one for each in Procedure for one in self._people(each, wanted[each])]
        self.rng.shuffle(people)
        people.sort(key=lambda one: (len(self.seats.options(*one[:2])), -one[2]))
        carried, seated = dict.fromkeys(Procedure, 0), []
        for procedure, ward, size in people:
            found = self._together(procedure, ward, size)
            seated += found
            carried[procedure] += size - sum(map(len, found))
        return seated, carried

    def _people(self, procedure: Procedure, count: int) -> list[tuple[Procedure, Ward, int]]:
        sizes = list(self._sizes(procedure, count))
        return [
            (procedure, ward, size)
            for ward, size in zip(self.homes(len(sizes)), sizes, strict=True)
        ]

    def _sizes(self, procedure: Procedure, count: int) -> Iterator[int]:
        """How many come together, ``count`` in all; a renewal's citizen comes alone."""
        share = self.behaviour.families if procedure is Procedure.CARD_ISSUANCE else 0.0
        # Families of three on average have this share of all, if drawn so often.
        often = share / (3 - 2 * share)
        while count:
            family = self.rng.random() < often
            size = min(count, self.rng.randint(2, _LARGEST_FAMILY) if family else 1)
            count -= size
            yield size

    def _together(self, procedure: Procedure, ward: Ward, size: int) -> list[Party]:
        """Seats for all at one time; where no site has them, for each alone, as far as they go."""
        if size > 1:
            for pool in self._in_turn(procedure, ward):
                may = self.seats.may(pool.site, procedure, ward.code)
                if (seat := pool.take_together(may, size)) is not None:
                    return [(Seated(procedure, ward, pool, seat),) * size]
        alone = (self.one(procedure, ward) for _ in range(size))
        return [(found,) for found in alone if found is not None]

    def _in_turn(self, procedure: Procedure, ward: Ward) -> Iterator[Pool]:
        """The sites that serve the ward, one after another as they are drawn."""
        options = [each for each in self.seats.options(procedure, ward) if each[0].free]
        while options:
            pool = self.rng.choices([p for p, _ in options], [w for _, w in options])[0]
            yield pool
            options = [each for each in options if each[0] is not pool]

    def homes(self, count: int) -> list[Ward]:
        """Wards of ``count`` citizens, drawn by population."""
        wards = self.city.wards
        return self.rng.choices(wards, [ward.population for ward in wards], k=count)

    def one(self, procedure: Procedure, ward: Ward) -> Seated | None:
        """A seat at a site drawn by nearness and size, at a time that is liked; none if all is
        taken.
        """
        likes = self._taste()
        for pool in self._in_turn(procedure, ward):
            may = self.seats.may(pool.site, procedure, ward.code)
            if (seat := pool.take(self.rng, may, likes)) is not None:
                return Seated(procedure, ward, pool, seat)
        return None

    def another(self, who: Seated) -> Seat | None:
        """One more seat at the same site, whenever."""
        may = self.seats.may(who.pool.site, who.procedure, who.ward.code)
        return who.pool.take(self.rng, may, _anything)

    def elsewhere(self, who: Seated) -> str | None:
        """Another site that serves the ward and has not closed when the visit is; or none."""
        others = [
            (pool.site.site_id, weight)
            for pool, weight in self.seats.options(who.procedure, who.ward)
            if pool is not who.pool and pool.site.closes_on >= who.seat.day
        ]
        if not others:
            return None
        return self.rng.choices([name for name, _ in others], [w for _, w in others])[0]

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
