"""A card goes from stage to stage, one at a time and never back.

received → inspected → registry_checked → preset → shelved → notified → issued (project brief,
"Card: states"; 交付準備処理 of the city's plan).
"""

from enum import StrEnum
from typing import Final

from services.preparation.domain.refusals import ALREADY, DONE, Verdict, refused
from shared.errors import Text


class Stage(StrEnum):
    """How far a card has come; in order."""

    RECEIVED = "received"
    INSPECTED = "inspected"
    REGISTRY_CHECKED = "registry_checked"
    PRESET = "preset"
    SHELVED = "shelved"
    NOTIFIED = "notified"
    ISSUED = "issued"

    @property
    def rank(self) -> int:
        """Place in the order, from 0."""
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
}


def previous(stage: Stage) -> Stage:
    """The stage a card must be in to go to ``stage``; ``ValueError`` for the first."""
    if stage is Stage.RECEIVED:
        raise ValueError("a card begins as received")
    return tuple(Stage)[stage.rank - 1]


def step(at: Stage, to: Stage) -> Verdict:
    """Whether a card at ``at`` goes to ``to``: only from the stage right before it.

    A card that has been there is left alone and called ``already``, so that a repeated command
    does no harm.
    """
    if at.rank >= to.rank:
        return ALREADY
    if at is previous(to):
        return DONE
    return _too_early(at, to)


def _too_early(at: Stage, to: Stage) -> Verdict:
    missing = previous(to)
    following = tuple(Stage)[at.rank + 1]
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
