"""Addresses and numbers as they are kept: one way to write each, and nothing that could steer a
mail server or be taken for something else.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.errors import Conflict, Language, NotFound, RejectedValueError, Text, Unprocessable
from shared.ids import CaseId

# RFC 5321: dot-atom local part and a domain with a dot; nothing quoted, no literals.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Japanese carriers gave out addresses with dots in a row or before the @, so those are taken.
_EMAIL: Final = re.compile(
    rf"({_ATOM}[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]*)@((?:{_LABEL}\.)+{_LABEL})"
)
_PHONE: Final = re.compile(r"0\d{9,10}")
_BETWEEN: Final = re.compile(r"[ ()\-\u2010-\u2015\u2212\u30fc]")
LONGEST_EMAIL: Final = 254


@dataclass(frozen=True, slots=True)
class Contact:
    """How a citizen is reached; what is personal in it is None where it is erased."""

    contact_id: UUID
    email: str | None
    phone: str | None
    language: Language
    verified_at: datetime | None


class NoSuchCase(NotFound):
    """Nothing is known of this case."""

    slug = "no-such-case"
    title = Text("There is no such procedure", "この手続はありません")


class NoContact(NotFound):
    """No contact is kept for this case."""

    slug = "no-contact"
    title = Text("No contact is kept for this procedure", "この手続には連絡先が登録されていません")
    remedy = Text(
        "Send one with PUT /v1/contacts/{case_id}.",
        "PUT /v1/contacts/{case_id} で登録してください。",
    )


class ContactEmpty(Unprocessable):
    """Neither an address nor a number."""

    slug = "contact-empty"
    title = Text("Give an e-mail address or a telephone number", "連絡先を入力してください")
    remedy = Text(
        "Send email, phone, or both; to have a contact forgotten, delete it.",
        "email か phone を送信してください。消去する場合は DELETE を使ってください。",
    )


class CodeRefused(Unprocessable):
    """The code is not the one that was mailed last."""

    slug = "code-refused"
    title = Text("The code does not match", "確認コードが一致しません")
    remedy = Text(
        "Type the eight digits of the newest mail, or send the contact again for another code.",
        "最新のメールにある8桁を入力するか、連絡先を送信し直して新しいコードを受け取ってください。",
    )


class NothingToVerify(Conflict):
    """There is no e-mail address whose code could be checked."""

    slug = "nothing-to-verify"
    title = Text("There is no address to verify", "確認するメールアドレスがありません")


def normal_email(text: str) -> str:
    """The one way to write an address: half width, domain in small letters.

    Raises ``RejectedValueError``, which does not repeat it.
    """
    folded = unicodedata.normalize("NFKC", text).strip()
    match = _EMAIL.fullmatch(folded)
    if match is None or len(folded) > LONGEST_EMAIL or len(match[1]) > 64:
        raise RejectedValueError(
            Text("This is not an e-mail address.", "メールアドレスの形式ではありません。"),
            Text("Write it like name@example.jp.", "name@example.jp の形で入力してください。"),
        )
    return f"{match[1]}@{match[2].lower()}"


def normal_phone(text: str) -> str:
    """The one way to write a number: digits alone, from the 0 on. Raises ``RejectedValueError``."""
    folded = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    if _PHONE.fullmatch(folded) is None:
        raise RejectedValueError(
            Text(
                "This is not a Japanese telephone number.", "日本の電話番号の形式ではありません。"
            ),
            Text("Write it like 044-200-0000.", "044-200-0000 の形で入力してください。"),
        )
    return folded


def mailbox(email: str) -> str:
    """What tells two mailboxes apart: no provider in use tells capitals from small letters."""
    return f"mail:{email.lower()}"


def telephone(phone: str) -> str:
    """What tells two telephones apart."""
    return f"tel:{phone}"


def subject_of(contact_id: UUID) -> str:
    """Under whose key a contact is sealed."""
    return f"contact:{contact_id}"


@dataclass(frozen=True, slots=True)
class OfCase:
    """A contact and the case it is for."""

    case_id: CaseId
    contact: Contact
