"""A card is handed over only if everything known of it allows that, in whatever order news came.

``obstacle`` is the only judge; check-in and hand-over both ask it.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import DeferReason
from shared.errors import Conflict, Text
from shared.ids import CaseId, SiteId, WardCode


class Ended(StrEnum):
    """Why a card is never handed over any more."""

    VOIDED = "voided"
    DISPOSAL_DUE = "disposal_due"
    DISPOSED = "disposed"


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What is known of a case; None and False where nothing has been heard yet.

    ``site_id`` is where the card lies, none while nobody knows or while it travels.
    """

    case_id: CaseId
    procedure: Procedure | None = None
    kind: CaseKind | None = None
    ward: WardCode | None = None
    site_id: SiteId | None = None
    shelf_position: str | None = None
    in_transit: bool = False
    held: bool = False
    ended: Ended | None = None
    notified: bool = False
    card_expires_on: date | None = None
    old_card_expires_on: date | None = None
    pickup_deadline: date | None = None
    is_done: bool = False


class Unservable(Conflict):
    """The case cannot be served here and now; ``defer_reason`` is what a visit says of it."""

    slug = "case-unservable"
    defer_reason = DeferReason.OTHER


class CaseUnknown(Unservable):
    """The news that opens the case has not come yet."""

    slug = "case-not-known"
    title = Text("This case is not known here yet", "この案件の情報がまだ届いていません")
    remedy = Text(
        "Try again in a moment; if it stays so, ask the back office whether the card is ready.",
        "少し待ってからもう一度お試しください。変わらない場合は交付準備担当に確認してください。",
    )


class AlreadyDone(Unservable):
    """The procedure of this case was completed before."""

    slug = "case-already-done"
    title = Text("This case was completed already", "この案件の手続は完了しています")
    remedy = Text(
        "Hand nothing over; open the visit in which it was done.",
        "カードを渡さず、完了した来庁の記録を確認してください。",
    )


class CardVoid(Unservable):
    """The case was ended: the card may never be handed over."""

    slug = "card-void"
    title = Text("This card has been voided", "このカードは無効になっています")
    remedy = Text(
        "Do not hand the card over; set it aside and ask the back office how to go on.",
        "カードを渡さずに取り分け、今後の手続を交付準備担当に確認してください。",
    )


class CardDisposed(Unservable):
    """The card waits for its disposal or was destroyed."""

    slug = "card-disposed"
    title = Text("This card is no longer kept", "このカードは廃棄の対象または廃棄済みです")
    remedy = Text(
        "Explain that a new application is needed.",
        "改めて申請が必要であることを案内してください。",
    )


class CardExpired(Unservable):
    """The validity of the card itself has ended."""

    slug = "card-expired"
    title = Text("This card is past its own validity", "このカードは有効期間を過ぎています")
    remedy = CardDisposed.remedy


class CardOnHold(Unservable):
    """The card must wait until the back office releases it. The reason is not shown here."""

    slug = "card-held"
    title = Text("This card is on hold", "このカードは交付保留中です")
    remedy = Text(
        "Do not hand it over; ask a supervisor or the back office to review the hold.",
        "カードを渡さず、責任者または交付準備担当に保留の確認を依頼してください。",
    )
    defer_reason = DeferReason.CARD_HELD


class CardInTransit(Unservable):
    """The card is under way between two sites."""

    slug = "card-in-transit"
    title = Text("This card is under way to another site", "このカードは窓口間の移送中です")
    remedy = Text(
        "Look whether today's delivery has been taken in; otherwise move the booking.",
        "本日の移送便の受入れを確認し、未着の場合は予約を変更してください。",
    )
    defer_reason = DeferReason.CARD_NOT_HERE


class CardElsewhere(Unservable):
    """The card lies at another site, or on no shelf at all."""

    slug = "card-not-here"
    title = Text(
        "This card is not on this site's shelf", "このカードはこの窓口の保管棚にありません"
    )
    remedy = Text(
        "Send the citizen to the site named in card_site_id, or book a day after the transfer.",
        "card_site_id の窓口を案内するか、移送後の日付で予約を取り直してください。",
    )
    defer_reason = DeferReason.CARD_NOT_HERE


class CardNotReady(Unservable):
    """The card lies here, but no notice has invited the citizen yet."""

    slug = "card-not-ready"
    title = Text("This card is not ready yet", "このカードはまだ交付の準備ができていません")
    remedy = Text(
        "Ask the back office when the notice will be sent.",
        "交付通知書の発送予定を交付準備担当に確認してください。",
    )


def obstacle(file: CaseFile, site_id: SiteId, today: date) -> Unservable | None:
    """What forbids to serve the case at ``site_id`` on ``today`` (a date in Japan), if anything.

    A certificate renewal needs no card from a shelf; only its own end can forbid it.
    """
    if file.is_done:
        return AlreadyDone()
    if file.procedure is None or file.kind is None or file.ward is None:
        return CaseUnknown()
    if file.procedure is Procedure.CERTIFICATE_RENEWAL:
        return None
    return _end_of_card(file, today) or _place_of_card(file, site_id)


def require_servable(file: CaseFile, site_id: SiteId, today: date) -> None:
    """Raise the ``Unservable`` that stands in the way, if any."""
    if found := obstacle(file, site_id, today):
        raise found


def _end_of_card(file: CaseFile, today: date) -> Unservable | None:
    match file.ended:
        case Ended.VOIDED:
            return CardVoid()
        case Ended.DISPOSAL_DUE | Ended.DISPOSED:
            return CardDisposed()
        case None:
            pass
    if file.card_expires_on is not None and file.card_expires_on < today:
        return CardExpired()
    return CardOnHold() if file.held else None


def _place_of_card(file: CaseFile, site_id: SiteId) -> Unservable | None:
    if file.in_transit:
        return CardInTransit()
    if file.site_id != site_id:
        return CardElsewhere(extras={"card_site_id": file.site_id})
    return None if file.notified else CardNotReady()
