"""A case as it is planned: who it is, and everything that happens to it until it ends."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from shared.calendar import TOKYO
from shared.contracts.base import Procedure

DAY_MINUTES = 24 * 60


class End(StrEnum):
    """How an appointment ends."""

    SERVED = "served"
    MISSED = "missed"
    MOVED = "moved"
    CANCELLED = "cancelled"
    DEFERRED = "deferred"
    LETTER = "letter"
    """Somebody came for the citizen; an inquiry letter goes out first."""
    VOID = "void"


class Fate(StrEnum):
    """What becomes of a case in the end."""

    COMPLETED = "completed"
    DEFECT = "defect"
    VOID = "void"
    VOID_BOOKED = "void_booked"


@dataclass(frozen=True, slots=True)
class Seat:
    """A time at a site: minutes since year 1, in Japan, as one number."""

    site_id: str
    minute: int

    @property
    def day(self) -> date:
        """The date of the visit."""
        return date.fromordinal(self.minute // DAY_MINUTES)

    @property
    def of_day(self) -> int:
        """Minutes since midnight."""
        return self.minute % DAY_MINUTES

    @property
    def starts_at(self) -> datetime:
        """The moment."""
        hour, minute = divmod(self.of_day, 60)
        return datetime.combine(self.day, time(hour, minute), TOKYO)


@dataclass(frozen=True, slots=True)
class Appointment:
    """A booking made, or moved to, on ``made_on``, and how it ends."""

    made_on: date
    seat: Seat
    end: End


@dataclass(frozen=True, slots=True)
class Card:
    """The card of a case, and its way to the notice; days are business days."""

    kind: str
    applied_on: date
    shipped_on: date
    lot_day: date
    """Names the lot: the day of the notices that it was delivered for."""
    notice_on: date
    """When the notice goes out; later than ``lot_day`` where the card was held."""


@dataclass(frozen=True, slots=True)
class Case:
    """One procedure of one citizen."""

    key: str
    """Unique in the replay; of a card, its reference."""
    procedure: Procedure
    ward: str
    site_id: str
    """Where the card is laid on a shelf; without one, the preferred place."""
    fate: Fate
    stepwise: bool
    proxy: bool
    birth_date: date
    certificate_ends_on: date | None
    """Of a renewal: until when its certificates are valid."""
    appointments: tuple[Appointment, ...]
    card: Card | None = None
    walk_in: bool = False
    """Comes without a booking."""
    family: str = ""
    """The key of the first of those who are served together; empty where one comes alone."""
    waits: bool = False
    """The seat comes from the waiting list: one that somebody gives up for that site and day."""

    @property
    def travels(self) -> bool:
        """Whether the card is sent to another site, where the citizen has booked."""
        return self.card is not None and any(
            one.seat.site_id != self.site_id for one in self.appointments
        )

    @property
    def held(self) -> bool:
        """Whether the card waits on its way."""
        return self.card is not None and self.card.notice_on != self.card.lot_day

    @property
    def completes_on(self) -> date | None:
        """The day of the visit that ends it, if one does."""
        return self.appointments[-1].seat.day if self.fate is Fate.COMPLETED else None

    def line(self) -> str:
        """Everything planned, in one line: what the state hash is made of."""
        visits = ",".join(
            f"{one.made_on}>{one.seat.site_id}@{one.seat.minute}:{one.end}"
            for one in self.appointments
        )
        card = self.card
        way = f"{card.lot_day}/{card.notice_on}/{card.kind}" if card else ""
        parts = (
            self.key,
            self.procedure,
            self.ward,
            self.site_id,
            self.fate,
            f"{self.stepwise:d}{self.proxy:d}{self.walk_in:d}{self.waits:d}",
            self.family,
            str(self.birth_date),
            way,
            visits,
        )
        return "|".join(parts)
