"""Why a row of a lot file was not taken: stable codes, and words for the operator.

Only the code and the name of the column are kept; the texts are made when they are read.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.errors import Text


class RowCode(StrEnum):
    """What is wrong with a row."""

    MY_NUMBER = "my_number"
    WRONG_CELL_COUNT = "wrong_cell_count"
    REQUIRED = "required"
    MALFORMED = "malformed"
    DATE_ORDER = "date_order"
    DUPLICATE_IN_FILE = "duplicate_in_file"
    DUPLICATE_CARD = "duplicate_card"
    DUPLICATE_ROW = "duplicate_row"
    NOT_EXPECTED = "not_expected"
    DUPLICATE_NUMBER = "duplicate_number"


@dataclass(frozen=True, slots=True)
class RowFault:
    """A code, and the column it is about; ``form`` is what a column holds in this file alone."""

    code: RowCode
    field: str | None = None
    form: Text | None = None

    @property
    def message(self) -> Text:
        """What is wrong; never the value."""
        return _filled(_TEXTS[self.code][0], self.field)

    @property
    def remedy(self) -> Text:
        """What to do about it."""
        if self.form is not None:
            return self.form
        if self.code is RowCode.MALFORMED and self.field in _FORMS:
            return _FORMS[self.field]
        return _filled(_TEXTS[self.code][1], self.field)


def _filled(text: Text, field: str | None) -> Text:
    name = field or "-"
    return Text(text.en.replace("{field}", name), text.ja.replace("{field}", name))


_TEXTS: Final = {
    RowCode.MY_NUMBER: (
        Text(
            "{field} holds a My Number; the row was set aside and its values were not kept.",
            "{field} に個人番号が含まれています。この行は隔離され、値は保存していません。",
        ),
        Text(
            "Remove the My Number from the file and send the row again.",
            "ファイルから個人番号を削除し、この行を再送してください。",
        ),
    ),
    RowCode.WRONG_CELL_COUNT: (
        Text("The row has not as many cells as the header.", "列の数が1行目と一致しません。"),
        Text("Correct the commas and quotes of the row.", "カンマと引用符を確認してください。"),
    ),
    RowCode.REQUIRED: (
        Text("{field} is empty.", "{field} が空です。"),
        Text("Fill it in.", "値を入力してください。"),
    ),
    RowCode.MALFORMED: (
        Text("{field} does not have the right form.", "{field} の形式が正しくありません。"),
        Text("Correct {field}.", "{field} を修正してください。"),
    ),
    RowCode.DATE_ORDER: (
        Text("{field} does not fit the other dates.", "{field} が他の日付と矛盾しています。"),
        Text(
            "Birth, application, shipment and expiry must follow in this order.",
            "生年月日・申請日・発送日・有効期限の順になるよう修正してください。",
        ),
    ),
    RowCode.NOT_EXPECTED: (
        Text("{field} does not belong to this stage.", "この段階に {field} は不要です。"),
        Text(
            "Only a shelved or notified card has a place, only a notified one a notice.",
            "保管場所は保管・通知済み、通知の情報は通知済みのカードだけに記載してください。",
        ),
    ),
    RowCode.DUPLICATE_IN_FILE: (
        Text(
            "An earlier row of the file has the same {field}.", "{field} が前の行と重複しています。"
        ),
        Text("Keep one of the two rows.", "どちらか一方だけを残してください。"),
    ),
    RowCode.DUPLICATE_CARD: (
        Text("This card was imported before.", "このカードは取込済みです。"),
        Text(
            "Nothing to do, unless two cards share a reference.",
            "参照番号の重複でなければ対応不要です。",
        ),
    ),
    RowCode.DUPLICATE_NUMBER: (
        Text(
            "Another case has this notice number.",
            "この通知書番号は別の案件で使われています。",
        ),
        Text(
            "Correct the number, or bring the card in as shelved: it gets a new notice.",
            "番号を修正するか、shelved で取り込んで新しい通知書を送付してください。",
        ),
    ),
    RowCode.DUPLICATE_ROW: (
        Text(
            "This row of the lot was imported with another card.",
            "ロットのこの行は別カードで取込済みです。",
        ),
        Text(
            "Check lot and row against the manifest.", "送付明細の lot と row を確認してください。"
        ),
    ),
}

_FORMS: Final = {
    "change_reference": Text(
        "4 to 64 letters, digits, dots, hyphens and underscores; begins with a letter or digit.",
        "英数字で始まる4〜64文字（英数字と . - _）にしてください。",
    ),
    "effective_on": Text("A date: YYYY-MM-DD.", "YYYY-MM-DD の日付にしてください。"),
    "review_on": Text("A date: YYYY-MM-DD.", "YYYY-MM-DD の日付にしてください。"),
    "old_card_expires_on": Text("A date: YYYY-MM-DD.", "YYYY-MM-DD の日付にしてください。"),
    "lot": Text(
        "Letters, digits, dot, hyphen and underscore; at most 64.",
        "英数字と . - _ で64文字以内にしてください。",
    ),
    "cards": Text("A whole number from 1 to 9999999.", "1〜9999999の整数にしてください。"),
    "row": Text("A whole number from 1 to 9999999.", "1〜9999999の整数にしてください。"),
    "card_reference": Text(
        "4 to 64 letters, digits, dots, hyphens and underscores; begins with a letter or digit.",
        "英数字で始まる4〜64文字（英数字と . - _）にしてください。",
    ),
    "ward": Text(
        "Six digits of the ward's municipal code, check digit included.",
        "検査数字を含む6桁の区コードにしてください。",
    ),
    "kind": Text(
        "new, renewal or next_generation.", "new・renewal・next_generation のいずれかです。"
    ),
    "applied_on": Text("A date: YYYY-MM-DD.", "YYYY-MM-DD の日付にしてください。"),
    "shipped_on": Text("A date: YYYY-MM-DD.", "YYYY-MM-DD の日付にしてください。"),
    "card_expires_on": Text("A date: YYYY-MM-DD.", "YYYY-MM-DD の日付にしてください。"),
    "stage": Text(
        "received, inspected, registry_checked, preset, shelved or notified.",
        "received・inspected・registry_checked・preset・shelved・notified のいずれかです。",
    ),
    "notice_number": Text(
        "Three letters or digits, a hyphen, six digits. Bring cards whose notices look otherwise "
        "in as shelved: they get a new one.",
        "英数字3桁-数字6桁です。形式の異なる通知書のカードは shelved で取り込み、"
        "新しい通知書を送付してください。",
    ),
    "notice_seq": Text("1 or 2: which notice it was.", "1 または 2（通知の回数）です。"),
    "pickup_deadline": Text("A date: YYYY-MM-DD.", "YYYY-MM-DD の日付にしてください。"),
    "site_id": Text("The id of a site, as in GET /v1/sites.", "窓口IDにしてください。"),
    "shelf": Text(
        "Capital letters, digits and hyphens; at most 20.",
        "英大文字・数字・ハイフンで20文字以内にしてください。",
    ),
    "name": Text("At most 200 printable characters.", "200文字以内の文字にしてください。"),
    "address": Text("At most 200 printable characters.", "200文字以内の文字にしてください。"),
    "birth_date": Text("A date: YYYY-MM-DD.", "YYYY-MM-DD の日付にしてください。"),
}
