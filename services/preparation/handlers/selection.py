"""Which cards a command is about: named, scanned, or a whole lot; always locked in one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from services.preparation.domain.refusals import UNKNOWN_CARD, UNKNOWN_CASE, Verdict
from services.preparation.store import cards, lots
from services.preparation.store.cards import Card
from shared.db import Connection
from shared.errors import NotFound, Text
from shared.ids import CaseId, LotId


@dataclass(frozen=True, slots=True)
class Selection:
    """Either cases, or a lot, or references as they are scanned from the cards."""

    case_ids: Sequence[CaseId] = ()
    lot_id: LotId | None = None
    references: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CardResult:
    """What a command about many said to one case; a scan that is no card of ours has none."""

    case_id: CaseId | None
    verdict: Verdict
    card_reference: str | None = None


class LotUnknown(NotFound):
    """No lot has this id."""

    slug = "lot-unknown"
    title = Text("There is no such lot", "このロットはありません")
    remedy = Text("GET /v1/lots lists the lots.", "GET /v1/lots で確認してください。")


class CardUnknown(NotFound):
    """No card has this case id."""

    slug = "card-unknown"
    title = Text("There is no such card", "このカードはありません")
    remedy = Text("GET /v1/cards lists the cards.", "GET /v1/cards で確認してください。")


async def locked(conn: Connection, selection: Selection) -> dict[CaseId, Card]:
    """The cards meant, locked until the unit ends. Raises ``LotUnknown``."""
    if selection.references:
        found = await cards.lock_references(conn, selection.references)
    elif selection.lot_id is None:
        found = await cards.lock_cases(conn, selection.case_ids)
    else:
        found = await cards.lock_lot(conn, selection.lot_id)
        if not found and await lots.find(conn, selection.lot_id) is None:
            raise LotUnknown
    return {card.case_id: card for card in found}


def results(
    selection: Selection,
    verdicts: Mapping[CaseId, Verdict],
    cards: Mapping[CaseId, Card] = MappingProxyType({}),
) -> list[CardResult]:
    """One result per card meant, in the order in which they were named.

    ``cards`` are those that were locked; they are needed where cards were scanned.
    """
    if selection.references:
        return _scanned(selection.references, verdicts, cards)
    meant = verdicts if selection.lot_id is not None else dict.fromkeys(selection.case_ids)
    return [CardResult(case_id, verdicts.get(case_id, UNKNOWN_CASE)) for case_id in meant]


def _scanned(
    references: Sequence[str], verdicts: Mapping[CaseId, Verdict], cards: Mapping[CaseId, Card]
) -> list[CardResult]:
    known = {card.card_reference: case_id for case_id, card in cards.items()}
    return [
        CardResult(known[reference], verdicts[known[reference]], reference)
        if reference in known
        else CardResult(None, UNKNOWN_CARD, reference)
        for reference in dict.fromkeys(references)
    ]
