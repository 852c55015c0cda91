"""One row of a lot file becomes a card, or a reason why not; every row becomes one of the two."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Final, TypeVar

from services.preparation.domain.addressee import written
from services.preparation.domain.lot_file import (
    LOT,
    Cells,
    FileUnreadable,
    Form,
    Line,
    Ragged,
    TooManyRows,
    open_lines,
)
from services.preparation.domain.municipality import is_municipal_code
from services.preparation.domain.row_faults import RowCode, RowFault
from services.preparation.domain.stages import Stage
from shared.contracts.base import CaseKind
from shared.errors import Text
from shared.ids import LotId, SiteId, WardCode
from shared.security.blind_index import normal_notice_number
from shared.security.my_number import cell_with_my_number, contains_my_number

T = TypeVar("T")

_LOT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ROW: Final = re.compile(r"[1-9][0-9]{0,6}")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")
_SITE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SHELF: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class CardRow:
    """A row that can be taken. ``line`` is its place in the file, ``row`` that on the manifest."""

    line: int
    lot_id: LotId
    row: int
    card_reference: str
    ward: WardCode
    kind: CaseKind
    applied_on: date
    shipped_on: date
    card_expires_on: date
    birth_date: date = field(repr=False)
    old_card_expires_on: date | None = None
    name: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    stage: Stage = Stage.RECEIVED
    site_id: SiteId | None = None
    shelf: str | None = None
    notice_number: str | None = field(default=None, repr=False)
    notice_seq: int = 1
    pickup_deadline: date | None = None


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not taken; lot and row are known only where they could be read safely."""

    line: int
    fault: RowFault
    lot_id: LotId | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class LotFile:
    """A file that could be read: its SHA-256 and each of its rows, judged."""

    digest: bytes
    rows: list[CardRow | RefusedRow]

    @property
    def cards(self) -> list[CardRow]:
        """The rows that can be taken."""
        return [row for row in self.rows if isinstance(row, CardRow)]

    @property
    def lots(self) -> set[LotId]:
        """The lots of all rows whose lot is legible."""
        return {row.lot_id for row in self.rows if row.lot_id is not None}


class _FaultError(Exception):
    def __init__(self, code: RowCode, field_: str | None) -> None:
        self.fault = RowFault(code, field_)
        super().__init__(code)


def read_file(body: bytes, form: Form = LOT, most: int = 1_000_000) -> LotFile:
    """Read and judge a whole file; ``form`` is LOT, or OPENING_STOCK at cut-over.

    Raises ``FileUnreadable`` and ``WrongColumns``, and ``TooManyRows`` as soon as there are more
    than ``most``; a bad row is no error, it is a result.
    """
    rows = list(islice(read_rows(open_lines(body, form), form), most + 1))
    if len(rows) > most:
        raise TooManyRows(most)
    if not rows:
        raise no_rows()
    return LotFile(hashlib.sha256(body).digest(), rows)


def no_rows() -> FileUnreadable:
    """What is raised for a file that has only a header."""
    return FileUnreadable(Text("It has no rows.", "データの行がありません。"))


def read_rows(lines: Iterable[Line], form: Form = LOT) -> Iterator[CardRow | RefusedRow]:
    """Judge each line; a card or a place on the manifest is taken once per file."""
    seen = _Seen()
    for line, cells in lines:
        row = read_row(line, cells, form)
        if isinstance(row, CardRow):
            twin = seen.twin(row)
            if twin is not None:
                fault = RowFault(RowCode.DUPLICATE_IN_FILE, twin)
                row = RefusedRow(line, fault, row.lot_id, row.row)
        yield row


def read_row(line: int, cells: Cells, form: Form = LOT) -> CardRow | RefusedRow:
    """Judge one line by itself; a My Number anywhere sets it aside before anything else.

    Optional cells at the end may be left out.
    """
    try:
        _refuse_my_number(cells, form)
        _require_all_cells(cells, form)
        given = zip(form.columns, (cell.strip() for cell in cells), strict=False)
        return _card(line, dict.fromkeys(form.columns, "") | dict(given))
    except _FaultError as error:
        return _refused(line, cells, error.fault, form)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the rows before had of what may come once only."""

    references: set[str] = field(default_factory=set)
    places: set[tuple[LotId, int]] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)

    def twin(self, row: CardRow) -> str | None:
        """The column in which a row is the twin of one before."""
        place = row.lot_id, row.row
        twin = None
        if row.card_reference in self.references:
            twin = "card_reference"
        elif place in self.places:
            twin = "row"
        elif row.notice_number in self.numbers:
            twin = "notice_number"
        self.references.add(row.card_reference)
        self.places.add(place)
        if row.notice_number is not None:
            self.numbers.add(row.notice_number)
        return twin


def _refused(line: int, cells: Cells, fault: RowFault, form: Form) -> RefusedRow:
    lot, row = (cells[0].strip(), cells[1].strip()) if _complete(cells, form) else ("", "")
    safe = _LOT.fullmatch(lot) and not contains_my_number(lot)
    return RefusedRow(
        line,
        fault,
        LotId(lot) if safe else None,
        int(row) if _ROW.fullmatch(row) else None,
    )


def _complete(cells: Cells, form: Form) -> bool:
    count = len(form.needed), len(form.columns)
    return not isinstance(cells, Ragged) and len(cells) in count


def _refuse_my_number(cells: Cells, form: Form) -> None:
    number = cell_with_my_number(cells)
    if number is not None:
        known = _complete(cells, form)
        name = form.columns[number] if known else f"cell {number + 1}"
        raise _FaultError(RowCode.MY_NUMBER, name)


def _require_all_cells(cells: Cells, form: Form) -> None:
    if not _complete(cells, form):
        raise _FaultError(RowCode.WRONG_CELL_COUNT, None)


def _card(line: int, cells: dict[str, str]) -> CardRow:
    row = CardRow(
        line=line,
        lot_id=_read(cells, "lot", _lot),
        row=_read(cells, "row", _number),
        card_reference=_read(cells, "card_reference", _reference),
        ward=_read(cells, "ward", _ward),
        kind=_read(cells, "kind", _kind),
        applied_on=_read(cells, "applied_on", _date),
        shipped_on=_read(cells, "shipped_on", _date),
        card_expires_on=_read(cells, "card_expires_on", _date),
        birth_date=_read(cells, "birth_date", _birth_date),
        old_card_expires_on=_maybe(cells, "old_card_expires_on", _date),
        name=_maybe(cells, "name", written) or "",
        address=_maybe(cells, "address", written) or "",
        stage=_maybe(cells, "stage", _stage) or Stage.RECEIVED,
        site_id=_maybe(cells, "site_id", _site),
        shelf=_maybe(cells, "shelf", _shelf),
        notice_number=_maybe(cells, "notice_number", normal_notice_number),
        notice_seq=_maybe(cells, "notice_seq", _seq) or 1,
        pickup_deadline=_maybe(cells, "pickup_deadline", _date),
    )
    _require_order(row)
    _require_place(row)
    return row


def _require_place(row: CardRow) -> None:
    lies = row.stage in (Stage.SHELVED, Stage.NOTIFIED)
    told = row.stage is Stage.NOTIFIED
    _require_exactly("site_id", row.site_id, wanted=lies)
    _require_exactly("shelf", row.shelf, wanted=lies)
    _require_exactly("notice_number", row.notice_number, wanted=told)
    _require_exactly("pickup_deadline", row.pickup_deadline, wanted=told)


def _require_exactly(name: str, value: object, *, wanted: bool) -> None:
    if (value is not None) is not wanted:
        raise _FaultError(RowCode.REQUIRED if wanted else RowCode.NOT_EXPECTED, name)


def _require_order(row: CardRow) -> None:
    if row.birth_date > row.applied_on:
        raise _FaultError(RowCode.DATE_ORDER, "birth_date")
    if row.applied_on > row.shipped_on:
        raise _FaultError(RowCode.DATE_ORDER, "shipped_on")
    if row.shipped_on >= row.card_expires_on:
        raise _FaultError(RowCode.DATE_ORDER, "card_expires_on")


def _read(cells: dict[str, str], name: str, convert: Callable[[str], T]) -> T:
    text = cells[name]
    if not text:
        raise _FaultError(RowCode.REQUIRED, name)
    try:
        return convert(text)
    except ValueError:
        # The text of the cell stays out of the chain of errors.
        raise _FaultError(RowCode.MALFORMED, name) from None


def _maybe(cells: dict[str, str], name: str, convert: Callable[[str], T]) -> T | None:
    return _read(cells, name, convert) if cells.get(name) else None


# The same lots, wards, kinds and days come in row after row; what is refused is not remembered.
@lru_cache(maxsize=256)
def _lot(text: str) -> LotId:
    return LotId(_matching(text, _LOT))


def _number(text: str) -> int:
    return int(_matching(text, _ROW))


def _reference(text: str) -> str:
    return _matching(text, _REFERENCE)


@lru_cache(maxsize=8)
def _kind(text: str) -> CaseKind:
    return CaseKind(text)


def _matching(text: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(text):
        raise ValueError
    return text


def _stage(text: str) -> Stage:
    stage = Stage(text)
    if stage.rank > Stage.NOTIFIED.rank:
        raise ValueError
    return stage


def _seq(text: str) -> int:
    if text not in ("1", "2"):
        raise ValueError
    return int(text)


def _site(text: str) -> SiteId:
    return SiteId(_matching(text, _SITE))


def _shelf(text: str) -> str:
    return _matching(text, _SHELF)


@lru_cache(maxsize=256)
def _ward(text: str) -> WardCode:
    if not is_municipal_code(text):
        raise ValueError
    return WardCode(text)


@lru_cache(maxsize=1024)
def _date(text: str) -> date:
    return _birth_date(text)


def _birth_date(text: str) -> date:
    """Remembered nowhere, unlike the days of applications and shipments."""
    return date.fromisoformat(_matching(text, _DATE))
