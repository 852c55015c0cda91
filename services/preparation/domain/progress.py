"""Where is my card? The answer in the citizen's words, not in the office's."""

from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.stages import Stage
from shared.errors import Text


class Progress(StrEnum):
    """What a citizen can tell apart."""

    PREPARING = "preparing"
    BOOKABLE = "bookable"
    BOOKED = "booked"
    OVERDUE = "overdue"
    HANDED_OVER = "handed_over"

    @property
    def headline(self) -> Text:
        """The state in a few words."""
        return _TITLES[self]

    @property
    def next_step(self) -> Text:
        """What the citizen does next."""
        return _NEXT[self]


def progress(stage: Stage, *, booked: bool, deadline: date | None, today: date) -> Progress:
    """The progress of a card at ``stage`` whose notice, if sent, ends with ``deadline``."""
    if stage is Stage.ISSUED:
        return Progress.HANDED_OVER
    if stage is not Stage.NOTIFIED:
        return Progress.PREPARING
    if booked:
        return Progress.BOOKED
    if deadline is not None and deadline < today:
        return Progress.OVERDUE
    return Progress.BOOKABLE


_TITLES: Final = {
    Progress.PREPARING: Text("Your card is being prepared", "カードの交付準備中です"),
    Progress.BOOKABLE: Text("Your card is ready", "カードの準備ができました"),
    Progress.BOOKED: Text("Your visit is booked", "来庁の予約を承っています"),
    Progress.OVERDUE: Text("The pickup period has ended", "受取期限を過ぎています"),
    Progress.HANDED_OVER: Text("You have received your card", "カードをお渡ししました"),
}
_NEXT: Final = {
    Progress.PREPARING: Text(
        "Please wait; a notice will reach you by post.",
        "交付通知書の到着をお待ちください。",
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
}
