"""What the counter screen says, in Japanese and English."""

from collections.abc import Callable, Mapping

from services.issuance.api.desk_words import DESK_WORDS
from services.issuance.domain.identity import DocumentType
from shared.errors import Language, Text

WORDS: Mapping[str, Text] = {
    "sign_in": Text("Sign in to a counter", "窓口端末にサインイン"),
    "sign_out": Text("Sign out", "サインアウト"),
    "site": Text("Site", "窓口施設"),
    "counter": Text("Counter", "窓口"),
    "token": Text("Access token", "アクセストークン"),
    "language": Text("日本語", "English"),
    "open": Text("open", "受付中"),
    "paused": Text("paused", "一時休止"),
    "closed": Text("closed", "閉鎖"),
    "party": Text("At this counter", "対応中の方"),
    "nobody": Text("Nobody is at this counter.", "対応中の方はいません。"),
    "not_open": Text("Open the counter to call somebody.", "窓口を開くと呼び出しができます。"),
    "booked": Text("came in booked time", "予約どおり来庁"),
    "late": Text("came late", "遅刻"),
    "walk_in": Text("without a booking", "予約なし"),
    "wheelchair": Text("wheelchair", "車いす"),
    "parent": Text("with a small child", "お子さま連れ"),
    "card_issuance": Text("Card hand-over", "カード交付"),
    "certificate_renewal": Text("Certificate renewal", "電子証明書の更新"),
    "question": Text("Question", "相談"),
    "shelf": Text("Shelf", "保管棚"),
    "done": Text("done", "完了"),
    "deferred": Text("deferred", "延期"),
    "abandoned": Text("given up", "取りやめ"),
    "documents": Text("Documents seen (never their numbers)", "確認した書類（番号は記録しません）"),
    "identity": Text("Identity is proved", "本人確認済み"),
    "pin-set": Text("The citizen has set the PIN", "暗証番号の設定を確認"),
    "issue": Text("Card handed over", "カードを交付した"),
    "renew": Text("Both certificates written", "電子証明書を両方更新した"),
    "defer": Text("Come again", "後日再来庁"),
    "why": Text("Reason", "理由"),
    "documents_missing": Text("documents missing", "書類不足"),
    "identity_not_verified": Text("identity not proved", "本人確認不可"),
    "inquiry_letter": Text("inquiry letter", "照会書の送付"),
    "card_not_here": Text("card not here", "カードが窓口にない"),
    "card_held": Text("card on hold", "交付保留"),
    "national_system": Text("national system", "全国システム停止"),
    "other": Text("other", "その他"),
    "finish": Text("Finished", "対応終了"),
    "recall": Text("Call again", "再呼出"),
    "skip": Text("Nobody came", "不在"),
    "leave": Text("Has left", "退庁"),
    "to": Text("To", "案内先"),
    "any": Text("any counter", "どの窓口でも"),
    "transfer": Text("Send on", "他窓口へ案内"),
    "next": Text("Call the next", "次の方を呼び出す"),
    "this_counter": Text("This counter", "この窓口"),
    "does": Text("What it does", "取扱手続"),
    "open_counter": Text("Open", "窓口を開く"),
    "pause": Text("Pause", "一時休止"),
    "close": Text("Close", "窓口を閉じる"),
    "waiting": Text("Waiting:", "お待ちの方:"),
    "changed": Text("The queue has changed.", "待ち状況が変わりました。"),
    "reload": Text("Show it", "表示を更新"),
    "ticket": Text("Ticket", "番号"),
    "place_paused": Text("paused: system down", "システム停止のため中断"),
    "wait": Text("Expected wait", "待ち時間の目安"),
    "minutes": Text("min", "分"),
    "keys": Text("One-key shortcuts", "1文字キー操作を使う"),
}

DOCUMENTS: Mapping[DocumentType, Text] = {
    DocumentType.DRIVERS_LICENCE: Text("driver's licence", "運転免許証"),
    DocumentType.DRIVING_RECORD: Text("driving record", "運転経歴証明書"),
    DocumentType.PASSPORT: Text("passport", "旅券"),
    DocumentType.RESIDENCE_CARD: Text("residence card", "在留カード"),
    DocumentType.SPECIAL_PERMANENT_RESIDENT: Text(
        "special permanent resident certificate", "特別永住者証明書"
    ),
    DocumentType.BASIC_RESIDENT_CARD: Text("basic resident card", "住民基本台帳カード"),
    DocumentType.MY_NUMBER_CARD: Text("My Number Card", "マイナンバーカード"),
    DocumentType.DISABILITY_HANDBOOK: Text("disability handbook", "障害者手帳"),
    DocumentType.HEALTH_INSURANCE: Text("health insurance", "健康保険の資格確認書等"),
    DocumentType.PENSION_BOOK: Text("pension book", "年金手帳"),
    DocumentType.NURSING_INSURANCE: Text("nursing insurance", "介護保険被保険者証"),
    DocumentType.MEDICAL_CERTIFICATE: Text("medical certificate", "医療受給者証"),
    DocumentType.MOTHER_AND_CHILD_HANDBOOK: Text("mother and child handbook", "母子健康手帳"),
    DocumentType.STUDENT_ID: Text("student ID", "学生証"),
    DocumentType.EMPLOYEE_ID: Text("employee ID", "社員証"),
    DocumentType.PUBLIC_ASSISTANCE: Text("public assistance certificate", "生活保護受給者証"),
}

_EVERY_WORD: Mapping[str, Text] = {**DESK_WORDS, **WORDS}


def speaker(language: Language) -> Callable[[str], str]:
    """What gives the words of one language; an unknown word is a mistake and raises."""
    return lambda word: _EVERY_WORD[word].to(language)
