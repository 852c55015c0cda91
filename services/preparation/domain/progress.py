"""Where is my card? The answer in the citizen's words, not in the office's."""

from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.stages import Stage
from shared.errors import Text


class Progress(StrEnum):
    """What a citizen can tell apart."""

    PREPARING = "preparing"
    ON_HOLD = "on_hold"
    BOOKABLE = "bookable"
    BOOKED = "booked"
    OVERDUE = "overdue"
    HANDED_OVER = "handed_over"
    ENDED = "ended"

    @property
    def headline(self) -> Text:
        """The state in a few words."""
        return _TITLES[self]

    @property
    def next_step(self) -> Text:
        """What the citizen does next."""
        return _NEXT[self]


def progress(
    stage: Stage, *, booked: bool, deadline: date | None, today: date, held: bool = False
) -> Progress:
    """The progress of a card at ``stage`` whose notice, if sent, ends with ``deadline``.

    A card that went back to be made again is still being prepared; why one is held is not told.
    """
    if stage is not Stage.NOTIFIED:
        return _OVER.get(stage, Progress.PREPARING)
    if held:
        return Progress.ON_HOLD
    if booked:
        return Progress.BOOKED
    if deadline is not None and deadline < today:
        return Progress.OVERDUE
    return Progress.BOOKABLE


_OVER: Final = {
    Stage.ISSUED: Progress.HANDED_OVER,
    Stage.VOIDED: Progress.ENDED,
    Stage.DISPOSAL_DUE: Progress.ENDED,
    Stage.DISPOSED: Progress.ENDED,
}

_TITLES: Final = {
    Progress.PREPARING: Text("Your card is being prepared", "カードの交付準備中です"),
    Progress.ON_HOLD: Text("Your card cannot be collected yet", "現在カードをお渡しできません"),
    Progress.BOOKABLE: Text("Your card is ready", "カードの準備ができました"),
    Progress.BOOKED: Text("Your visit is booked", "来庁の予約を承っています"),
    Progress.OVERDUE: Text("The pickup period has ended", "受取期限を過ぎています"),
    Progress.HANDED_OVER: Text("You have received your card", "カードをお渡ししました"),
    Progress.ENDED: Text("This procedure has ended", "この手続は終了しました"),
}
_NEXT: Final = {
    Progress.PREPARING: Text(
        "Please wait; a notice will reach you by post.",
        "交付通知書の到着をお待ちください。",
    ),
    Progress.ON_HOLD: Text(
        "Please wait; your ward office will tell you when you can book a visit.",
        "区役所からのご連絡をお待ちください。",
    ),
    Progress.BOOKABLE: Text(
        "Book a visit and bring the notice and your identity documents.",
        "来庁日時を予約し、交付通知書と本人確認書類をお持ちください。",
    ),
    Progress.BOOKED: Text(
        "Come at the booked time with the notice and your identity documents.",
        "予約の日時に、交付通知書と本人確認書類をお持ちください。",
    ),
    Progress.OVERDUE: Text(
        "Please call your ward office; they will tell you how to receive your card.",
        "お住まいの区の区役所へ電話でお問い合わせください。",
    ),
    Progress.HANDED_OVER: Text("There is nothing more to do.", "お手続きは完了しています。"),
    Progress.ENDED: Text(
        "Please call your ward office if you still need a card.",
        "カードが必要な場合は、区役所へ電話でお問い合わせください。",
    ),
}
