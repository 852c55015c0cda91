"""What the resident registry says of a citizen, and what it means for the card.

moved_out, died, residence_period_renewed: the case ends (a card is void when its holder moves out
or dies, 番号利用法施行令 第14条; one made for an earlier period of stay is made anew).
name_or_address_changed, support_measures: the card waits. moved_within_city: a card that is not on
a shelf yet is routed to the new ward; one that is waits until it has been taken there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.refusals import Refusal, Verdict, refused
from services.preparation.domain.stages import ENDS, Stage
from shared.contracts.preparation import HoldReason, VoidReason
from shared.errors import Text
from shared.ids import WardCode


class ChangeKind(StrEnum):
    """What changed."""

    MOVED_OUT = "moved_out"
    DIED = "died"
    MOVED_WITHIN_CITY = "moved_within_city"
    NAME_OR_ADDRESS_CHANGED = "name_or_address_changed"
    SUPPORT_MEASURES = "support_measures"
    RESIDENCE_PERIOD_RENEWED = "residence_period_renewed"


class ChangeEffect(StrEnum):
    """What became of the card; ``waiting`` until it has come."""

    WAITING = "waiting"
    HELD = "held"
    REROUTED = "rerouted"
    VOIDED = "voided"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """One change; ``change_reference`` is the registry's own number of it and counts once."""

    change_reference: str
    card_reference: str
    kind: ChangeKind
    effective_on: date
    ward: WardCode | None = None
    review_on: date | None = None


VOIDS: Final = {
    ChangeKind.MOVED_OUT: VoidReason.MOVED_OUT,
    ChangeKind.DIED: VoidReason.DIED,
    ChangeKind.RESIDENCE_PERIOD_RENEWED: VoidReason.RESIDENCE_PERIOD_RENEWED,
}
HOLDS: Final = {
    ChangeKind.MOVED_WITHIN_CITY: HoldReason.MOVED_WITHIN_CITY,
    ChangeKind.NAME_OR_ADDRESS_CHANGED: HoldReason.NAME_OR_ADDRESS_CHANGED,
    ChangeKind.SUPPORT_MEASURES: HoldReason.SUPPORT_MEASURES,
}


CORRECTS: Final = frozenset({ChangeKind.NAME_OR_ADDRESS_CHANGED, ChangeKind.MOVED_WITHIN_CITY})
"""Changes that may bring the corrected name and address for the next notice. Under support measures
(住民基本台帳事務における支援措置) an address is not passed on.
"""


def effect(kind: ChangeKind, at: Stage) -> ChangeEffect:
    """What a change means for a card at ``at``."""
    if at is Stage.ISSUED or at in ENDS:
        return ChangeEffect.NONE
    if kind in VOIDS:
        return ChangeEffect.VOIDED
    if kind is ChangeKind.MOVED_WITHIN_CITY and at.rank < Stage.SHELVED.rank:
        return ChangeEffect.REROUTED
    return ChangeEffect.HELD


def latest_moves(changes: Sequence[Change]) -> dict[str, Change]:
    """Of several moves of one card, by card reference, the one that took effect last."""
    moves = [each for each in changes if each.kind is ChangeKind.MOVED_WITHIN_CITY]
    return {each.card_reference: each for each in sorted(moves, key=lambda m: m.effective_on)}


def fault(
    kind: ChangeKind,
    ward: WardCode | None,
    review_on: date | None,
    name: str = "",
    address: str = "",
) -> Refusal | None:
    """What keeps a change from being taken as it stands, if anything."""
    if (name or address) and kind not in CORRECTS:
        return NO_ADDRESSEE.refusal
    if bool(name) != bool(address):
        return HALF_ADDRESSEE.refusal
    if (kind is ChangeKind.MOVED_WITHIN_CITY) != (ward is not None):
        return WARD_NEEDED.refusal
    if review_on is not None and kind not in HOLDS:
        return NO_REVIEW.refusal
    return None


WARD_NEEDED: Final[Verdict] = refused(
    "ward_needed",
    Text("A move within the city needs its new ward.", "市内転居には新しい区が必要です。"),
    Text(
        "Send ward for moved_within_city, and for nothing else.",
        "moved_within_city の場合だけ ward を指定してください。",
    ),
)
NO_REVIEW: Final[Verdict] = refused(
    "review_not_possible",
    Text("This change ends the case; nothing is reviewed.", "この異動は案件を終了させます。"),
    Text("Leave review_on empty.", "review_on は空にしてください。"),
)
NO_ADDRESSEE: Final[Verdict] = refused(
    "addressee_not_expected",
    Text(
        "This change takes no name and address.",
        "この異動では氏名・住所を受け付けません。",
    ),
    Text(
        "Send name and address only with name_or_address_changed or moved_within_city.",
        "氏名・住所は name_or_address_changed・moved_within_city の場合だけ送信してください。",
    ),
)
HALF_ADDRESSEE: Final[Verdict] = refused(
    "addressee_incomplete",
    Text("Name and address go together.", "氏名と住所は両方必要です。"),
    Text(
        "Send both as they are now, or neither.",
        "現在の氏名と住所を両方送信するか、両方とも省いてください。",
    ),
)
REFERENCE_TAKEN: Final[Verdict] = refused(
    "reference_taken",
    Text(
        "Another change was told under this reference before.",
        "この異動番号では、内容の異なる異動が登録済みです。",
    ),
    Text(
        "Compare it with GET /v1/registry-changes; send what is new under a reference of its own.",
        "GET /v1/registry-changes の内容と照合し、新しい異動は別の番号で送信してください。",
    ),
)
