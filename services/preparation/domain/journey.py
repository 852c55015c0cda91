"""The way of a card as its citizen knows it: seven marks, each reached or still ahead.

What is done at the desks between two marks is the office's affair and is not told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.stages import WAY, Stage
from shared.errors import Text


class Mark(StrEnum):
    """A mark on the way, in order."""

    APPLIED = "applied"
    MADE = "made"
    ARRIVED = "arrived"
    READY = "ready"
    INVITED = "invited"
    BOOKED = "booked"
    HANDED_OVER = "handed_over"

    @property
    def headline(self) -> Text:
        """The mark in a few words."""
        return _TITLES[self]


_TITLES: Final = {
    Mark.APPLIED: Text("We have your application", "申請を受け付けました"),
    Mark.MADE: Text(
        "Your card was made and sent to the city", "カードが作成され市へ発送されました"
    ),
    Mark.ARRIVED: Text("Your card has arrived at the city", "カードが市に届きました"),
    Mark.READY: Text("Your card was made ready for you", "カードの準備が整いました"),
    Mark.INVITED: Text("Your notice was sent", "交付通知書を発送しました"),
    Mark.BOOKED: Text("You have booked a visit", "来庁を予約しました"),
    Mark.HANDED_OVER: Text("You have received your card", "カードをお受け取りになりました"),
}
_STAGES: Final = {
    Mark.ARRIVED: Stage.RECEIVED,
    Mark.READY: Stage.PRESET,
    Mark.INVITED: Stage.NOTIFIED,
    Mark.HANDED_OVER: Stage.ISSUED,
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """A mark, whether it is reached, and the day where it is known."""

    mark: Mark
    reached: bool
    on: date | None


def journey(
    stage: Stage,
    *,
    applied_on: date,
    shipped_on: date,
    stages: Mapping[Stage, date],
    booked: bool,
) -> list[Milestone]:
    """All marks in order. ``stages`` are the days on which the card came to its stages.

    A mark behind which the card is counts as reached, also where its own day is not known.
    """
    known = {Mark.APPLIED: applied_on, Mark.MADE: shipped_on} | {
        mark: stages[at] for mark, at in _STAGES.items() if at in stages
    }
    handed_over = stage is Stage.ISSUED

    def reached(mark: Mark) -> bool:
        if mark in (Mark.APPLIED, Mark.MADE) or mark in known or handed_over:
            return True
        if mark is Mark.BOOKED:
            return booked
        return stage in WAY and stage.rank >= _STAGES[mark].rank

    return [Milestone(mark, reached(mark), known.get(mark)) for mark in Mark]
