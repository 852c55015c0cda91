"""The plan of a city's months: every case, backwards from the visit that completes it.

Pure: demand, city, behaviour and seed in, cases out, month by month. What no seat is left for is
carried into the next month, so demanded + carried in = completed + carried out, in every cell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from random import Random

from shared.contracts.base import Procedure
from simulation.replay.cases import Case
from simulation.replay.city import City
from simulation.replay.days import BusinessDays, month_end
from simulation.replay.demand import Demand
from simulation.replay.seating import Seating
from simulation.replay.seats import Seats
from simulation.replay.settings import Behaviour
from simulation.replay.writing import Writer

_BEFORE = 180
_A_BUSINESS_DAY = 1.8
"""Days that a business day takes, the longest rows of holidays included."""
_AFTER = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class MonthPlan:
    """What is done in a month; ``carried`` waits for the next."""

    month: date
    cases: list[Case]
    carried: Mapping[Procedure, int]


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the months of ``demand``, which is scaled already; ``scale`` is for the seats."""

    demand: Demand
    city: City
    behaviour: Behaviour
    days: BusinessDays
    scale: Fraction
    seed: int

    @classmethod
    def of(
        cls,
        demand: Demand,
        city: City,
        behaviour: Behaviour,
        *,
        scale: Fraction = Fraction(1),
        seed: int = 1,
    ) -> "Planner":
        """The planner of a demand."""
        months = [month for month, _ in demand]
        warm_up = _A_BUSINESS_DAY * behaviour.acts_every * (behaviour.longest + 2)
        first = min(months) - timedelta(days=max(_BEFORE, ceil(warm_up)))
        last = month_end(max(months)) + _AFTER
        days = BusinessDays(city.calendar, first, last, every=behaviour.acts_every)
        return cls(demand, city, behaviour, days, scale, seed)

    @property
    def months(self) -> list[date]:
        """The first day of each month, in order."""
        return sorted({month for month, _ in self.demand})

    def begins(self, month: date) -> date:
        """The day on which the first thing may be done for cases of ``month``."""
        return self.days.before(month, self.behaviour.longest + 1)

    def plans(self) -> Iterator[MonthPlan]:
        """Each month's plan, made when it is asked for."""
        waiting: Mapping[Procedure, int] = dict.fromkeys(Procedure, 0)
        for month in self.months:
            wanted = {each: waiting[each] + self.demand[month, each] for each in Procedure}
            plan = self._month(month, wanted)
            waiting = plan.carried
            yield plan

    def _month(self, month: date, wanted: Mapping[Procedure, int]) -> MonthPlan:
        rng = Random(f"{self.seed}|{month}")  # noqa: S311  repeatable, no secret
        seats = Seats(self.city, self.behaviour, self.days, month=month, scale=self.scale, rng=rng)
        seating = Seating(self.city, self.behaviour, seats, rng)
        writer = Writer(seating, self.days, month)
        seated, carried = seating.all(wanted)
        cases = list(writer.completed(seated))
        cases += writer.others(wanted[Procedure.CARD_ISSUANCE])
        return MonthPlan(month, cases, carried)
