"""What is odd about a row that is taken all the same: the card is here, so it must not be lost.

Codes are stable; the texts are made when they are read and hold no value of the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.lot_rows import CardRow
from services.preparation.domain.validity import card_expires_on, is_next_generation, possible_ends
from shared.contracts.base import CaseKind
from shared.errors import Text


class Oddity(StrEnum):
    """What a clerk should look at."""

    EXPIRES_LATE = "expires_late"
    EXPIRES_EARLY = "expires_early"
    NOT_YET_NEXT_GENERATION = "not_yet_next_generation"

    @property
    def words(self) -> "Words":
        """What is odd, where, and what to do."""
        return _WORDS[self]


@dataclass(frozen=True, slots=True)
class Words:
    """The column an oddity is about, and its texts."""

    field: str
    message: Text
    remedy: Text


def oddities(row: CardRow, next_generation_from: date | None) -> Sequence[Oddity]:
    """What contradicts the validity rules (see ``domain/validity.py``), in a fixed order."""
    found = []
    if not _lasts_by_rule(row):
        ends = possible_ends(row.applied_on, row.shipped_on, row.birth_date)
        late = row.card_expires_on > max(ends)
        found.append(Oddity.EXPIRES_LATE if late else Oddity.EXPIRES_EARLY)
    if row.kind is CaseKind.NEXT_GENERATION and not is_next_generation(
        row.applied_on, next_generation_from
    ):
        found.append(Oddity.NOT_YET_NEXT_GENERATION)
    return found


def _lasts_by_rule(row: CardRow) -> bool:
    # Most cards end as those made on the day of the application do, which is quickly seen.
    if row.card_expires_on == card_expires_on(row.applied_on, row.birth_date):
        return True
    return row.card_expires_on in possible_ends(row.applied_on, row.shipped_on, row.birth_date)


_WORDS: Final = {
    Oddity.EXPIRES_LATE: Words(
        "card_expires_on",
        Text(
            "The card would last longer than the rule allows for this birth date.",
            "生年月日から計算した有効期限より後の日付です。",
        ),
        Text(
            "Compare birth date and expiry with the card; hold it (registry_mismatch) if they "
            "differ.",
            "カード券面の生年月日・有効期限と照合し、相違があれば保留（registry_mismatch）"
            "にしてください。",
        ),
    ),
    Oddity.EXPIRES_EARLY: Words(
        "card_expires_on",
        Text(
            "The card ends earlier than the rule says; right only for a period of stay.",
            "生年月日から計算した有効期限より前の日付です（在留期間による場合を除く）。",
        ),
        Text(
            "Compare it with the card and, for foreign residents, with the period of stay.",
            "カード券面と、外国人住民の場合は在留期間と照合してください。",
        ),
    ),
    Oddity.NOT_YET_NEXT_GENERATION: Words(
        "kind",
        Text(
            "The next-generation card had not begun when this was applied for.",
            "申請日の時点で次期個人番号カードは開始していません。",
        ),
        Text(
            "Check the kind, or set MADOGUCHI_PREPARATION_NEXT_GENERATION_FROM.",
            "種別を確認するか、MADOGUCHI_PREPARATION_NEXT_GENERATION_FROM を設定してください。",
        ),
    ),
}
