"""The time grid: cells of equal length whose capacity is the least of counters, terminals, staff.

A case takes consecutive cells; the cases of a party take seats side by side. A seat is free only
if it is free in every cell it needs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from shared.calendar import TOKYO, BusinessCalendar
from shared.contracts.place import Site, Weekday
from shared.opening import hours_on

Free = Mapping[datetime, int]
"""Free seats by the start of a cell."""
Shape = tuple[tuple[int, int], ...]
"""Seats of a day's cells, each with the minutes at which it starts, in order."""


@dataclass(frozen=True, slots=True)
class Start:
    """A time at which a visit may begin, and how many cases could begin then."""

    starts_at: datetime
    free: int


def capacities(
    site: Site, first: date, last: date, calendar: BusinessCalendar, cell_minutes: int
) -> dict[datetime, int]:
    """Capacity by the start of each cell (UTC) from ``first`` to ``last``, both included."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return {
        start.astimezone(UTC): capacity
        for day in days
        for start, end in _grid(site, day, calendar, cell_minutes)
        if (capacity := _capacity(site, start, end)) > 0
    }


def cell_starts(starts_at: datetime, count: int, cell_minutes: int) -> list[datetime]:
    """The starts of the ``count`` cells that a visit at ``starts_at`` takes."""
    return [starts_at + timedelta(minutes=cell_minutes * number) for number in range(count)]


def party_cells(
    starts_at: datetime, minutes: Sequence[int], cell_minutes: int
) -> dict[datetime, int]:
    """Seats by the start (UTC) of each cell that cases of these ``minutes`` take together."""
    counts = [-(-length // cell_minutes) for length in minutes]
    begin = starts_at.astimezone(UTC)
    return {
        at: sum(count > number for count in counts)
        for number, at in enumerate(cell_starts(begin, max(counts), cell_minutes))
    }


def starts(free: Free, count: int, cell_minutes: int, party: int = 1) -> list[Start]:
    """The starts at which ``party`` cases of ``count`` cells each find a seat, in order."""
    found = (
        Start(at, min(free.get(cell, 0) for cell in cell_starts(at, count, cell_minutes)))
        for at in sorted(free)
    )
    return [start for start in found if start.free >= party]


def seats(shape: Shape, count: int, cell_minutes: int) -> int:
    """How many cases of ``count`` cells each fit at all."""
    return sum(taken for _, taken in _placed(shape, count, cell_minutes))


def minutes_by_hour(shape: Shape, count: int, cell_minutes: int) -> tuple[int | None, list[int]]:
    """The hour of the first seat, none without one, and the minutes of ``seats`` from it on.

    Seats lie where ``seats`` counts them, so the sum is their number times their length.
    """
    hours: dict[int, int] = {}
    for at, taken in _placed(shape, count, cell_minutes):
        for cell in range(at, at + count * cell_minutes, cell_minutes):
            # Half an hour's cell that begins at 8:45 lies in two hours.
            early = min(cell_minutes, 60 - cell % 60)
            for hour, part in ((cell // 60, early), (cell // 60 + 1, cell_minutes - early)):
                if part:
                    hours[hour] = hours.get(hour, 0) + taken * part
    if not hours:
        return None, []
    return min(hours), [hours.get(hour, 0) for hour in range(min(hours), max(hours) + 1)]


def _placed(shape: Shape, count: int, cell_minutes: int) -> Iterator[tuple[int, int]]:
    """Starts at which seats are taken, and how many.

    Taking every seat at the earliest start is best: of all ways to fill the first cell, none
    leaves more for those after it.
    """
    left = dict(shape)
    for at, _ in shape:
        cells = range(at, at + count * cell_minutes, cell_minutes)
        taken = min(left.get(cell, 0) for cell in cells)
        if taken > 0:
            for cell in cells:
                left[cell] -= taken
            yield at, taken


def by_day(free: Free) -> dict[date, dict[datetime, int]]:
    """Cells grouped by their date in Tokyo."""
    days: dict[date, dict[datetime, int]] = {}
    for at in sorted(free):
        days.setdefault(at.astimezone(TOKYO).date(), {})[at] = free[at]
    return days


def midnight(day: date) -> datetime:
    """The instant at which ``day`` begins in Tokyo."""
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO)


def _grid(
    site: Site, day: date, calendar: BusinessCalendar, cell_minutes: int
) -> Iterator[tuple[datetime, datetime]]:
    length = timedelta(minutes=cell_minutes)
    for opens, closes in hours_on(site, day, calendar):
        start, end = (datetime.combine(day, at, TOKYO) for at in (opens, closes))
        while start + length <= end:
            yield start, start + length
            start += length


def _capacity(site: Site, start: datetime, end: datetime) -> int:
    places = min(site.counters, site.terminals)
    if not site.staff:
        return places
    weekday = Weekday.of(start.date())
    people = sum(
        entry.people
        for entry in site.staff
        if entry.weekday is weekday and entry.starts <= start.time() and end.time() <= entry.ends
    )
    return min(places, people)
