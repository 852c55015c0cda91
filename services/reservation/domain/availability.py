"""What is free on a day at a site: from its cells as they were read, for one way of asking.

Nothing here decides who gets a seat; booking looks again, under the locks of the cells.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from services.reservation.domain.cells import Start
from services.reservation.domain.distance import Point
from shared.calendar import TOKYO
from shared.contracts.base import Procedure
from shared.ids import SiteId, WardCode

DayKey: TypeAlias = tuple[SiteId, date]
_WAYS = 32
"""Ways of asking that a day remembers; strangers can think of many."""
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SeatReturn:
    """Seats on their way back to a cell."""

    due_at: datetime
    seats: int


@dataclass(frozen=True, slots=True)
class SeatsAt:
    """One cell: seats that are free, less than none where it shrinks, and those coming back."""

    starts_at: datetime
    free: int
    returns: tuple[SeatReturn, ...] = ()

    def free_at(self, now: datetime) -> int:
        """Free seats once what is due by ``now`` has come back."""
        back = sum(one.seats for one in self.returns if one.due_at <= now) if self.returns else 0
        return max(self.free + back, 0)


@dataclass(frozen=True, slots=True)
class SeatDay:
    """The cells of one day at one site, in order, and what was computed from them."""

    cells: tuple[SeatsAt, ...]
    shown: dict["Way", "Day"] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Way:
    """How a day is asked about; two that are equal have the same answer.

    ``count``: cells of one case; ``kept``: seats of each cell that are left to others. Visits begin
    and end from ``after`` to ``before`` (Asia/Tokyo). ``extra``: seats that the asker holds.
    """

    count: int
    party: int
    kept: int
    after: time | None
    before: time | None
    extra: Mapping[datetime, int] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Day:
    """Free seats of one day, and the times at which a visit may begin."""

    day: date
    free: int
    starts: tuple[Start, ...]
    until: datetime = field(default=NEVER, compare=False)
    """Seats that come back then make it another answer."""
    written: dict[bool, bytes] = field(default_factory=dict, compare=False, repr=False)
    """For who shows it: with its starts, and without."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; days from ``first`` to ``last``, both included.

    ``wards``: the site has to serve residents of each; none: of any. Without ``site_ids``, every
    site; with ``near`` those within ``within_km``, nearest first.
    """

    procedures: tuple[Procedure, ...]
    wards: tuple[WardCode, ...]
    first: date
    last: date
    party: int = 1
    site_ids: frozenset[SiteId] | None = None
    after: time | None = None
    before: time | None = None
    near: Point | None = None
    within_km: float | None = None


def free_on(day: date, seats: SeatDay, way: Way, cell: timedelta, now: datetime) -> Day:
    """What is free on ``day`` for ``way``; remembered with the seats until it becomes another."""
    if way.extra is None and (known := seats.shown.get(way)) is not None and now < known.until:
        return known
    within = list(_within(seats.cells, way))
    times, left = [one.starts_at for one in within], [_left(one, way, now) for one in within]
    runs = _runs(times, way.count, cell)
    starts = tuple(_starts(times, left, runs, way))
    found = Day(day, _seats(left, runs, way.count), starts, _until(seats, now))
    if way.extra is None:
        if len(seats.shown) >= _WAYS:
            seats.shown.clear()
        seats.shown[way] = found
    return found


def _left(one: SeatsAt, way: Way, now: datetime) -> int:
    extra = way.extra.get(one.starts_at, 0) if way.extra else 0
    return max(one.free_at(now) - way.kept, 0) + extra


def _within(cells: Sequence[SeatsAt], way: Way) -> Iterator[SeatsAt]:
    if way.after is None and way.before is None:
        return iter(cells)
    earliest, latest = way.after or time.min, way.before or time.max
    local = ((one, one.starts_at.astimezone(TOKYO).time()) for one in cells)
    return (one for one, at in local if earliest <= at < latest)


def _runs(times: Sequence[datetime], count: int, cell: timedelta) -> Sequence[int]:
    """The numbers of the cells from which ``count`` follow each other without a gap."""
    length = cell * (count - 1)
    ends = zip(times, times[count - 1 :], strict=False)
    return [number for number, (first, last) in enumerate(ends) if last - first == length]


def _starts(
    times: Sequence[datetime], left: Sequence[int], runs: Sequence[int], way: Way
) -> Iterator[Start]:
    """As ``cells.starts``, for cells in order."""
    for number in runs:
        free = min(left[number : number + way.count])
        if free >= way.party:
            yield Start(times[number], free)


def _seats(left: Sequence[int], runs: Sequence[int], count: int) -> int:
    """As ``cells.seats``, for cells in order."""
    rest, total = list(left), 0
    for number in runs:
        taken = min(rest[number : number + count])
        if taken:
            for each in range(number, number + count):
                rest[each] -= taken
            total += taken
    return total


def _until(seats: SeatDay, now: datetime) -> datetime:
    due = (back.due_at for one in seats.cells for back in one.returns if back.due_at > now)
    return min(due, default=NEVER)
