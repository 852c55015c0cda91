"""A notice invites the citizen: its number, its deadline, and which cards may have one.

The number is never stored. It is derived again for printing from a secret of this room, so a copy
of the database tells nobody a number.
"""

import calendar
import hashlib
import hmac
from datetime import date
from typing import Final, NewType

from services.preparation.domain.refusals import DONE, Verdict, refused
from services.preparation.domain.stages import Stage, step
from shared.errors import Conflict, Json, Text
from shared.ids import CaseId

NoticeNumber = NewType("NoticeNumber", str)
"""Printed form: three letters or digits, a hyphen, six digits."""

FIRST: Final = 1
"""``notice_seq`` of the first notice."""

# I and O look like 1 and 0 on a postcard; the form allows them, this city does not use them.
_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_SPACE: Final = len(_LETTERS) ** 3 * 10**6


class NothingToNotify(Conflict):
    """No card among those named can have a notice now."""

    slug = "nothing-to-notify"
    title = Text("No card here is ready for a notice", "交付通知を送れるカードがありません")
    remedy = Text(
        "See `results` for what each card needs first.",
        "各カードに必要な処理は results を確認してください。",
    )

    def __init__(self, results: list[Json]) -> None:
        super().__init__(extras={"results": results})


class SecretRetired(Conflict):
    """The numbers were derived from a key that has left the ring."""

    slug = "notice-secret-retired"
    title = Text("The numbers can no longer be printed", "通知書番号を再作成できません")
    remedy = Text(
        "Put the master key named in `secret_id` back into MADOGUCHI_PREPARATION_MASTER_KEYS.",
        "secret_id のマスターキーを MADOGUCHI_PREPARATION_MASTER_KEYS に戻してください。",
    )

    def __init__(self, secret_id: str) -> None:
        super().__init__(extras={"secret_id": secret_id})


def derive_number(secret: bytes, case_id: CaseId, notice_seq: int, attempt: int) -> NoticeNumber:
    """The number of a case's notice: HMAC-SHA256 under ``secret``, reduced to the printed form.

    One in 39 billion numbers; the next ``attempt`` gives another where two cases would share one.
    """
    text = f"{case_id}|{notice_seq}|{attempt}".encode()
    rest = int.from_bytes(hmac.digest(secret, text, hashlib.sha256)) % _SPACE
    head, digits = divmod(rest, 10**6)
    high, low = divmod(head, len(_LETTERS))
    top, middle = divmod(high, len(_LETTERS))
    letters = _LETTERS[top] + _LETTERS[middle] + _LETTERS[low]
    return NoticeNumber(f"{letters}-{digits:06d}")


def pickup_deadline(notified_on: date, months: int, card_expires_on: date) -> date:
    """The last day to collect: ``months`` after the notice, never past the card's own validity.

    Where the month is too short, its last day counts (民法 第143条第2項ただし書).
    """
    years, month = divmod(notified_on.month - 1 + months, 12)
    year = notified_on.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return min(date(year, month + 1, min(notified_on.day, last)), card_expires_on)


def notify(at: Stage, card_expires_on: date, today: date, *, held: bool = False) -> Verdict:
    """Whether a card gets its first notice: on the shelf, not held, and still valid today."""
    verdict = step(at, Stage.NOTIFIED, held=held)
    if verdict is DONE and card_expires_on < today:
        return EXPIRED
    return verdict


EXPIRED: Final = refused(
    "card_expired",
    Text("The card's validity has ended.", "カードの有効期間が満了しています。"),
    Text("Take it off the shelf for disposal.", "廃棄の手続へ回してください。"),
)
UNDER_WAY: Final = refused(
    "under_way",
    Text("The card is on its way to another site.", "カードは別の窓口へ移送中です。"),
    Text("Wait until it has arrived there.", "到着後にもう一度実行してください。"),
)
NO_BIRTH_DATE: Final = refused(
    "birth_date_gone",
    Text(
        "The birth date for the notice is no longer kept.",
        "通知に必要な生年月日が保存されていません。",
    ),
    Text(
        "Ask the registry and import the card again.",
        "住民基本台帳を確認し、カードを取り込み直してください。",
    ),
)
