"""A hold: why a card waits, and when somebody looks at it again.

A card may wait for several reasons at once; it goes on from where it stood when the last of them
is cleared (project brief, "Card: states").
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.preparation.domain.refusals import DONE, Verdict, refused
from services.preparation.domain.stages import ENDS, Stage
from shared.contracts.preparation import HoldReason
from shared.errors import FieldError, Text, Unprocessable


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to wait, and the day on which it is looked at again."""

    reason: HoldReason
    review_on: date


class ReviewPassed(Unprocessable):
    """A hold needs a day that is still to come."""

    slug = "hold-review-passed"
    title = Text("The review date has passed", "見直し日が過ぎています")
    remedy = Text("Send today or a later day.", "本日以降の日付を送信してください。")

    def __init__(self) -> None:
        message = Text("It must not lie in the past.", "過去の日付は指定できません。")
        super().__init__(errors=(FieldError("review_on", message, self.remedy),))


def hold(reason: HoldReason, review_on: date | None, today: date, review_days: int) -> Hold:
    """A hold; without a day of its own it is looked at again after ``review_days`` days.

    Raises ``ReviewPassed``.
    """
    chosen = review_on or today + timedelta(days=review_days)
    if chosen < today:
        raise ReviewPassed
    return Hold(reason, chosen)


def may_wait(at: Stage) -> Verdict:
    """Whether a card at ``at`` can be held: as long as it is on its way to the citizen."""
    return OVER if at is Stage.ISSUED or at in ENDS else DONE


OVER: Final = refused(
    "over",
    Text("The card is handed over or its case has ended.", "交付済み、または終了した案件です。"),
    Text("There is nothing to do.", "対応は不要です。"),
)
