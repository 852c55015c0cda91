"""How a card ends without being handed over: rejected to J-LIS, or voided with its case."""

from typing import Final

from services.preparation.domain.holds import OVER
from services.preparation.domain.refusals import ALREADY, DONE, Verdict, refused
from services.preparation.domain.stages import ENDS, Stage
from shared.errors import Text


def reject(at: Stage) -> Verdict:
    """Whether a defective card goes back to J-LIS: only before it is laid on a shelf."""
    if at is Stage.REJECTED:
        return ALREADY
    if at in ENDS or at is Stage.ISSUED:
        return OVER
    return DONE if at.rank < Stage.SHELVED.rank else ON_SHELF


def void(at: Stage) -> Verdict:
    """Whether a case ends: at any stage before the hand-over, booked or not."""
    if at is Stage.VOIDED:
        return ALREADY
    return OVER if at in ENDS or at is Stage.ISSUED else DONE


ON_SHELF: Final = refused(
    "on_shelf",
    Text("The card lies on a shelf already.", "カードは既に保管棚にあります。"),
    Text(
        "Void it as defective instead (POST /v1/stages/voided).",
        "不良として無効にしてください（POST /v1/stages/voided）。",
    ),
)
