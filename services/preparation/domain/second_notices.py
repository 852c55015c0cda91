"""After the first notice: it comes back, or nobody comes; then a second, and then disposal.

Pickup deadline, then a second notice, then disposal (project brief, "Card: states").
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.notices import EXPIRED, UNDER_WAY
from services.preparation.domain.refusals import ALREADY, DONE, Verdict, refused
from services.preparation.domain.stages import HELD, Stage
from shared.errors import Text

LAST: Final = 2
"""``notice_seq`` of the last notice a case gets."""


class Unclaimed(StrEnum):
    """What comes next for a card nobody has collected."""

    SECOND_NOTICE = "second_notice"
    DISPOSAL = "disposal"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a card stands with its last notice; ``booked`` while a visit lies ahead or
    goes on."""

    stage: Stage
    notice_seq: int
    deadline: date
    returned: bool
    booked: bool
    held: bool
    on_shelf: bool
    card_expires_on: date


def over(standing: Standing, today: date) -> bool:
    """Whether the last notice has run out: it came back, or its deadline has passed."""
    return standing.returned or standing.deadline < today


def remind(standing: Standing, today: date) -> Verdict:
    """Whether a card gets its second notice."""
    if standing.stage is not Stage.NOTIFIED:
        return NOT_NOTIFIED
    if standing.notice_seq >= LAST:
        return ALREADY
    return _open(standing, today)


def _open(standing: Standing, today: date) -> Verdict:
    if standing.held:
        return HELD
    if standing.card_expires_on < today:
        return EXPIRED
    if standing.booked:
        return BOOKED
    if not over(standing, today):
        return NOT_OVER
    return DONE if standing.on_shelf else UNDER_WAY


def unclaimed(standing: Standing, today: date) -> Unclaimed | None:
    """What comes next for a notified card; None while its citizen may still come.

    A card whose validity has ended is disposed of, whichever notice was the last. The last notice
    runs to its deadline even where it came back. One that is held waits with everything else.
    """
    if standing.stage is not Stage.NOTIFIED or standing.booked or standing.held:
        return None
    if standing.card_expires_on < today:
        return Unclaimed.DISPOSAL
    if standing.notice_seq >= LAST:
        return Unclaimed.DISPOSAL if standing.deadline < today else None
    return Unclaimed.SECOND_NOTICE if over(standing, today) else None


NOT_NOTIFIED: Final = refused(
    "not_notified",
    Text("The card has no notice that could come back or be repeated.", "交付通知が未送付です。"),
    Text("Send its first notice (POST /v1/notices).", "先に交付通知を送付してください。"),
)
BOOKED: Final = refused(
    "booked",
    Text("A visit is booked; the citizen is expected.", "来庁予約があります。"),
    Text("Wait for the visit.", "来庁をお待ちください。"),
)
NOT_OVER: Final = refused(
    "pickup_period_running",
    Text("The pickup period has not ended.", "受取期限がまだ過ぎていません。"),
    Text(
        "Wait for the deadline, or record that the notice came back (POST /v1/notices/returns).",
        "期限を待つか、返戻を登録してください（POST /v1/notices/returns）。",
    ),
)
