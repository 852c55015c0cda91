"""A stock-take compares what the book says lies on a shelf with what is scanned from it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.preparation.domain.stages import Stage
from shared.errors import Conflict, FieldError, NotFound, Text, Unprocessable

LYING: Final = frozenset({Stage.SHELVED, Stage.NOTIFIED, Stage.VOIDED, Stage.DISPOSAL_DUE})
"""Stages in which a card may lie on a shelf."""


class Difference(StrEnum):
    """How book and shelf differ about one card."""

    MISSING = "missing"
    """The book has it here, the shelf has not."""
    ELSEWHERE = "elsewhere"
    """The shelf has it, the book has it somewhere else."""
    UNKNOWN = "unknown"
    """The shelf has it, the book has never heard of it."""


class Resolution(StrEnum):
    """What was done about a difference."""

    FOUND = "found"
    GONE = "gone"
    MOVED_HERE = "moved_here"
    BROUGHT_BACK = "brought_back"
    SET_ASIDE = "set_aside"


RESOLUTIONS: Final[Mapping[Difference, frozenset[Resolution]]] = {
    Difference.MISSING: frozenset({Resolution.FOUND, Resolution.GONE}),
    Difference.ELSEWHERE: frozenset({Resolution.MOVED_HERE, Resolution.BROUGHT_BACK}),
    Difference.UNKNOWN: frozenset({Resolution.SET_ASIDE}),
}


class StockTakeUnknown(NotFound):
    """The shelf has no such stock-take, or the stock-take no such difference."""

    slug = "stock-take-unknown"
    title = Text("There is no such stock-take or difference", "この棚卸または差異はありません")
    remedy = Text(
        "See the stock-take and its differences.", "棚卸とその差異の一覧を確認してください。"
    )


class StockTakeRunning(Conflict):
    """A shelf has one stock-take at a time."""

    slug = "stock-take-running"
    title = Text("A stock-take of this shelf is running", "この棚は棚卸中です")
    remedy = Text("Finish that one first.", "先にその棚卸を完了してください。")


class StockTakeCounted(Conflict):
    """What was scanned has been counted."""

    slug = "stock-take-counted"
    title = Text("The stock-take has been counted", "この棚卸は集計済みです")
    remedy = Text(
        "Work its differences, or begin another.", "差異を処理するか、棚卸をやり直してください。"
    )


class DifferenceResolved(Conflict):
    """Somebody has worked this difference."""

    slug = "stock-difference-resolved"
    title = Text("The difference has been worked", "この差異は処理済みです")
    remedy = Text("See the list of differences.", "差異の一覧を確認してください。")


class WrongResolution(Unprocessable):
    """A difference is worked in the ways of its kind."""

    slug = "stock-resolution-wrong"
    title = Text("This does not answer such a difference", "この差異には使えない処理です")

    def __init__(self, kind: Difference) -> None:
        names = ", ".join(sorted(RESOLUTIONS[kind]))
        message = Text(f"The difference is “{kind.value}”.", f"差異の種類は「{kind.value}」です。")
        remedy = Text(f"Send one of: {names}.", f"次のいずれかを指定してください: {names}")
        super().__init__(errors=(FieldError("resolution", message, remedy),))


class NotLying(Conflict):
    """By its stage the card lies on no shelf at all."""

    slug = "stock-card-not-lying"
    title = Text("This card belongs on no shelf", "棚に置かれる段階のカードではありません")

    def __init__(self, stage: Stage) -> None:
        super().__init__(
            Text(
                f"The card is {stage.label.en}. Take it back to its desk and resolve the "
                "difference as brought_back.",
                f"カードは「{stage.label.ja}」の段階です。"
                "担当へ戻し、brought_back で処理してください。",
            )
        )


def require(kind: Difference, resolution: Resolution) -> None:
    """Let a resolution pass that answers the kind. Raises ``WrongResolution``."""
    if resolution not in RESOLUTIONS[kind]:
        raise WrongResolution(kind)
