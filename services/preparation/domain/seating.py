"""When can those who are invited come? Each takes the earliest free seat that serves the ward.

Free seats are those reservation has published; behind the last day it has published, a site is
taken to offer the seats of its last published week, free of bookings. Where nothing is known of any
site that serves a ward, its citizens come on the next business day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.preparation.domain.flow import Notified
from services.preparation.domain.working_days import WorkingDays
from shared.ids import SiteId, WardCode

_TINY = 1e-9
_DAY = timedelta(days=1)
_WEEK = 7 * _DAY


@dataclass(frozen=True, slots=True)
class SeatDay:
    """The seats of a site on a day."""

    on: date
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class SeatSource:
    """A site's published days in order, and the wards it serves (None: every ward)."""

    site_id: SiteId
    wards: frozenset[WardCode] | None
    days: Sequence[SeatDay]

    def serves(self, ward: WardCode) -> bool:
        """Whether residents of ``ward`` may come here."""
        return self.wards is None or ward in self.wards


@dataclass(frozen=True, slots=True)
class Seated:
    """Cards of a cohort whose citizens can come from ``on`` on; a day that is None lies behind the
    end of the outlook.
    """

    ward: WardCode
    received_on: date
    notified_on: date | None
    on: date | None
    cards: float


class Seating:
    """Gives free seats out; each seat once."""

    def __init__(self, sources: Sequence[SeatSource], working: WorkingDays) -> None:
        self._sources = sources
        self._working = working
        self._free = {source.site_id: _free(source, working.last) for source in sources}
        self._from: dict[WardCode, date] = {}

    def seat(self, invited: Iterable[Notified]) -> list[Seated]:
        """Seat ``invited`` in their order, each after the day of the notice."""
        return [seated for group in invited for seated in self._seat(group)]

    def _seat(self, group: Notified) -> list[Seated]:
        def seated(on: date | None, cards: float) -> Seated:
            return Seated(group.ward, group.received_on, group.on, on, cards)

        serving = [self._free[s.site_id] for s in self._sources if s.serves(group.ward)]
        if not any(serving):
            return [seated(self._next(group.on), group.cards)]
        found: list[Seated] = []
        waiting = group.cards
        day = max(group.on + _DAY, self._from.get(group.ward, group.on))
        while waiting > _TINY and day <= self._working.last:
            taken = _take(serving, day, waiting)
            if taken > _TINY:
                found.append(seated(day, taken))
                waiting -= taken
            day += _DAY
        self._settle(group, serving)
        return [*found, seated(None, waiting)] if waiting > _TINY else found

    def _settle(self, group: Notified, serving: Sequence[Mapping[date, float]]) -> None:
        """Remember up to when the ward's seats are gone, so that nobody looks there again."""
        day = self._from.get(group.ward, group.on + _DAY)
        while day <= self._working.last and all(s.get(day, 0.0) <= _TINY for s in serving):
            day += _DAY
        self._from[group.ward] = day

    def _next(self, day: date) -> date | None:
        working = self._working
        return working.after(day) if working.days and day < working.days[-1] else None


def _take(serving: Sequence[dict[date, float]], day: date, wanted: float) -> float:
    taken = 0.0
    for seats in serving:
        here = min(seats.get(day, 0.0), wanted - taken)
        if here > 0:
            seats[day] -= here
            taken += here
    return taken


def _free(source: SeatSource, last: date) -> dict[date, float]:
    free = {day.on: float(day.free) for day in source.days}
    if not free:
        return free
    end = max(free)
    usual = {day.on: day.total for day in source.days if day.on > end - _WEEK}
    for number in range(1, (last - end).days + 1):
        day = end + number * _DAY
        like = day - _WEEK * ((number + 6) // 7)
        free[day] = float(usual.get(like, 0))
    return free
