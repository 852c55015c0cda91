"""Who comes for somebody else, and what they bring: a card's proxy everything at once, a renewal's
first a power of attorney, and then the citizen's sealed reply to the inquiry letter.
"""

import zlib
from collections.abc import Mapping
from typing import Final

from shared.contracts.base import Procedure
from simulation.replay.agenda import Turn
from simulation.replay.cases import End

STATES: Final[Mapping[str, str]] = {"signing": "valid", "user_authentication": "renewable"}
"""What the terminal says of the certificates of who comes in time."""
_REASONS: Final = ("illness", "disability", "in_care", "abroad", "student", "other")
_GROWN_UP: Final = 18


def come_for(turn: Turn) -> Mapping[str, object] | None:
    """The proxy of this visit, as issuance takes it; none where the citizen comes."""
    if not turn.case.proxy:
        return None
    return {
        "reason": _reason(turn),
        "documents": [{"class": "A", "type": "passport"}],
        "papers": _papers(turn),
    }


def states_of(turn: Turn) -> Mapping[str, str] | None:
    """The states of the certificates, which are asked for where a proxy renews them."""
    renewal = turn.case.procedure is Procedure.CERTIFICATE_RENEWAL
    return STATES if turn.case.proxy and renewal else None


def _reason(turn: Turn) -> str:
    born, comes = turn.case.birth_date, turn.appointment.seat.day
    age = comes.year - born.year - ((comes.month, comes.day) < (born.month, born.day))
    if age < _GROWN_UP:
        return "under_age"
    return _REASONS[zlib.crc32(turn.case.key.encode()) % len(_REASONS)]


def _papers(turn: Turn) -> list[str]:
    if turn.case.procedure is Procedure.CARD_ISSUANCE:
        return ["power_of_attorney", "evidence_of_reason"]
    reply = [] if turn.appointment.end is End.LETTER else ["sealed_reply"]
    return ["power_of_attorney", *reply]
