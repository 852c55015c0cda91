"""The same queue as single cards at single people (simpy), to check the forecast against.

Time is counted in minutes of work: business day n begins at ``n * day_minutes``; what is begun at
the end of a day is ended on the next. A card that is done at a desk waits at the next one at once.
"""

import random
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import simpy

from services.preparation.domain.desks import Desk, Desks
from services.preparation.domain.flow import Cohort, Waiting
from shared.ids import WardCode

FOLLOWING = dict(zip(Desk, (*list(Desk)[1:], None), strict=True))


@dataclass(frozen=True)
class SimulatedCard:
    """A card, and the number of the business day on which its notice goes out."""

    ward: WardCode
    received_on: date
    notified_on: date


class SimulatedQueue:
    """One run; ``vary`` draws each service time from an exponential with the same mean."""

    def __init__(self, desks: Desks, days: Sequence[date], *, vary: bool, seed: int = 1) -> None:
        self.desks, self.days = desks, days
        self.env = simpy.Environment()
        self.queues = {desk: simpy.Store(self.env) for desk in Desk}
        self.done: list[SimulatedCard] = []
        self._vary = vary
        self._random = random.Random(seed)

    def run(
        self, waiting: Waiting, arrivals: Mapping[date, Sequence[Cohort]]
    ) -> list[SimulatedCard]:
        """The cards notified by the end of the last day."""
        for desk, cohorts in waiting.items():
            self._put(desk, cohorts)
        self.env.process(self._arrive(arrivals))
        for desk in Desk:
            self._staff(desk)
        self.env.run(until=len(self.days) * self.desks.day_minutes)
        return self.done

    def _staff(self, desk: Desk) -> None:
        if self.desks.minutes[desk] <= 0:
            self.env.process(self._work(desk, 0, 0, len(self.days)))
            return
        counts = [round(self.desks.people(desk, day)) for day in self.days]
        for person in range(max(counts)):
            there = [number for number, count in enumerate(counts) if count > person]
            self.env.process(self._work(desk, person, there[0], there[-1] + 1))

    def _work(self, desk: Desk, _: int, first: int, end: int) -> Generator[Any, Any, None]:
        yield self.env.timeout(first * self.desks.day_minutes)
        while self.env.now < end * self.desks.day_minutes:
            ward, received_on = yield self.queues[desk].get()
            yield self.env.timeout(self._minutes(desk))
            following = FOLLOWING[desk]
            if following is not None:
                self.queues[following].put((ward, received_on))
            else:
                self.done.append(SimulatedCard(ward, received_on, self._today()))

    def _arrive(self, arrivals: Mapping[date, Sequence[Cohort]]) -> Generator[Any, Any, None]:
        for day in self.days:
            self._put(Desk.INSPECTED, arrivals.get(day, ()))
            yield self.env.timeout(self.desks.day_minutes)

    def _put(self, desk: Desk, cohorts: Sequence[Cohort]) -> None:
        for cohort in cohorts:
            for _ in range(round(cohort.cards)):
                self.queues[desk].put((cohort.ward, cohort.received_on))

    def _minutes(self, desk: Desk) -> float:
        mean = self.desks.minutes[desk]
        return self._random.expovariate(1 / mean) if self._vary and mean > 0 else mean

    def _today(self) -> date:
        # What is done exactly at the end of a day is done on that day.
        number = int((self.env.now - 1e-6) // self.desks.day_minutes)
        return self.days[max(0, number)]
