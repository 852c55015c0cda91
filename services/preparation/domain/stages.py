"""A card goes from stage to stage, one at a time and never back; or it leaves the way for good.

received → inspected → registry_checked → preset → shelved → notified → issued, and rejected or
voided on the way (project brief, "Card: states"; 交付準備処理 of the city's plan).
"""

from enum import StrEnum
from typing import Final

from services.preparation.domain.refusals import ALREADY, DONE, Verdict, refused
from shared.errors import Text


class Stage(StrEnum):
    """How far a card has come, in order; then the ends beside the way."""

    RECEIVED = "received"
    INSPECTED = "inspected"
    REGISTRY_CHECKED = "registry_checked"
    PRESET = "preset"
    SHELVED = "shelved"
    NOTIFIED = "notified"
    ISSUED = "issued"
    REJECTED = "rejected"
    VOIDED = "voided"
    DISPOSAL_DUE = "disposal_due"
    DISPOSED = "disposed"

    @property
    def rank(self) -> int:
        """Place in the order, from 0; the ends beside the way come last."""
        return _RANKS[self]

    @property
    def label(self) -> Text:
        """The stage as people say it."""
        return _LABELS[self]


_RANKS: Final = {stage: rank for rank, stage in enumerate(Stage)}
_LABELS: Final = {
    Stage.RECEIVED: Text("received", "受領"),
    Stage.INSPECTED: Text("inspected", "検品"),
    Stage.REGISTRY_CHECKED: Text("checked against the registry", "住基照合"),
    Stage.PRESET: Text("preset", "交付前設定"),
    Stage.SHELVED: Text("shelved", "保管"),
    Stage.NOTIFIED: Text("notified", "交付通知"),
    Stage.ISSUED: Text("issued", "交付"),
    Stage.REJECTED: Text("rejected", "不良返送"),
    Stage.VOIDED: Text("voided", "無効"),
    Stage.DISPOSAL_DUE: Text("due for disposal", "廃棄待ち"),
    Stage.DISPOSED: Text("disposed", "廃棄"),
}
WAY: Final = tuple(stage for stage in Stage if stage.rank <= Stage.ISSUED.rank)
"""The stages a card goes through, in order."""

ENDS: Final = frozenset(Stage) - frozenset(WAY)
"""Where a card ends without being handed over."""


def previous(stage: Stage) -> Stage:
    """The stage a card must be in to go to ``stage``; ``ValueError`` for the first and the ends."""
    if stage is Stage.RECEIVED:
        raise ValueError("a card begins as received")
    if stage not in WAY:
        raise ValueError("an end beside the way has no one stage before it")
    return WAY[stage.rank - 1]


def step(at: Stage, to: Stage, *, held: bool = False) -> Verdict:
    """Whether a card at ``at`` goes to ``to``: only from the stage right before it, never held.

    A card that has been there is left alone and called ``already``, so that a repeated command
    does no harm.
    """
    if at in ENDS:
        return _ended(at)
    if at.rank >= to.rank:
        return ALREADY
    if at is not previous(to):
        return _too_early(at, to)
    return HELD if held else DONE


HELD: Final = refused(
    "held",
    Text("The card is on hold.", "カードは保留中です。"),
    Text(
        "Clear its holds first (POST /v1/stages/released).",
        "先に保留を解除してください（POST /v1/stages/released）。",
    ),
)


def _ended(at: Stage) -> Verdict:
    return refused(
        "ended",
        Text(
            f"The card is {at.label.en}; nothing more is done with it.",
            f"カードは「{at.label.ja}」のため、処理できません。",
        ),
        Text("Take it out of the list.", "対象から除いてください。"),
    )


def _too_early(at: Stage, to: Stage) -> Verdict:
    missing = previous(to)
    following = WAY[at.rank + 1]
    return refused(
        "stage_missing",
        Text(
            f"The card is {at.label.en}; it must be {missing.label.en} first.",
            f"カードは「{at.label.ja}」の段階です。先に「{missing.label.ja}」が必要です。",
        ),
        Text(
            f"Take it to {following.value} next (POST /v1/stages/{following.value}).",
            f"次は「{following.label.ja}」へ進めてください（POST /v1/stages/{following.value}）。",
        ),
    )
