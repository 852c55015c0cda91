"""Links in mails: whoever got the mail may see, cancel or move the visit, or answer, until it is
over or another address has replaced the one it was mailed to.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.errors import NotFound, Text
from shared.ids import CaseId

LINK: Final = "link:"
"""What stands in the token's subject of a citizen who came by a link."""


class Purpose(StrEnum):
    """What a link is for. The order is part of the tokens: only add at the end."""

    VIEW = "view"
    CANCEL = "cancel"
    MOVE = "move"
    ANSWER = "answer"
    """Answer an alternative; ``ref`` is the booking."""
    OFFER = "offer"
    """Take or leave a seat of the waiting list; ``ref`` is the offer."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a token stands for. ``ref`` is the booking, or what the purpose says."""

    purpose: Purpose
    case_id: CaseId
    ref: UUID
    contact_tag: bytes
    """Binds it to the address it was mailed to."""


class LinkRefused(NotFound):
    """The one answer for a link that is false, foreign, outdated or for something else."""

    slug = "link-refused"
    title = Text("This link does not work any more", "このリンクは使えません")
    remedy = Text(
        "Use the newest mail, or log in with the notice or with your e-mail address.",
        "最新のメールのリンクを使うか、交付通知書またはメールアドレスでログインしてください。",
    )
