"""A site's day in quarters of an hour: what came, waited, was served, and how busy counters were.

Pure arithmetic over what was noted at the time. Time at counters is divided among cases and steps
without rest or overlap: each step lasts from what was noted before it in its party's turn.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from shared.contracts.issuance import Arrival, Service, ServiceStep

QUARTER = timedelta(minutes=15)
Span = tuple[datetime, datetime]
"""From the first to the second."""


@dataclass(frozen=True, slots=True)
class Noted:
    """The end of a step of a case; ``step`` is none for a party that came with a question."""

    visit_id: UUID
    service: Service
    step: ServiceStep | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """A party's time at a counter."""

    visit_id: UUID
    span: Span


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What was noted on a day."""

    arrivals: Sequence[tuple[datetime, Arrival]] = ()
    waits: Sequence[Span] = ()
    turns: Sequence[Turn] = ()
    noted: Sequence[Noted] = ()
    open_spans: Sequence[Span] = ()
    abandoned: Sequence[datetime] = ()
    deferred: Sequence[datetime] = ()
    expected: Sequence[datetime] = ()
    missed: Sequence[datetime] = ()


Kind = tuple[Service, ServiceStep | None]


@dataclass(slots=True)
class Quarter:
    """One quarter of an hour."""

    arrivals: Counter[Arrival] = field(default_factory=Counter)
    called: int = 0
    waited: timedelta = timedelta()
    longest_wait: timedelta = timedelta()
    done: Counter[Kind] = field(default_factory=Counter)
    took: defaultdict[Kind, timedelta] = field(default_factory=lambda: defaultdict(timedelta))
    open: timedelta = timedelta()
    busy: timedelta = timedelta()
    abandoned: int = 0
    deferred: int = 0
    expected: int = 0
    missed: int = 0


def quarter_of(at: datetime) -> datetime:
    """The beginning of the quarter of an hour that ``at`` lies in."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def measure(facts: DayFacts) -> dict[datetime, Quarter]:
    """The quarters in which anything was, in order."""
    quarters: defaultdict[datetime, Quarter] = defaultdict(Quarter)
    for at, arrival in facts.arrivals:
        quarters[quarter_of(at)].arrivals[arrival] += 1
    for came, called in facts.waits:
        _add_wait(quarters[quarter_of(called)], called - came)
    for kind, at, took in durations(facts.turns, facts.noted):
        quarters[quarter_of(at)].done[kind] += 1
        quarters[quarter_of(at)].took[kind] += took
    for start, part in _parts(facts.open_spans):
        quarters[start].open += part
    for start, part in _parts(turn.span for turn in facts.turns):
        quarters[start].busy += part
    _count(quarters, facts)
    return dict(sorted(quarters.items()))


def durations(
    turns: Iterable[Turn], noted: Iterable[Noted]
) -> Iterator[tuple[Kind, datetime, timedelta]]:
    """What was done, when it ended and how long it took: steps, and cases as a whole."""
    begun: defaultdict[UUID, list[Span]] = defaultdict(list)
    for turn in turns:
        begun[turn.visit_id].append(turn.span)
    before: dict[UUID, datetime] = {}
    whole: defaultdict[tuple[UUID, Service], timedelta] = defaultdict(timedelta)
    for one in sorted(noted, key=lambda each: each.at):
        own = (one.visit_id, one.service)
        took = one.at - _since(one, begun[one.visit_id], before.get(one.visit_id))
        before[one.visit_id] = one.at
        whole[own] += took
        if one.step is not None:
            yield (one.service, one.step), one.at, took
        if one.step in (None, ServiceStep.FINISH):
            yield (one.service, None), one.at, whole.pop(own)


def _since(one: Noted, turns: Iterable[Span], before: datetime | None) -> datetime:
    """What a step lasts from: the last that was noted, unless its turn began after that.

    Without either, from its own end: it took no time that anybody noted.
    """
    starts = [begin for begin, end in turns if begin <= one.at <= end]
    return max([*starts, *([before] if before else [])], default=one.at)


def _add_wait(quarter: Quarter, wait: timedelta) -> None:
    quarter.called += 1
    quarter.waited += wait
    quarter.longest_wait = max(quarter.longest_wait, wait)


def _count(quarters: defaultdict[datetime, Quarter], facts: DayFacts) -> None:
    for at in facts.abandoned:
        quarters[quarter_of(at)].abandoned += 1
    for at in facts.deferred:
        quarters[quarter_of(at)].deferred += 1
    for at in facts.expected:
        quarters[quarter_of(at)].expected += 1
    for at in facts.missed:
        quarters[quarter_of(at)].missed += 1


def _parts(spans: Iterable[Span]) -> Iterator[tuple[datetime, timedelta]]:
    """Each span cut at the quarters."""
    for begin, end in spans:
        start = quarter_of(begin)
        while start < end:
            yield start, min(end, start + QUARTER) - max(begin, start)
            start += QUARTER
