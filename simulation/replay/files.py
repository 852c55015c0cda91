"""Files that describe a city, and what is said of one that cannot be used.

Every fault names the file, the line (the header is 1), the field and what to do.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Problem, Text

Cells = Mapping[str, str]


class FileFault(Problem):
    """A file of the replay cannot be used."""

    status = 422
    slug = "replay-file"
    title = Text("This file cannot be replayed", "このファイルは再生に使えません")
    remedy = Text("Then run the same command again.", "その後、同じコマンドを実行してください。")

    def __init__(self, place: Text, message: Text, remedy: Text) -> None:
        super().__init__(
            Text(f"{place.en}: {message.en} {remedy.en}", f"{place.ja}: {message.ja} {remedy.ja}")
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file, with the place that a fault of it is told by."""

    path: Path
    line: int
    cells: Cells

    def __getitem__(self, field: str) -> str:
        return (self.cells.get(field) or "").strip()

    def fault(self, field: str, message: Text, remedy: Text) -> FileFault:
        """A fault of this line's ``field``."""
        place = Text(
            f"{self.path.name}, line {self.line}, {field}",
            f"{self.path.name} の{self.line}行目 {field}",
        )
        return FileFault(place, message, remedy)


def read_rows(path: Path, needed: Sequence[str]) -> list[Row]:
    """The lines after the header, empty ones left out; UTF-8 (BOM or not) or cp932.

    Raises ``FileFault`` for a file that cannot be read, lacks a column, or has no lines.
    """
    reader = csv.DictReader(_text(path).splitlines(), strict=True)
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise FileFault(
            Text(f"{path.name}, line 1", f"{path.name} の1行目"),
            Text(f"the column {missing[0]} is missing.", f"列 {missing[0]} がありません。"),
            Text(f"Name the columns {','.join(needed)}.", f"列名は {','.join(needed)} です。"),
        )
    rows = list(_rows(path, reader))
    if not rows:
        raise FileFault(
            Text(path.name, path.name),
            Text("it has no lines after the header.", "データの行がありません。"),
            Text("Add at least one line.", "1行以上必要です。"),
        )
    return rows


def _rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[Row]:
    try:
        for cells in reader:
            line = reader.line_num
            if None in cells or None in cells.values():
                raise FileFault(
                    Text(f"{path.name}, line {line}", f"{path.name} の{line}行目"),
                    Text("it has not as many cells as the header.", "列の数が合いません。"),
                    Text("Give each line one cell per column.", "各行の列数を揃えてください。"),
                )
            yield Row(path, line, cells)
    except csv.Error:
        line = reader.line_num
        raise FileFault(
            Text(f"{path.name}, line {line}", f"{path.name} の{line}行目"),
            Text("it is not CSV: a quote is not closed.", "引用符が閉じていません。"),
            Text("Save it as CSV again.", "CSV形式で保存し直してください。"),
        ) from None


def _text(path: Path) -> str:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise FileFault(
            Text(str(path), str(path)),
            Text(f"it cannot be read ({error.strerror}).", f"読み取れません({error.strerror})。"),
            Text("Check the path.", "パスを確認してください。"),
        ) from None
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileFault(
        Text(path.name, path.name),
        Text("it is neither UTF-8 nor cp932 text.", "UTF-8 でも cp932 でもありません。"),
        Text("Save it as CSV in UTF-8.", "UTF-8 のCSVで保存してください。"),
    )
