"""Which notices of a batch are printed: those whose citizens may still come for their cards.

A batch is printed some hours or days after it was made. Whoever was held, served or whose case
ended meanwhile is left out and counted, so that what was printed adds up with what was made.
"""

from enum import StrEnum

from services.preparation.domain.stages import Stage
from shared.errors import Conflict, Text


class LeftOut(StrEnum):
    """Why a notice is not printed: its card is held or further, it was repeated since, or another
    system had drawn its number (and had printed it).
    """

    HELD = "held"
    ISSUED = "issued"
    VOIDED = "voided"
    DISPOSAL_DUE = "disposal_due"
    DISPOSED = "disposed"
    REPEATED = "repeated"
    FOREIGN_NUMBER = "foreign_number"

    @property
    def label(self) -> Text:
        """The reason as people say it."""
        return _LABELS[self]


_LABELS = {
    LeftOut.HELD: Text("on hold", "保留中"),
    LeftOut.ISSUED: Text("issued", "交付済み"),
    LeftOut.VOIDED: Text("voided", "無効"),
    LeftOut.DISPOSAL_DUE: Text("due for disposal", "廃棄待ち"),
    LeftOut.DISPOSED: Text("disposed", "廃棄済み"),
    LeftOut.REPEATED: Text("repeated by a later notice", "再通知済み"),
    LeftOut.FOREIGN_NUMBER: Text("printed by another system", "旧システムで発行"),
}


def left_out(stage: Stage, *, held: bool, repeated: bool, foreign: bool = False) -> LeftOut | None:
    """Why a notice of a card at ``stage`` is not printed; None where it is.

    Raises ``ValueError`` for a stage that no card with a notice is in.
    """
    if stage is not Stage.NOTIFIED:
        return LeftOut(stage.value)
    if held:
        return LeftOut.HELD
    if repeated:
        return LeftOut.REPEATED
    return LeftOut.FOREIGN_NUMBER if foreign else None


class NothingToPrint(Conflict):
    """No notice of the batch may be printed now."""

    slug = "nothing-to-print"
    title = Text("No notice of this batch is to be printed now", "印刷できる交付通知がありません")
    remedy = Text(
        "See GET /v1/notices/{batch_id}/lines for why each is left out.",
        "対象外の理由は GET /v1/notices/{batch_id}/lines で確認してください。",
    )


class PrintCountDiffers(Conflict):
    """The printer counted other than the batch has notices to print."""

    slug = "print-count-differs"
    title = Text("The printer's count differs", "印刷枚数が一致しません")
    remedy = Text(
        "Take out the notices that GET /v1/notices/{batch_id}/lines names as left_out, or print "
        "the file again; then send the count again.",
        "GET /v1/notices/{batch_id}/lines で対象外の通知書を抜き取るか、印刷し直してから、"
        "枚数を再送してください。",
    )

    def __init__(self, expected: int, left_out: int) -> None:
        super().__init__(
            Text(
                f"{expected} notices are to be printed; {left_out} are left out.",
                f"印刷対象は{expected}枚、対象外は{left_out}枚です。",
            ),
            extras={"expected": expected, "left_out": left_out, "field": "notices"},
        )
