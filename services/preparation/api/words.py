"""Words beside codes: whoever opens a table reads 「交付前設定」 next to ``preset``.

A column of codes gets a second one behind it, named ``<key>_words``. Programs go on by the codes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.preparation.domain.printing import LeftOut
from services.preparation.domain.stages import Stage
from shared.errors import Language, Text
from shared.http.tables import Cell, Column, Table

_DISPOSALS: Final = {
    "unclaimed": Text("not collected", "未受領"),
    "expired": Text("validity ended", "有効期間満了"),
}
_ENDS: Final = {
    "moved_out": Text("moved out", "転出"),
    "died": Text("died", "死亡"),
    "residence_period_renewed": Text("period of stay renewed", "在留期間更新"),
    "withdrawn": Text("withdrawn", "申請取下げ"),
    "defective": Text("defective", "カード不良"),
    "other": Text("other", "その他"),
    "damaged": Text("damaged", "破損"),
    "misprinted": Text("misprinted", "印字不良"),
    "unreadable": Text("unreadable", "読取不可"),
    "not_on_manifest": Text("not on the manifest", "送付明細に記載なし"),
}
_CAUSES: Final = {
    "booking": Text("booked elsewhere", "他窓口の予約"),
    "wind_down": Text("the site closes", "窓口の閉鎖"),
    "chosen": Text("chosen by hand", "手動指定"),
}

WORDS: Final[Mapping[str, Mapping[str, Text]]] = {
    "stage": {stage.value: stage.label for stage in Stage},
    "cause": _CAUSES,
    "reason": {**{one.value: one.label for one in LeftOut}, **_CAUSES, **_DISPOSALS},
    "end_reason": {**_ENDS, **_DISPOSALS},
    "state": {
        "under_way": Text("under way", "移送中"),
        "missing": Text("missing", "所在不明"),
        "arrived": Text("arrived", "到着"),
        "ended": Text("ended", "終了"),
        "laid_out": Text("laid out", "廃棄準備"),
        "disposed": Text("disposed", "廃棄済み"),
        "kept": Text("kept", "廃棄せず"),
        "to_print": Text("to print", "印刷対象"),
        "printed": Text("printed", "印刷済み"),
        "left_out": Text("left out", "対象外"),
    },
    "addressee": {
        "kept": Text("kept until printed", "保存あり"),
        "missing": Text("missing: add it by hand", "宛名なし（手作業で補記）"),
    },
    "next": {
        "second_notice": Text("second notice", "再通知"),
        "disposal": Text("disposal", "廃棄"),
    },
    "kind": {
        "missing": Text("not on the shelf", "棚にない"),
        "elsewhere": Text("belongs elsewhere", "別の場所のカード"),
        "unknown": Text("unknown card", "登録のないカード"),
        "moved_out": Text("moved out", "転出"),
        "died": Text("died", "死亡"),
        "moved_within_city": Text("moved within the city", "市内転居"),
        "name_or_address_changed": Text("name or address changed", "氏名・住所変更"),
        "support_measures": Text("support measures", "支援措置"),
        "residence_period_renewed": Text("period of stay renewed", "在留期間更新"),
    },
    "effect": {
        "waiting": Text("waits for its card", "カード到着待ち"),
        "held": Text("held", "保留"),
        "rerouted": Text("sent to another ward", "区変更"),
        "voided": Text("voided", "無効"),
        "none": Text("no effect", "影響なし"),
    },
    "resolution": {
        "found": Text("found", "発見"),
        "gone": Text("gone", "紛失"),
        "moved_here": Text("taken over here", "この棚へ移動"),
        "brought_back": Text("brought back", "元の場所へ返却"),
        "set_aside": Text("set aside", "別保管"),
    },
    "outcome": {
        "accepted": Text("accepted", "取込済み"),
        "rejected": Text("rejected", "不受理"),
    },
}
"""By the key of a column; what else the column may hold has no words of its own."""


def worded(table: Table, language: Language) -> Table:
    """``table`` with the words of each code in a column behind it."""
    places = [
        (n, WORDS[column.key]) for n, column in enumerate(table.columns) if column.key in WORDS
    ]
    columns: list[Column] = []
    for column in table.columns:
        columns.append(column)
        if column.key in WORDS:
            title = Text(f"{column.title.en} (words)", f"{column.title.ja}（名称）")
            columns.append(Column(f"{column.key}_words", title))
    rows = [_worded(row, places, language) for row in table.rows]
    return replace(table, columns=columns, rows=rows)


def _worded(
    row: Sequence[Cell], places: Sequence[tuple[int, Mapping[str, Text]]], language: Language
) -> list[Cell]:
    cells = list(row)
    for place, words in reversed(places):
        text = words.get(str(cells[place]))
        cells.insert(place + 1, text.to(language) if text else None)
    return cells
