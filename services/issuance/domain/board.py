"""What a waiting room sees: numbers and counters, never who holds a number or what for."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from services.issuance.domain.ticket import Purpose
from shared.ids import SiteId, VisitId


@dataclass(frozen=True, slots=True)
class Call:
    """A ticket that was called to a counter; ``calls`` tells a repeated call from the first."""

    ticket: str
    counter: str
    calls: int


@dataclass(frozen=True, slots=True)
class Place:
    """A ticket that waits; no estimate where no open counter can serve it.

    ``is_paused``: it is not called while the national system stops.
    """

    ticket: str
    minutes: int | None
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A site's board. ``expected`` is how long a party coming now would wait for each purpose."""

    site_id: SiteId
    date: date
    called: tuple[Call, ...]
    waiting: tuple[Place, ...]
    expected: Mapping[Purpose, int]
    counters_open: int
    stopped: tuple[Purpose, ...] = ()
    """What nobody is called for while the national system stops."""
    stopped_until: Mapping[Purpose, datetime] = field(default_factory=dict)
    """Until when, as far as that is known; nothing for what stands still by the calendar."""


def called_first(calls: Iterable[tuple[datetime, Call]]) -> tuple[Call, ...]:
    """The calls, the newest first."""
    ordered = sorted(calls, key=lambda one: (one[0], one[1].ticket), reverse=True)
    return tuple(call for _, call in ordered)


def places(
    labels: Sequence[tuple[VisitId, str]],
    waits: Mapping[VisitId, timedelta],
    paused: Container[VisitId] = (),
) -> tuple[Place, ...]:
    """Who waits in the order of the queue, with whole minutes."""
    return tuple(
        Place(label, minutes(waits[visit_id]) if visit_id in waits else None, visit_id in paused)
        for visit_id, label in labels
    )


def minutes(wait: timedelta) -> int:
    """Whole minutes, rounded up: nobody is promised less than is expected."""
    return -(-int(wait.total_seconds()) // 60)
