"""An assignment: one operator works on a case at a time; a forgotten one expires by itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.preparation.domain.refusals import refused
from shared.errors import Text
from shared.ids import CaseId


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who works on a case, and until when it is theirs."""

    case_id: CaseId
    operator: str
    assigned_at: datetime
    expires_at: datetime


ASSIGNED_ELSEWHERE: Final = refused(
    "assigned_elsewhere",
    Text("Somebody else works on this card.", "別の担当者が処理中です。"),
    Text(
        "Wait until it is given back or expires, or ask a supervisor to free it.",
        "返却または期限切れを待つか、責任者に解除を依頼してください。",
    ),
)
NOT_ASSIGNED: Final = refused(
    "not_assigned",
    Text("The card is not assigned to you.", "あなたの担当ではありません。"),
    Text("Only who has it, or a supervisor, gives it back.", "担当者または責任者が返却できます。"),
)
