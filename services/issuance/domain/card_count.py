"""At the end of a day every card that was at a counter is in a hand, on its shelf, or missing.

A card that was taken for a party and not handed over has to be counted before the sign-off.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from shared.errors import Conflict, FieldError, Text, Unprocessable
from shared.ids import CaseId, VisitId


@dataclass(frozen=True, slots=True)
class CardOut:
    """A card that left its shelf for a counter; ``is_back`` is none until it is counted."""

    visit_id: VisitId
    case_id: CaseId
    shelf_position: str | None
    is_back: bool | None
    counted_at: datetime | None


class CardsNotCounted(Conflict):
    """Cards were at a counter, and nobody has said where they are; ``case_ids`` names them."""

    slug = "cards-not-counted"
    title = Text("Cards have not been counted back", "窓口に出したカードの確認が済んでいません")
    remedy = Text(
        "Put the cards in case_ids back on their shelf and count them; say which are missing.",
        "case_ids のカードを保管棚に戻し、所在を確認して登録してください。",
    )


class CardNotOut(Unprocessable):
    """A card was counted that was not at a counter on that day."""

    slug = "card-not-out"
    title = Text("A card was not at a counter on this day", "窓口に出していないカードがあります")
    remedy = Text("Count only the cards of the list.", "一覧にあるカードだけを登録してください。")


def require_counted(cards: Iterable[CardOut]) -> None:
    """Raise ``CardsNotCounted`` while the place of a card is not known."""
    open_ = sorted({str(card.case_id) for card in cards if card.is_back is None})
    if open_:
        raise CardsNotCounted(extras={"case_ids": open_})


def chosen(
    cards: Iterable[CardOut], case_ids: Collection[CaseId], field: str
) -> list[tuple[VisitId, CaseId]]:
    """The cards of these cases, in every visit that took them out. Raises ``CardNotOut``."""
    wanted = set(case_ids)
    found = [(card.visit_id, card.case_id) for card in cards if card.case_id in wanted]
    if {case_id for _, case_id in found} != wanted:
        raise CardNotOut(errors=[FieldError(field, CardNotOut.title, CardNotOut.remedy)])
    return found
