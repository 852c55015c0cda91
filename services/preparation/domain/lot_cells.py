"""One cell of a lot file becomes a value, or a fault that names its column and not its text."""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final, TypeVar

from services.preparation.domain.municipality import is_municipal_code
from services.preparation.domain.row_faults import RowCode, RowFault
from services.preparation.domain.stages import Stage
from shared.contracts.base import CaseKind
from shared.ids import LotId, SiteId, WardCode

T = TypeVar("T")

_LOT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ROW: Final = re.compile(r"[1-9][0-9]{0,6}")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")
_SITE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_SHELF: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class CellFault(Exception):  # noqa: N818 - reads as the fact it states
    """What keeps a row out; ``field`` is its column, none where it is not in one."""

    def __init__(self, code: RowCode, field: str | None) -> None:
        self.fault = RowFault(code, field)
        super().__init__(code)


def read(cells: dict[str, str], name: str, convert: Callable[[str], T]) -> T:
    """The value of a cell that must be there. Raises ``CellFault`` naming its column."""
    text = cells[name]
    if not text:
        raise CellFault(RowCode.REQUIRED, name)
    try:
        return convert(text)
    except ValueError:
        # The text of the cell stays out of the chain of errors.
        raise CellFault(RowCode.MALFORMED, name) from None


def read_if_given(cells: dict[str, str], name: str, convert: Callable[[str], T]) -> T | None:
    """The value of a cell that may be empty. Raises ``CellFault`` naming its column."""
    return read(cells, name, convert) if cells.get(name) else None


def legible(text: str, convert: Callable[[str], T]) -> T | None:
    """The value of a text, or none where it is none."""
    try:
        return convert(text)
    except ValueError:
        return None


# Each raises ``ValueError`` for a text that is no such value. The same lots, wards, kinds and days
# come in row after row; what is refused is not remembered.
@lru_cache(maxsize=256)
def to_lot(text: str) -> LotId:
    """A lot, as its file names it."""
    return LotId(_matching(text, _LOT))


def to_number(text: str) -> int:
    """A place on the manifest, from 1."""
    return int(_matching(text, _ROW))


def to_reference(text: str) -> str:
    """A card's reference."""
    return _matching(text, _REFERENCE)


@lru_cache(maxsize=256)
def to_ward(text: str) -> WardCode:
    """A ward's municipal code, its check digit right."""
    if not is_municipal_code(text):
        raise ValueError
    return WardCode(text)


@lru_cache(maxsize=8)
def to_kind(text: str) -> CaseKind:
    """Why the card was made."""
    return CaseKind(text)


@lru_cache(maxsize=1024)
def to_date(text: str) -> date:
    """A day of applications, shipments or expiries, YYYY-MM-DD."""
    return to_birth_date(text)


def to_birth_date(text: str) -> date:
    """Remembered nowhere, unlike the days of applications and shipments."""
    return date.fromisoformat(_matching(text, _DATE))


def to_stage(text: str) -> Stage:
    """Where a card of the opening stock is, at most with its citizen."""
    stage = Stage(text)
    if stage.rank > Stage.NOTIFIED.rank:
        raise ValueError
    return stage


def to_site(text: str) -> SiteId:
    """A site."""
    return SiteId(_matching(text, _SITE))


def to_shelf(text: str) -> str:
    """A shelf of a site."""
    return _matching(text, _SHELF)


def to_seq(text: str) -> int:
    """Whether a notice was the first or the second."""
    if text not in ("1", "2"):
        raise ValueError
    return int(text)


def _matching(text: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(text):
        raise ValueError
    return text
