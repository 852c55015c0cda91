"""Lists for the desk and the shelf, as JSON or as files for spreadsheets: their columns."""

from typing import Final

from shared.errors import Text
from shared.http.tables import Column, in_files

FILES: Final = in_files("The list, by `format` or `Accept`.", {"schema": {"type": "object"}})
"""The ``responses`` of a route that answers with a table."""

_CASE: Final = Column("case_id", Text("Case", "案件ID"))
_CARD: Final = Column("card_reference", Text("Card", "カード管理番号"))
_PLACE: Final = Column("shelf_position", Text("Shelf position", "保管位置"))
_WARD: Final = Column("ward", Text("Ward", "区コード"))

PICKING: Final = (
    _PLACE,
    _CARD,
    Column("starts_at", Text("Visit", "来庁日時")),
    Column("card_site_id", Text("Card lies at", "カードの保管窓口")),
    Column("held", Text("On hold", "保留中")),
    Column("at_counter", Text("At the counter", "窓口対応中")),
    _CASE,
)
DISPATCH: Final = (
    Column("to_site_id", Text("To", "宛先窓口")),
    _PLACE,
    _CARD,
    _WARD,
    Column("cause", Text("Why", "移送理由")),
    Column("starts_at", Text("Visit", "来庁日時")),
    Column("leave_by", Text("Leave by", "発送期限")),
    Column("overdue", Text("Overdue", "期限超過")),
    _CASE,
)
MANIFEST: Final = (
    _CARD,
    Column("left_position", Text("Left from", "発送元の保管位置")),
    Column("reason", Text("Why", "移送理由")),
    Column("state", Text("State", "状態")),
    Column("settled_at", Text("Settled", "到着日時")),
    _CASE,
)
UNCLAIMED: Final = (
    Column("site_id", Text("Site", "窓口")),
    _PLACE,
    _CARD,
    Column("notice_seq", Text("Notice", "通知回数")),
    Column("pickup_deadline", Text("Deadline", "受取期限")),
    Column("returned", Text("Came back", "返戻")),
    Column("next", Text("Next", "次の処理")),
    _CASE,
)
PRINT_LINES: Final = (
    Column("site_id", Text("Site", "窓口")),
    _PLACE,
    _CARD,
    Column("state", Text("State", "状態")),
    Column("reason", Text("Why left out", "対象外の理由")),
    Column("addressee", Text("Name and address", "宛名")),
    Column("pickup_deadline", Text("Deadline", "受取期限")),
    Column("printed_at", Text("Printed", "印刷日時")),
    _CASE,
)
NEAR_EXPIRY: Final = (
    _PLACE,
    _CARD,
    _WARD,
    Column("stage", Text("Stage", "段階")),
    Column("ends_on", Text("Valid until", "有効期限")),
    Column("card_expires_on", Text("Card expires", "カードの有効期限")),
    Column("booked_at", Text("Visit", "来庁日時")),
    _CASE,
)
WAITING: Final = (
    Column("site_id", Text("Site", "窓口")),
    _PLACE,
    _CARD,
    Column("stage", Text("Stage", "段階")),
    Column("end_reason", Text("Reason", "理由")),
    Column("stage_since", Text("Since", "開始日時")),
    _CASE,
)
DISPOSED: Final = (
    _CARD,
    Column("left_position", Text("Left from", "元の保管位置")),
    Column("reason", Text("Reason", "理由")),
    Column("state", Text("State", "状態")),
    _CASE,
)
DIFFERENCES: Final = (
    Column("number", Text("Number", "番号")),
    Column("kind", Text("Difference", "差異")),
    _CARD,
    Column("resolution", Text("What was done", "処理")),
    Column("resolved_at", Text("When", "処理日時")),
    _CASE,
)
