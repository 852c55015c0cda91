"""How many seats of a day are told as free: what a citizen may book of it, as rules stand now.

Seats kept for the call centre and for who walks in are not, nor those at which the national system
cannot be used. Days beyond the horizon are told as they will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.reservation.domain.cells import Shape, midnight
from services.reservation.domain.national_system import NationalSystem, Suspension, stops_at
from services.reservation.domain.rules import Audience, Rules
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.ids import SiteId


@dataclass(frozen=True, slots=True)
class Bookable:
    """What citizens may book at a site with ``procedure``; ``rules`` are those of both."""

    site_id: SiteId
    procedure: Procedure
    rules: Rules
    suspensions: Sequence[Suspension]
    now: datetime

    def of(self, day: date, free: Shape) -> Shape:
        """The free seats of ``day`` that a citizen may book."""
        kept = self.rules.kept(day, business_date(self.now), Audience.CITIZEN)
        left = tuple((minute, max(seats - kept, 0)) for minute, seats in free) if kept else free
        if not left or not (self.suspensions or self._ends_late(day, left)):
            return left
        system = NationalSystem({self.site_id: self.suspensions}, self.now, self.rules)
        length = self.rules.cell_minutes
        return tuple(
            (minute, seats)
            for minute, seats in left
            if system.serves(self.site_id, self.procedure, _at(day, minute), length)
        )

    def _ends_late(self, day: date, cells: Shape) -> bool:
        return _at(day, cells[-1][0] + self.rules.cell_minutes) > stops_at(day, self.rules)


def _at(day: date, minute: int) -> datetime:
    return midnight(day) + timedelta(minutes=minute)
