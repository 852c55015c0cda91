"""A file as data reaches us: CSV in UTF-8 (BOM or not) or cp932, with known columns.

What a file holds is never repeated in an error: a file without a header line would otherwise
put its first citizen into the answer.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import FieldError, Json, Text, TooLarge, Unprocessable

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
OPTIONAL: Final = ("old_card_expires_on", "name", "address")
"""Columns that a lot file may have as well."""

_PIECE: Final = 1 << 16
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

Cells = Sequence[str]
Line = tuple[int, Cells]
"""The number of a line in the file (the header is 1) and its cells in the order of the form, those
of absent columns empty; or ``Ragged``, as they came, where their count is wrong."""


class Ragged(list[str]):
    """The cells of a line that has not as many as the header."""


@dataclass(frozen=True, slots=True)
class Form:
    """The columns a kind of file has: all that are needed, and those it may have."""

    needed: Sequence[str]
    optional: Sequence[str] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order in which cells are given."""
        return (*self.needed, *self.optional)


LOT: Final = Form(COLUMNS, OPTIONAL)
STOCK: Final = ("stage", "site_id", "shelf", "notice_number", "notice_seq", "pickup_deadline")
OPENING_STOCK: Final = Form(COLUMNS, (*OPTIONAL, *STOCK))
"""Cards that were here before this system: each with its stage, if shelved its shelf, and if its
citizen was notified what the postcard says.
"""


class FileUnreadable(Unprocessable):
    """The file is not CSV text in an encoding we know."""

    slug = "lot-file-unreadable"
    title = Text("The file cannot be read", "ファイルを読み取れません")
    remedy = Text(
        "Save it as CSV (comma, UTF-8 or Shift_JIS/cp932) and send it again.",
        "CSV（カンマ区切り、UTF-8 または Shift_JIS/cp932）で保存し、もう一度送信してください。",
    )


class TooManyRows(TooLarge):
    """One file is one transaction, so it has a greatest length."""

    slug = "lot-file-too-long"
    title = Text("The file has too many rows", "ファイルの行数が多すぎます")

    def __init__(self, limit: int) -> None:
        super().__init__(
            Text(f"At most {limit} rows at a time.", f"一度に取り込めるのは{limit}行までです。")
        )


class WrongColumns(Unprocessable):
    """The header line does not name the columns of this kind of file."""

    slug = "lot-file-columns"
    title = Text("The columns are not those of this file", "ファイルの列名が一致しません")
    remedy = Text(
        "The first line must name all of `columns`, may name `optional`, and nothing else.",
        "1行目に columns の列名をすべて記載してください（optional は任意、その他は不可）。",
    )

    def __init__(
        self, form: Form, detail: Text | None = None, errors: Sequence[FieldError] = ()
    ) -> None:
        extras: dict[str, Json] = {
            "columns": list(form.needed),
            "optional": list(form.optional),
        }
        super().__init__(detail, extras=extras, errors=errors)


def decode(body: bytes) -> str:
    """The text of a file. Raises ``FileUnreadable``."""
    return body.decode(_encoding(body))


def _encoding(body: bytes) -> str:
    if b"\0" in body:
        raise FileUnreadable(
            Text(
                "It is not text in UTF-8 or cp932.", "UTF-8 または cp932 のテキストではありません。"
            )
        )
    for encoding in ("utf-8-sig", "cp932"):
        if _decodes(body, encoding):
            return encoding
    raise FileUnreadable(
        Text("It is neither UTF-8 nor cp932.", "UTF-8 でも cp932 でもありません。")
    )


def _decodes(body: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(body), _PIECE):
            decoder.decode(body[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def open_lines(body: bytes, form: Form = LOT) -> Iterator[Line]:
    """``read_lines`` of a file whose text is never in memory as a whole.

    Raises what ``decode`` and ``read_lines`` raise.
    """
    stream = io.TextIOWrapper(io.BytesIO(body), encoding=_encoding(body), newline="")
    return _lines(stream, form)


def read_lines(text: str, form: Form = LOT) -> Iterator[Line]:
    """The lines after the header, empty ones left out.

    Raises ``FileUnreadable`` naming the line, and ``WrongColumns`` naming the columns.
    """
    return _lines(io.StringIO(text, newline=""), form)


def _lines(stream: Iterable[str], form: Form) -> Iterator[Line]:
    reader = csv.reader(stream, strict=True)
    try:
        header = next(reader, [])
        order = _order(header, form)
        for cells in reader:
            if cells:
                yield reader.line_num, _arranged(cells, order, len(header))
    except csv.Error:
        line = reader.line_num
        raise FileUnreadable(
            Text(
                f"Line {line} is not CSV: a quote is not closed, or a cell is too long.",
                f"{line}行目がCSVの形式ではありません（引用符の閉じ忘れ、または長すぎる値）。",
            )
        ) from None


def _arranged(cells: Cells, order: Sequence[int | None], width: int) -> Cells:
    if len(cells) != width:
        return Ragged(cells)
    return ["" if place is None else cells[place] for place in order]


def _order(header: Cells, form: Form) -> list[int | None]:
    names = [name.strip() for name in header]
    missing = [name for name in form.needed if name not in names]
    extra = [
        n for n, name in enumerate(names, 1) if name not in form.columns or name in names[: n - 1]
    ]
    if len(missing) == len(form.needed):
        raise WrongColumns(form, Text("The file has no header line.", "1行目に列名がありません。"))
    if missing or extra:
        errors = [*map(_missing, missing), *(_extra(n, names[n - 1], form) for n in extra)]
        raise WrongColumns(form, errors=errors)
    return [names.index(name) if name in names else None for name in form.columns]


def _missing(name: str) -> FieldError:
    return FieldError(
        name,
        Text(f"The column {name} is missing.", f"列 {name} がありません。"),
        Text("Add it.", "列を追加してください。"),
    )


def _extra(number: int, name: str, form: Form) -> FieldError:
    if name in form.columns:
        message = Text(f"The column {name} comes twice.", f"列 {name} が重複しています。")
    else:
        message = Text("This column is not known.", "この列は使えません。")
    shown = name if _NAME.fullmatch(name) else f"column {number}"
    return FieldError(shown, message, Text("Remove it.", "列を取り除いてください。"))
