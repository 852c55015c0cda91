"""What to do next: every card that waits for a desk, the most urgent first.

A card is needed by the day of its booking; and one that expires soon, or whose predecessor does, by
that day. What is needed by no day goes by age. What is one's own comes before all.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from services.preparation.domain.desks import Desk
from services.preparation.domain.stages import Stage
from shared.contracts.base import CaseKind
from shared.errors import Text
from shared.ids import CaseId, LotId, SiteId, WardCode

NEVER: Final = date(9999, 1, 1)
"""Stands for no day where rows are sorted by day."""


class Task(StrEnum):
    """What is to be done: take a card to a stage, or look at a hold again."""

    INSPECTED = "inspected"
    REGISTRY_CHECKED = "registry_checked"
    PRESET = "preset"
    SHELVED = "shelved"
    NOTIFIED = "notified"
    REVIEW = "review"

    @property
    def label(self) -> Text:
        """The task as people say it."""
        return _REVIEW if self is Task.REVIEW else Desk(self.value).label

    @classmethod
    def of(cls, stage: Stage, *, held: bool) -> "Task":
        """What a card at ``stage`` waits for; ``ValueError`` for one that waits for no desk."""
        desk = Desk.for_stage(stage)
        if held:
            return cls.REVIEW
        if desk is None:
            raise ValueError("a card that waits for no desk")
        return cls(desk.value)


_REVIEW: Final = Text("Review of a hold", "保留の見直し")


class Order(StrEnum):
    """What comes first: what is needed soonest, expires soonest, is booked soonest, or waits
    longest.
    """

    URGENCY = "urgency"
    EXPIRY = "expiry"
    BOOKING = "booking"
    AGE = "age"


class Rank(NamedTuple):
    """The place of a card in a list: others behind one's own, by day, then by age."""

    others: bool
    day: date
    since: datetime
    case_id: CaseId


@dataclass(frozen=True, slots=True)
class Work:
    """A card and what it waits for. ``assigned_until`` where the operator has it."""

    case_id: CaseId
    card_reference: str
    lot_id: LotId
    ward: WardCode
    kind: CaseKind
    stage: Stage
    stage_since: datetime
    held: bool
    review_on: date | None
    site_id: SiteId | None
    shelf_position: str | None
    expires_on: date
    booked_at: datetime | None
    needed_by: date | None
    assigned_until: datetime | None
    rank: Rank

    @property
    def task(self) -> Task:
        """What is to be done."""
        return Task.of(self.stage, held=self.held)


@dataclass(frozen=True, slots=True)
class Desktop:
    """How much of a task an operator has in hand, since when, and when the first of it expires."""

    operator: str
    task: Task
    cards: int
    assigned_since: datetime
    expires_first: datetime
