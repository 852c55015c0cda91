"""Which cards a command is about: named one by one, or a whole lot; always locked in one order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.preparation.domain.refusals import UNKNOWN_CASE, Verdict
from services.preparation.store import cards, lots
from services.preparation.store.cards import Card
from shared.db import Connection
from shared.errors import NotFound, Text
from shared.ids import CaseId, LotId


@dataclass(frozen=True, slots=True)
class Selection:
    """Either cases or a lot."""

    case_ids: Sequence[CaseId] = ()
    lot_id: LotId | None = None


@dataclass(frozen=True, slots=True)
class CardResult:
    """What a command about many said to one case."""

    case_id: CaseId
    verdict: Verdict


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
    if selection.lot_id is None:
        found = await cards.lock_cases(conn, selection.case_ids)
    else:
        found = await cards.lock_lot(conn, selection.lot_id)
        if not found and await lots.find(conn, selection.lot_id) is None:
            raise LotUnknown
    return {card.case_id: card for card in found}


def results(selection: Selection, verdicts: Mapping[CaseId, Verdict]) -> list[CardResult]:
    """One result per case meant, in the order in which they were named."""
    meant = verdicts if selection.lot_id is not None else dict.fromkeys(selection.case_ids)
    return [CardResult(case_id, verdicts.get(case_id, UNKNOWN_CASE)) for case_id in meant]
