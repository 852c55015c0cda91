"""A file of registry changes: each row becomes a change, or a reason why not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.preparation.domain.addressee import Addressee, written
from services.preparation.domain.lot_file import Cells, Form, Ragged, decode, read_lines
from services.preparation.domain.municipality import is_municipal_code
from services.preparation.domain.refusals import Refusal
from services.preparation.domain.registry import Change, ChangeKind, fault
from services.preparation.domain.row_faults import RowCode, RowFault
from shared.errors import Text
from shared.ids import WardCode
from shared.security.my_number import cell_with_my_number

CHANGES: Final = Form(
    ("change_reference", "card_reference", "kind", "effective_on"),
    ("ward", "review_on", "name", "address"),
)
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A lot file has a kind too, but of cards.
_FORMS: Final = {
    "kind": Text(f"One of {', '.join(ChangeKind)}.", f"{'・'.join(ChangeKind)} のいずれかです。")
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A line: its change, or its fault or refusal."""

    line: int
    change: Change | None = None
    fault: RowFault | None = None
    refusal: Refusal | None = None
    addressee: Addressee | None = None


def read_changes(body: bytes) -> Sequence[ChangeRow]:
    """Read and judge a whole file.

    Raises ``FileUnreadable`` and ``WrongColumns``; a bad row is no error, it is a result.
    """
    return [_row(line, cells) for line, cells in read_lines(decode(body), CHANGES)]


def _row(line: int, cells: Cells) -> ChangeRow:
    number = cell_with_my_number(cells)
    if number is not None:
        known = not isinstance(cells, Ragged)
        name = CHANGES.columns[number] if known else f"cell {number + 1}"
        return ChangeRow(line, fault=RowFault(RowCode.MY_NUMBER, name))
    if isinstance(cells, Ragged):
        return ChangeRow(line, fault=RowFault(RowCode.WRONG_CELL_COUNT))
    found = dict(zip(CHANGES.columns, (cell.strip() for cell in cells), strict=True))
    bad = _bad(found)
    if bad is not None:
        return ChangeRow(line, fault=bad)
    return _change(line, found)


def _bad(cells: dict[str, str]) -> RowFault | None:
    for name in CHANGES.needed:
        if not cells[name]:
            return RowFault(RowCode.REQUIRED, name)
    right = {
        "change_reference": bool(_REFERENCE.fullmatch(cells["change_reference"])),
        "card_reference": bool(_REFERENCE.fullmatch(cells["card_reference"])),
        "kind": cells["kind"] in set(ChangeKind),
        "effective_on": _is_day(cells["effective_on"]),
        "ward": not cells["ward"] or is_municipal_code(cells["ward"]),
        "review_on": not cells["review_on"] or _is_day(cells["review_on"]),
        "name": _is_written(cells["name"]),
        "address": _is_written(cells["address"]),
    }
    wrong = next((name for name, good in right.items() if not good), None)
    return RowFault(RowCode.MALFORMED, wrong, _FORMS.get(wrong)) if wrong else None


def _change(line: int, cells: dict[str, str]) -> ChangeRow:
    kind, review = ChangeKind(cells["kind"]), cells["review_on"]
    ward = WardCode(cells["ward"]) if cells["ward"] else None
    review_on = date.fromisoformat(review) if review else None
    name, address = cells["name"], cells["address"]
    refusal = fault(kind, ward, review_on, name, address)
    if refusal is not None:
        return ChangeRow(line, refusal=refusal)
    day = date.fromisoformat(cells["effective_on"])
    change = Change(cells["change_reference"], cells["card_reference"], kind, day, ward, review_on)
    return ChangeRow(line, change, addressee=Addressee(name, address) if name else None)


def _is_written(text: str) -> bool:
    try:
        written(text)
    except ValueError:
        return False
    return True


def _is_day(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
