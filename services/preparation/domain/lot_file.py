"""A lot file as J-LIS' data reaches us: CSV in UTF-8 (BOM or not) or cp932, with known columns.

What a file holds is never repeated in an error: a file without a header line would otherwise
put its first citizen into the answer.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Final

from shared.errors import FieldError, Text, Unprocessable

COLUMNS: Final = (
    "lot",
    "row",
    "card_reference",
    "ward",
    "kind",
    "applied_on",
    "shipped_on",
    "card_expires_on",
    "birth_date",
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

Cells = Sequence[str]
Line = tuple[int, Cells]
"""The number of a line in the file (the header is 1) and its cells in the order of COLUMNS, or as
they came where their count is wrong."""


class FileUnreadable(Unprocessable):
    """The file is not CSV text in an encoding we know."""

    slug = "lot-file-unreadable"
    title = Text("The file cannot be read", "ファイルを読み取れません")
    remedy = Text(
        "Save it as CSV (comma, UTF-8 or Shift_JIS/cp932) and send it again.",
        "CSV（カンマ区切り、UTF-8 または Shift_JIS/cp932）で保存し、もう一度送信してください。",
    )


class WrongColumns(Unprocessable):
    """The header line does not name exactly the columns of a lot file."""

    slug = "lot-file-columns"
    title = Text("The columns are not those of a lot file", "ロットファイルの列と一致しません")
    remedy = Text(
        f"The first line must name exactly: {','.join(COLUMNS)}",
        f"1行目に次の列名だけを記載してください: {','.join(COLUMNS)}",
    )


def decode(body: bytes) -> str:
    """The text of a file. Raises ``FileUnreadable``."""
    if b"\0" in body:
        raise FileUnreadable(
            Text(
                "It is not text in UTF-8 or cp932.", "UTF-8 または cp932 のテキストではありません。"
            )
        )
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileUnreadable(
        Text("It is neither UTF-8 nor cp932.", "UTF-8 でも cp932 でもありません。")
    )


def read_lines(text: str) -> Iterator[Line]:
    """The lines after the header, empty ones left out.

    Raises ``FileUnreadable`` naming the line, and ``WrongColumns`` naming the columns.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        order = _order(next(reader, []))
        for cells in reader:
            if cells:
                yield reader.line_num, _arranged(cells, order)
    except csv.Error:
        line = reader.line_num
        raise FileUnreadable(
            Text(
                f"Line {line} is not CSV: a quote is not closed, or a cell is too long.",
                f"{line}行目がCSVの形式ではありません（引用符の閉じ忘れ、または長すぎる値）。",
            )
        ) from None


def _arranged(cells: Cells, order: Sequence[int]) -> Cells:
    return [cells[place] for place in order] if len(cells) == len(order) else cells


def _order(header: Cells) -> list[int]:
    names = [name.strip() for name in header]
    missing = [name for name in COLUMNS if name not in names]
    extra = [n for n, name in enumerate(names, 1) if name not in COLUMNS or name in names[: n - 1]]
    if len(missing) == len(COLUMNS):
        raise WrongColumns(
            Text("The file has no header line.", "1行目に列名がありません。"),
        )
    if missing or extra:
        errors = [*map(_missing, missing), *(_extra(n, names[n - 1]) for n in extra)]
        raise WrongColumns(errors=errors)
    return [names.index(name) for name in COLUMNS]


def _missing(name: str) -> FieldError:
    return FieldError(
        name,
        Text(f"The column {name} is missing.", f"列 {name} がありません。"),
        Text("Add it.", "列を追加してください。"),
    )


def _extra(number: int, name: str) -> FieldError:
    if name in COLUMNS:
        message = Text(f"The column {name} comes twice.", f"列 {name} が重複しています。")
    else:
        message = Text("This column is not known.", "この列は使えません。")
    shown = name if _NAME.fullmatch(name) else f"column {number}"
    return FieldError(shown, message, Text("Remove it.", "列を取り除いてください。"))
