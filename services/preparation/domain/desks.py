"""The desks of preparation: what each does, how long a card takes there, and how many work there.

Service times are defaults of the project brief ("Service times": inspection 1 min, registry check
1 min, preset 4 min, notice 1 min per card); measured values replace them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from math import inf
from types import MappingProxyType
from typing import Final

from services.preparation.domain.stages import Stage, previous
from shared.errors import Text


class Desk(StrEnum):
    """A desk by the stage to which it takes a card, in the order in which cards pass."""

    INSPECTED = "inspected"
    REGISTRY_CHECKED = "registry_checked"
    PRESET = "preset"
    SHELVED = "shelved"
    NOTIFIED = "notified"

    @property
    def queue(self) -> Stage:
        """The stage in which cards wait for this desk."""
        return previous(Stage(self.value))

    @property
    def label(self) -> Text:
        """What is done there, as people say it."""
        return _LABELS[self]

    @classmethod
    def for_stage(cls, stage: Stage) -> "Desk | None":
        """The desk a card at ``stage`` waits for; None where it waits for none."""
        return next((desk for desk in cls if desk.queue is stage), None)


_LABELS: Final = {
    Desk.INSPECTED: Text("Inspection", "検品"),
    Desk.REGISTRY_CHECKED: Text("Registry check", "住基照合"),
    Desk.PRESET: Text("Preset", "交付前設定"),
    Desk.SHELVED: Text("Shelving", "保管"),
    Desk.NOTIFIED: Text("Notice", "交付通知"),
}


DEFAULT_MINUTES: Final[Mapping[Desk, float]] = MappingProxyType(
    {
        Desk.INSPECTED: 1.0,
        Desk.REGISTRY_CHECKED: 1.0,
        Desk.PRESET: 4.0,
        Desk.SHELVED: 0.0,
        Desk.NOTIFIED: 1.0,
    }
)
"""Of a card at each desk; the brief names none for shelving, which is done on the way."""


@dataclass(frozen=True, slots=True)
class Period:
    """So many people at a desk from a day on, until the next period of the same desk."""

    desk: Desk
    from_on: date
    people: float


@dataclass(frozen=True, slots=True)
class Extra:
    """So many more people at a desk (fewer, where negative) from ``from_on`` to ``until_on``."""

    desk: Desk
    people: float
    from_on: date
    until_on: date | None = None

    def on(self, day: date) -> bool:
        """Whether they are there on ``day``."""
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)


@dataclass(frozen=True, slots=True)
class Desks:
    """How many cards each desk can do on a business day.

    ``minutes`` are per card and person (0: as fast as cards come), ``day_minutes`` those a person
    works on a day, ``pace`` the most notices of a day, where there is such a limit.
    """

    minutes: Mapping[Desk, float]
    day_minutes: float
    periods: Sequence[Period]
    extras: Sequence[Extra] = ()
    pace: float = inf

    def people(self, desk: Desk, day: date) -> float:
        """How many work at ``desk`` on ``day``; before its first period, those of that."""
        own = sorted((p for p in self.periods if p.desk is desk), key=lambda p: p.from_on)
        begun = [period for period in own if period.from_on <= day] or own[:1]
        base = begun[-1].people if begun else 0.0
        extra = sum(e.people for e in self.extras if e.desk is desk and e.on(day))
        return max(0.0, base + extra)

    def capacity(self, desk: Desk, day: date) -> float:
        """Cards that ``desk`` can do on ``day``."""
        minutes = self.minutes[desk]
        able = inf if minutes <= 0 else self.people(desk, day) * self.day_minutes / minutes
        return min(able, self.pace) if desk is Desk.NOTIFIED else able

    def with_extra(self, *extras: Extra) -> "Desks":
        """The same desks with more people, or fewer."""
        return replace(self, extras=(*self.extras, *extras))
