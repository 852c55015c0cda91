"""A file of manifests: each row becomes a manifest, or a reason why not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.preparation.domain.lot_file import Cells, Form, Ragged, decode, read_lines
from services.preparation.domain.manifests import Manifest
from services.preparation.domain.row_faults import RowCode, RowFault
from shared.ids import LotId
from shared.security.my_number import cell_with_my_number

MANIFESTS: Final = Form(("lot", "cards", "shipped_on"))
_LOT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,6}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A line: its manifest, or its fault."""

    line: int
    manifest: Manifest | None = None
    fault: RowFault | None = None


def read_manifests(body: bytes) -> Sequence[ManifestRow]:
    """Read and judge a whole file; a lot that comes twice is a fault of its second row.

    Raises ``FileUnreadable`` and ``WrongColumns``.
    """
    seen: set[str] = set()
    rows = []
    for line, cells in read_lines(decode(body), MANIFESTS):
        row = _row(line, cells)
        if row.manifest is not None and row.manifest.lot_id in seen:
            row = ManifestRow(line, fault=RowFault(RowCode.DUPLICATE_IN_FILE, "lot"))
        if row.manifest is not None:
            seen.add(row.manifest.lot_id)
        rows.append(row)
    return rows


def _row(line: int, cells: Cells) -> ManifestRow:
    number = cell_with_my_number(cells)
    if number is not None:
        ragged = isinstance(cells, Ragged)
        name = f"cell {number + 1}" if ragged else MANIFESTS.columns[number]
        return ManifestRow(line, fault=RowFault(RowCode.MY_NUMBER, name))
    if isinstance(cells, Ragged):
        return ManifestRow(line, fault=RowFault(RowCode.WRONG_CELL_COUNT))
    lot, count, day = (cell.strip() for cell in cells)
    for name, text, form in (("lot", lot, _LOT), ("cards", count, _COUNT)):
        if not form.fullmatch(text):
            code = RowCode.MALFORMED if text else RowCode.REQUIRED
            return ManifestRow(line, fault=RowFault(code, name))
    shipped_on = _day(day)
    if shipped_on is None:
        code = RowCode.MALFORMED if day else RowCode.REQUIRED
        return ManifestRow(line, fault=RowFault(code, "shipped_on"))
    return ManifestRow(line, Manifest(LotId(lot), int(count), shipped_on))


def _day(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
