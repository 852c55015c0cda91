"""A file as data reaches us: CSV in UTF-8 (BOM or not) or cp932, with a known header line.

What a file holds is never repeated in an error; a row that holds a valid My Number is refused.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.errors import FieldError, Text, TooLarge, Unprocessable
from shared.security.my_number import contains_my_number

REMARK = "remark"
"""A column that every file may have and nobody reads: where a figure is from."""


@dataclass(frozen=True, slots=True)
class Form:
    """The columns of a kind of file: those it must have, and those it may have."""

    needed: Sequence[str]
    optional: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it came: its line (the header is 1) and its cells; empty ones are left out."""

    number: int
    cells: Mapping[str, str]
    fault: FieldError | None = None
    """Why it cannot be read at all."""


class FileUnreadable(Unprocessable):
    """The file is not CSV text in an encoding we know."""

    slug = "file-unreadable"
    title = Text("The file cannot be read", "ファイルを読み取れません")
    remedy = Text(
        "Save it as CSV (comma, UTF-8 or Shift_JIS/cp932) and send it again.",
        "CSV（カンマ区切り、UTF-8 または Shift_JIS/cp932）で保存し、もう一度送信してください。",
    )


class WrongColumns(Unprocessable):
    """The header line does not name the columns of this kind of file."""

    slug = "file-columns"
    title = Text("The columns are not those of this file", "ファイルの列名が一致しません")
    remedy = Text(
        "The first line must name all of `columns`, may name `optional`, and nothing else.",
        "1行目に columns の列名をすべて記載してください（optional は任意、その他は不可）。",
    )

    def __init__(self, form: Form) -> None:
        optional = [*form.optional, REMARK]
        super().__init__(extras={"columns": list(form.needed), "optional": optional})


class TooManyRows(TooLarge):
    """One request takes so many rows."""

    slug = "file-too-long"
    title = Text("The file has too many rows", "ファイルの行数が多すぎます")

    def __init__(self, limit: int) -> None:
        super().__init__(
            Text(f"At most {limit} rows at a time.", f"一度に取り込めるのは{limit}行までです。")
        )


def read(body: bytes, form: Form, limit: int) -> list[Line]:
    """The rows of a file. Raises ``FileUnreadable``, ``WrongColumns`` and ``TooManyRows``."""
    reader = csv.reader(io.StringIO(_text(body), newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, form)
        lines = [_line(reader.line_num, header, cells) for cells in reader if any(cells)]
    except csv.Error:
        raise FileUnreadable from None
    if not lines:
        raise FileUnreadable(Text("It has no rows.", "データの行がありません。"))
    if len(lines) > limit:
        raise TooManyRows(limit)
    return lines


def _text(body: bytes) -> str:
    if b"\0" in body:
        raise FileUnreadable
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileUnreadable


def _check_header(header: Sequence[str], form: Form) -> None:
    known = {*form.needed, *form.optional, REMARK}
    if not set(form.needed) <= set(header) <= known or len(set(header)) < len(header):
        raise WrongColumns(form)


def _line(number: int, header: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) != len(header):
        message = Text("Has not as many cells as the header.", "列の数が見出しと異なります。")
        remedy = Text(
            "Quote cells that contain a comma.", "カンマを含む値は引用符で囲んでください。"
        )
        return Line(number, {}, FieldError("row", message, remedy))
    found = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    for name, cell in found.items():
        if contains_my_number(cell):
            message = Text("Holds a My Number.", "マイナンバーが含まれています。")
            remedy = Text(
                "Remove it; no value was kept.", "削除してください。値は保存していません。"
            )
            return Line(number, {}, FieldError(name, message, remedy))
    found.pop(REMARK, None)
    return Line(number, {name: cell for name, cell in found.items() if cell})
