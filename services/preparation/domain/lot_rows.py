"""One row of a lot file becomes a card, or a reason why not; every row becomes one of the two."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from services.preparation.domain.addressee import written
from services.preparation.domain.lot_cells import (
    CellFault,
    legible,
    read,
    read_if_given,
    to_birth_date,
    to_date,
    to_kind,
    to_lot,
    to_number,
    to_reference,
    to_seq,
    to_shelf,
    to_site,
    to_stage,
    to_ward,
)
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
from services.preparation.domain.row_faults import RowCode, RowFault
from services.preparation.domain.stages import Stage
from shared.contracts.base import CaseKind
from shared.errors import Text
from shared.ids import LotId, SiteId, WardCode
from shared.security.blind_index import normal_notice_number
from shared.security.my_number import cell_with_my_number, contains_my_number


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
    except CellFault as error:
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
    # Looked through first: a lot that was read is remembered.
    safe = not contains_my_number(lot)
    return RefusedRow(
        line,
        fault,
        legible(lot, to_lot) if safe else None,
        legible(row, to_number),
    )


def _complete(cells: Cells, form: Form) -> bool:
    count = len(form.needed), len(form.columns)
    return not isinstance(cells, Ragged) and len(cells) in count


def _refuse_my_number(cells: Cells, form: Form) -> None:
    number = cell_with_my_number(cells)
    if number is not None:
        known = _complete(cells, form)
        name = form.columns[number] if known else f"cell {number + 1}"
        raise CellFault(RowCode.MY_NUMBER, name)


def _require_all_cells(cells: Cells, form: Form) -> None:
    if not _complete(cells, form):
        raise CellFault(RowCode.WRONG_CELL_COUNT, None)


def _card(line: int, cells: dict[str, str]) -> CardRow:
    row = CardRow(
        line=line,
        lot_id=read(cells, "lot", to_lot),
        row=read(cells, "row", to_number),
        card_reference=read(cells, "card_reference", to_reference),
        ward=read(cells, "ward", to_ward),
        kind=read(cells, "kind", to_kind),
        applied_on=read(cells, "applied_on", to_date),
        shipped_on=read(cells, "shipped_on", to_date),
        card_expires_on=read(cells, "card_expires_on", to_date),
        birth_date=read(cells, "birth_date", to_birth_date),
        old_card_expires_on=read_if_given(cells, "old_card_expires_on", to_date),
        name=read_if_given(cells, "name", written) or "",
        address=read_if_given(cells, "address", written) or "",
        stage=read_if_given(cells, "stage", to_stage) or Stage.RECEIVED,
        site_id=read_if_given(cells, "site_id", to_site),
        shelf=read_if_given(cells, "shelf", to_shelf),
        notice_number=read_if_given(cells, "notice_number", normal_notice_number),
        notice_seq=read_if_given(cells, "notice_seq", to_seq) or 1,
        pickup_deadline=read_if_given(cells, "pickup_deadline", to_date),
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
        raise CellFault(RowCode.REQUIRED if wanted else RowCode.NOT_EXPECTED, name)


def _require_order(row: CardRow) -> None:
    if row.birth_date > row.applied_on:
        raise CellFault(RowCode.DATE_ORDER, "birth_date")
    if row.applied_on > row.shipped_on:
        raise CellFault(RowCode.DATE_ORDER, "shipped_on")
    if row.shipped_on >= row.card_expires_on:
        raise CellFault(RowCode.DATE_ORDER, "card_expires_on")
