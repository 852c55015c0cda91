"""The log of messages and the phone list as files for spreadsheets.

JSON comes in pages; a file has up to ``LONGEST`` rows from the cursor on, so that a list for the
telephone fits on a desk.
"""

from collections.abc import Sequence

from pydantic import BaseModel

from shared.errors import Text
from shared.http.tables import Cell, Column, Table, in_files

LONGEST = 5_000

MESSAGES = (
    Column("message_id", Text("Message", "通知ID")),
    Column("kind", Text("About", "内容")),
    Column("case_id", Text("Procedure", "手続ID")),
    Column("booking_id", Text("Booking", "予約ID")),
    Column("site_id", Text("Site", "窓口")),
    Column("state", Text("State", "状態")),
    Column("reason", Text("Reason", "理由")),
    Column("tries", Text("Tries", "送信回数")),
    Column("created_at", Text("Written", "作成日時")),
    Column("settled_at", Text("Settled", "完了日時")),
)
CALLS = (
    Column("entry_id", Text("Entry", "番号")),
    Column("site_id", Text("Site", "窓口")),
    Column("case_id", Text("Procedure", "手続ID")),
    Column("booking_id", Text("Booking", "予約ID")),
    Column("about", Text("About", "内容")),
    Column("reason", Text("Why a call", "電話の理由")),
    Column("visit_at", Text("Visit", "来庁日時")),
    Column("answer_by", Text("Answer by", "回答期限")),
    Column("phone", Text("Telephone", "電話番号")),
    Column("email", Text("E-mail", "メール")),
    Column("language", Text("Language", "言語")),
    Column("added_at", Text("Listed", "登録日時")),
)
FILES = in_files("A page; as CSV or XLSX a file of all rows from the cursor on.")
"""The ``responses`` of a route that answers with a page or a file."""


def table(name: str, columns: Sequence[Column], items: Sequence[BaseModel]) -> Table:
    """What the routes show, as rows."""
    return Table(name, columns, [[_cell(item, one.key) for one in columns] for item in items])


def _cell(item: BaseModel, key: str) -> Cell:
    value: Cell = getattr(item, key)
    return value
