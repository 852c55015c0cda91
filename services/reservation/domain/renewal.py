"""A certificate renewal opened here: no card and no notice come before it, a contact does.

One at a time per verified contact (the database keeps that); open from three months before the
certificates end. Source: the brief's rules of e-certificates.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from shared.errors import Conflict, Language, NotFound, Text, Unprocessable
from shared.ids import CaseId, WardCode

MONTHS_BEFORE: Final = 3
"""Fixed by law: renewal opens three months before the certificates end."""
YEARS_AFTER: Final = 5
"""No card lasts longer than its certificates by more: to the 10th birthday, they to the 5th."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """One renewal; ``ended_at`` once it is done, void or withdrawn."""

    case_id: CaseId
    contact_id: UUID | None
    """None where nobody left a contact; staff alone open such a renewal."""
    ward: WardCode
    certificate_expires_on: date
    opened_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Opening:
    """A renewal that staff open together with its booking; ``phone`` is in its normal form.

    ``case_id`` is new: nobody else knows it before both have committed.
    """

    case_id: CaseId
    ward: WardCode
    certificate_expires_on: date
    phone: str | None
    language: Language


class NoSuchRenewal(NotFound):
    """No renewal has this id."""

    slug = "no-such-renewal"
    title = Text("There is no such renewal", "この更新手続はありません")


class RenewalActive(Conflict):
    """The contact has a renewal that has not ended."""

    slug = "renewal-active"
    title = Text("A renewal is open already", "更新手続がすでにあります")
    remedy = Text(
        "Go on with that one, or withdraw it before you open another.",
        "その手続を続けるか、取り下げてから新しく始めてください。",
    )

    def __init__(self, case_id: CaseId) -> None:
        super().__init__(extras={"case_id": str(case_id)})


class NotRenewableYet(Unprocessable):
    """The certificates are valid for more than three months."""

    slug = "not-renewable-yet"
    title = Text("The certificates cannot be renewed yet", "まだ更新できません")
    remedy = Text(
        "Come back on renewable_from.", "renewable_from 以降にもう一度お申し込みください。"
    )

    def __init__(self, renewable_from: date) -> None:
        super().__init__(extras={"renewable_from": renewable_from.isoformat()})


class CardEnded(Unprocessable):
    """The certificates ended so long ago that the card has ended too."""

    slug = "card-ended"
    title = Text("The card itself has ended", "カード本体の有効期限が過ぎているため更新できません")
    remedy = Text(
        "Apply for a new card; or correct certificate_expires_on.",
        "新しいカードを申請するか、certificate_expires_on を確認してください。",
    )


class NeedsVerifiedContact(Unprocessable):
    """A renewal belongs to a contact, and this caller has none."""

    slug = "needs-verified-contact"
    title = Text("Log in with an e-mail address first", "メールアドレスでのログインが必要です")
    remedy = Text(
        "Log in with POST /v1/sessions:request and :confirm; staff send the caller's phone.",
        "POST /v1/sessions:request と :confirm でログインしてください。職員は phone を送信します。",
    )


def renewable_from(expires_on: date) -> date:
    """The first day of renewal: the same day three months earlier, or that month's last."""
    return months_later(expires_on, -MONTHS_BEFORE)


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def check_renewable(expires_on: date, today: date, last_day: date) -> None:
    """Raise ``NotRenewableYet`` where renewal opens after the last day that may be booked now, and
    ``CardEnded`` where the card has ended too. Certificates that have ended are issued anew.
    """
    first = renewable_from(expires_on)
    if first > last_day:
        raise NotRenewableYet(first)
    if months_later(expires_on, 12 * YEARS_AFTER) < today:
        raise CardEnded
