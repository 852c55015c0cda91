"""The sentences of the letters, in both languages; placeholders are filled by ``letters``."""

from collections.abc import Mapping

from services.reservation.domain.link import Purpose
from services.reservation.domain.message import BROKEN_OFF, KEPT, Kind
from shared.contracts.base import Procedure
from shared.contracts.reservation import CancelReason
from shared.errors import Text

PROCEDURES: Mapping[Procedure, Text] = {
    Procedure.CARD_ISSUANCE: Text("collecting your My Number Card", "マイナンバーカードの受取り"),
    Procedure.CERTIFICATE_RENEWAL: Text("renewing the electronic certificates", "電子証明書の更新"),
}

LINKS: Mapping[Purpose, Text] = {
    Purpose.VIEW: Text("See the booking", "予約内容の確認"),
    Purpose.MOVE: Text("Choose another date", "日時・窓口の変更"),
    Purpose.CANCEL: Text("Cancel the booking", "予約の取消し"),
    Purpose.ANSWER: Text("Accept, choose another date, or cancel", "承諾・別の日時を選ぶ・取消し"),
    Purpose.OFFER: Text("Take this date or leave it", "この日時で予約する・見送る"),
}

REASONS: Mapping[str, Text] = {
    CancelReason.STAFF: Text(
        "Staff of the city cancelled it with you or for you.", "市の職員が取り消しました。"
    ),
    CancelReason.CARD_HELD: Text(
        "The card has to be checked first; we will write again.",
        "カードの確認が必要になりました。確認後に改めてご案内します。",
    ),
    CancelReason.CARD_VOIDED: Text(
        "The card can no longer be handed over. Please ask your ward office.",
        "カードをお渡しできなくなりました。お住まいの区の区役所へお問い合わせください。",
    ),
    CancelReason.DISPOSAL_DUE: Text(
        "The period for collecting the card has ended. Please ask your ward office.",
        "カードの受取期限が過ぎました。お住まいの区の区役所へお問い合わせください。",
    ),
    CancelReason.SITE_CHANGED: Text(
        "The hours of the site have changed.", "窓口の開設日時が変わりました。"
    ),
    CancelReason.SUSPENSION: Text(
        "The system needed for it is not available then.", "手続に必要なシステムが停止します。"
    ),
    BROKEN_OFF: Text(
        "The national system stopped while you were at the site, so that your procedure could not"
        " be finished. Please book again; bring the same documents.",
        "ご来庁中に全国システムが停止し、手続を完了できませんでした。お手数ですが、改めてご予約のうえ、"
        "同じ書類をお持ちください。",
    ),
    KEPT: Text(
        "What we wrote to you about does not come to pass: your booking stands as it was.",
        "先にご案内した変更は取りやめになりました。ご予約は元のとおり有効です。",
    ),
    CancelReason.TRANSFER_FAILED: Text(
        "The card could not be brought there in time.", "カードを期日までに窓口へ運べませんでした。"
    ),
}
"""Why; what the citizen did themselves needs no reason. Moves and cancellations share words."""

OPENINGS: Mapping[Kind, tuple[Text, Text]] = {
    Kind.CONFIRMED: (
        Text("Your visit is booked: {when}", "【予約完了】{when}"),
        Text("Your visit is booked.", "ご予約を承りました。"),
    ),
    Kind.MOVED: (
        Text("Your visit has another date: {when}", "【予約変更】{when}"),
        Text("Your booking has been changed.", "ご予約が変更されました。"),
    ),
    Kind.CANCELLED: (
        Text("Your visit is cancelled: {when}", "【予約取消し】{when}"),
        Text("Your booking is cancelled.", "ご予約は取り消されました。"),
    ),
    Kind.REMINDER: (
        Text("Your visit is tomorrow: {when}", "【明日のご来庁】{when}"),
        Text("Your visit is tomorrow.", "明日のご来庁についてお知らせします。"),
    ),
    Kind.ALTERNATIVE: (
        Text("Please choose: your visit on {when}", "【要回答】{when}のご予約について"),
        Text(
            "We cannot serve you at the time you booked, and apologize. "
            "We hold another seat for you:",
            "ご予約の日時に手続をお受けできなくなりました。申し訳ございません。"
            "代わりに次の日時を確保しています。",
        ),
    ),
    Kind.SUSPENDED: (
        Text("About your visit on {when}", "【重要】{when}のご予約について"),
        Text(
            "The system needed for your visit is stopped at that time. Your booking stands: come as"
            " booked unless we write again, or choose another date.",
            "ご予約の時間帯に手続に必要なシステムが停止する見込みです。ご予約はそのまま有効です。"
            "改めてご連絡しない限り、予約どおりお越しください。日時の変更もできます。",
        ),
    ),
    Kind.PAUSED: (
        Text("The system has stopped: your visit waits", "【システム停止】順番をお取りしています"),
        Text(
            "The national system has stopped while you are at the site. Your visit is not lost: you"
            " are called once the system goes on, and need not take another ticket. If you cannot"
            " wait, tell the staff; they let you come on another day.",
            "ご来庁中に全国システムが停止しました。受付はそのまま有効です。復旧しだいお呼びしますので、"
            "番号札を取り直す必要はありません。お待ちになれない場合は職員にお申し出ください。"
            "別の日に改めてお越しいただけます。",
        ),
    ),
    Kind.OFFERED: (
        Text("A date has become free: {when}", "【空きのご案内】{when}"),
        Text("We keep this date for you for a short time:", "次の日時を一時的に確保しています。"),
    ),
    Kind.ADDRESS_CHECK: (
        Text("Code to confirm your e-mail address", "【確認コード】メールアドレスの確認"),
        Text(
            "Type this code to confirm your e-mail address:",
            "次の確認コードを入力してください。",
        ),
    ),
    Kind.LOGIN_CODE: (
        Text("Code for logging in", "【確認コード】ログイン"),
        Text("Type this code to log in:", "次の確認コードを入力してください。"),
    ),
}
"""Subject and first sentence."""

WHEN = Text("When: {when}", "日時: {when}")
WHERE = Text("Where: {where}", "場所: {where}")
WHAT = Text("What for: {what}", "手続: {what}")
BEFORE = Text("Instead of: {when}, {where}", "変更前: {when} {where}")
UNTIL = Text("Please answer by {until}.", "{until}までにご回答ください。")
SILENCE = Text(
    "Without an answer by then, your visit moves to this date.",
    "期限までにご回答がない場合は、この日時に変更いたします。",
)
CHANGEABLE = Text(
    "You can change or cancel it until {until}.", "変更・取消しは{until}まで承ります。"
)
CODE_LASTS = Text(
    "If you did not ask for it, ignore this mail.",
    "お心当たりのない場合は、このメールを破棄してください。",
)
AUTOMATIC = Text(
    "This mail was sent automatically and cannot be answered. Do not send it on: its links act "
    "in your name.",
    "このメールは自動送信のため返信できません。リンクから手続ができるため、転送しないでください。",
)

WEEKDAYS = "月火水木金土日"
"""Monday first."""
