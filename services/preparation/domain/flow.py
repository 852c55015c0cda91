"""What waits flows from desk to desk: a forecast by days, exact in its sums.

Cards go in cohorts (a ward's cards that were received on the same day). On each business day every
desk, in order, takes from the front of its queue what it can do that day; what it has done waits at
the next desk the same day. No card is made or lost: what came in is notified or still waits. How
near this is to single cards at single people is checked against a discrete-event simulation
(``tests/preparation/unit/test_flow.py``).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from services.preparation.domain.desks import Desk, Desks
from shared.ids import WardCode

_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Cohort:
    """Cards of a ward that were received on a day; shares of a card are fine."""

    ward: WardCode
    received_on: date
    cards: float


@dataclass(frozen=True, slots=True)
class Notified:
    """Cards of a cohort whose notices go out on ``on``."""

    ward: WardCode
    received_on: date
    on: date
    cards: float


@dataclass(frozen=True, slots=True)
class Flow:
    """What is notified, in order, and what still waits at the end, by desk."""

    notified: tuple[Notified, ...]
    left: Mapping[Desk, tuple[Cohort, ...]]


Waiting: TypeAlias = Mapping[Desk, Sequence[Cohort]]
"""What waits at each desk, the first in front."""


def run(
    waiting: Waiting,
    arrivals: Mapping[date, Sequence[Cohort]],
    desks: Desks,
    days: Sequence[date],
) -> Flow:
    """Let ``waiting`` and ``arrivals`` flow through ``desks`` on the business ``days``."""
    queues = {desk: deque(waiting.get(desk, ())) for desk in Desk}
    notified: list[Notified] = []
    for day in days:
        queues[Desk.INSPECTED].extend(arrivals.get(day, ()))
        for desk, following in zip(Desk, (*list(Desk)[1:], None), strict=True):
            done = _take(queues[desk], desks.capacity(desk, day))
            if following is not None:
                queues[following].extend(done)
            else:
                notified += [Notified(c.ward, c.received_on, day, c.cards) for c in done]
    return Flow(tuple(notified), {desk: tuple(queue) for desk, queue in queues.items()})


def _take(queue: deque[Cohort], capacity: float) -> list[Cohort]:
    taken: list[Cohort] = []
    while queue and capacity > _TINY:
        first = queue.popleft()
        if first.cards <= capacity + _TINY:
            taken.append(first)
            capacity -= first.cards
            continue
        taken.append(Cohort(first.ward, first.received_on, capacity))
        queue.appendleft(Cohort(first.ward, first.received_on, first.cards - capacity))
        capacity = 0.0
    return taken
