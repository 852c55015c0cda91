"""A refusal says why one card of many was left as it was, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Conflict, Text


class Outcome(StrEnum):
    """What became of one card in a command about many."""

    DONE = "done"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Refusal:
    """``code`` is stable; the texts are for the operator and hold no value of a card."""

    code: str
    message: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says to one card; ``refusal`` is set exactly where it refuses."""

    outcome: Outcome
    refusal: Refusal | None = None


DONE = Verdict(Outcome.DONE)
ALREADY = Verdict(Outcome.ALREADY)


def refused(code: str, message: Text, remedy: Text) -> Verdict:
    """The verdict that refuses."""
    return Verdict(Outcome.REFUSED, Refusal(code, message, remedy))


UNKNOWN_CASE = refused(
    "unknown_case",
    Text("No card of this city has this case_id.", "この case_id のカードはありません。"),
    Text("Check the case_id; GET /v1/cards lists them.", "GET /v1/cards で確認してください。"),
)

UNKNOWN_CARD = refused(
    "unknown_card",
    Text("No card of this city has this reference.", "この参照番号のカードはありません。"),
    Text("Scan it again, or set the card aside.", "読み取り直すか、カードを別に保管してください。"),
)


class CardRefused(Conflict):
    """One card, asked for alone, cannot be taken further now."""

    slug = "card-refused"
    title = Text("The card cannot be taken there now", "このカードは現在その処理へ進めません")

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(_joined(refusal), extras={"code": refusal.code})


def _joined(refusal: Refusal) -> Text:
    message, remedy = refusal.message, refusal.remedy
    return Text(f"{message.en} {remedy.en}", f"{message.ja}{remedy.ja}")
