"""How long a party will wait, as far as anybody can tell: the queue is played forward.

The counters that are open take the queue in order, each when it becomes free and with what it
does. A party that no open counter can serve has no estimate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.issuance.domain.queue import Waiting, callable_at
from services.issuance.domain.ticket import Purpose
from shared.ids import VisitId


@dataclass(frozen=True, slots=True)
class OpenCounter:
    """An open counter; ``free_at`` is when its present party is expected to be done."""

    counter: str
    purposes: frozenset[Purpose]
    free_at: datetime


ServiceTimes = Mapping[Purpose, timedelta]
"""How long each purpose takes; a party's purposes add up."""


def waits(
    queue: Sequence[Waiting],
    counters: Sequence[OpenCounter],
    times: ServiceTimes,
    now: datetime,
) -> dict[VisitId, timedelta]:
    """The expected wait from ``now`` of each party in ``queue`` (in order) that will be served."""
    free = {counter.counter: max(counter.free_at, now) for counter in counters}
    purposes = {counter.counter: counter.purposes for counter in counters}
    attended = frozenset(free)
    left, found = list(queue), dict[VisitId, timedelta]()
    while free and left:
        counter = min(free, key=lambda name: (free[name], name))
        able = callable_at(left, counter, purposes[counter], attended)
        if not able:
            del free[counter]  # nobody who waits is for it
            continue
        party = able[0]
        left.remove(party)
        found[party.visit_id] = free[counter] - now
        free[counter] += duration(party.purposes, times)
    return found


def duration(purposes: frozenset[Purpose], times: ServiceTimes) -> timedelta:
    """How long a party with ``purposes`` takes."""
    return sum((times[purpose] for purpose in purposes), timedelta())
