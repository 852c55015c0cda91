"""The room as a model of a few lines: who has which seat. What it predicts, PostgreSQL must do."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.ids import BookingId, CaseId, SiteId

CELL = timedelta(minutes=10)
Cell = tuple[SiteId, datetime]


@dataclass(frozen=True)
class Seat:
    """One case's booking: two cells from its start on."""

    booking_id: BookingId
    case_id: CaseId
    party: object
    site_id: SiteId
    starts_at: datetime


@dataclass(frozen=True)
class Held:
    """What a session holds."""

    hold_id: UUID
    cases: tuple[CaseId, ...]
    site_id: SiteId
    starts_at: datetime
    expires_at: datetime


def taken(site_id: SiteId, starts_at: datetime, count: int) -> Counter[Cell]:
    """The seats of ``count`` cases that begin together."""
    return Counter({(site_id, starts_at + number * CELL): count for number in range(2)})


@dataclass
class Model:
    """Seats by cell, bookings by case, holds by session."""

    capacity: dict[Cell, int] = field(default_factory=dict)
    bookings: dict[CaseId, Seat] = field(default_factory=dict)
    holds: dict[str, Held] = field(default_factory=dict)
    alternatives: Counter[Cell] = field(default_factory=Counter)
    """Seats that closures keep for whoever they displace."""

    def used(self, now: datetime) -> Counter[Cell]:
        """Seats taken by cell."""
        seats: Counter[Cell] = Counter(self.alternatives)
        for one in self.bookings.values():
            seats += taken(one.site_id, one.starts_at, 1)
        for held in self.live(now).values():
            seats += taken(held.site_id, held.starts_at, len(held.cases))
        return seats

    def live(self, now: datetime) -> dict[str, Held]:
        """The holds that have not run out."""
        return {who: held for who, held in self.holds.items() if held.expires_at > now}

    def has(self, who: str, site_id: SiteId, now: datetime) -> Counter[Cell]:
        """The seats that a session holds at a site."""
        held = self.live(now).get(who)
        if held is None or held.site_id != site_id:
            return Counter()
        return taken(site_id, held.starts_at, len(held.cases))

    def fits(self, wanted: Mapping[Cell, int], now: datetime) -> bool:
        """Whether these seats are free."""
        used = self.used(now)
        return all(
            cell in self.capacity and used[cell] + seats <= self.capacity[cell]
            for cell, seats in wanted.items()
        )

    def booked(self, seats: Iterable[Seat]) -> None:
        """These cases sit here now."""
        self.bookings |= {seat.case_id: seat for seat in seats}

    def movers(self, case_id: CaseId, *, together: bool) -> list[Seat]:
        """Who moves when this case does."""
        named = self.bookings[case_id]
        return [
            one
            for one in self.bookings.values()
            if one is named or (together and one.party == named.party)
        ]

    def lacking(self, movers: Sequence[Seat], site_id: SiteId, at: datetime) -> Counter[Cell]:
        """The seats they would need besides those they have."""
        has: Counter[Cell] = Counter()
        for one in movers:
            has += taken(one.site_id, one.starts_at, 1)
        return taken(site_id, at, len(movers)) - has

    def moved(self, movers: Sequence[Seat], site_id: SiteId, at: datetime) -> None:
        """They sit there now."""
        self.booked(replace(one, site_id=site_id, starts_at=at) for one in movers)

    def remade(
        self, site_id: SiteId, wanted: Mapping[Cell, int], now: datetime, *, strict: bool
    ) -> bool:
        """A new calendar of a site: whether it is taken; holds that it has no room for end."""
        used = self.used(now)
        tight = {cell for cell, n in used.items() if cell[0] == site_id and n > wanted.get(cell, 0)}
        kept = {
            who: held
            for who, held in self.live(now).items()
            if tight.isdisjoint(taken(held.site_id, held.starts_at, 1))
        }
        after = replace(self, holds=kept).used(now)
        if strict and any(
            cell[0] == site_id and n > wanted.get(cell, 0) for cell, n in after.items()
        ):
            return False
        self.holds = kept
        others = {cell: n for cell, n in self.capacity.items() if cell[0] != site_id}
        self.capacity = others | dict(wanted)
        return True
