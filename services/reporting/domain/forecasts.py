"""Forecasts as versioned series, and how far each was from what came.

A file is ``month,service,basis,count``, as the city's plan gives its table. A version is whole or
not at all: one with holes would look like months in which nothing was expected.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from services.reporting.domain.monthly import Counts
from shared.contracts.base import Procedure
from shared.errors import FieldError, Text


class Basis(StrEnum):
    """What a number is: done and counted here, as a file says was done, or expected."""

    ACTUAL = "actual"
    PUBLISHED = "published"
    FORECAST = "forecast"


@dataclass(frozen=True, slots=True)
class Value:
    """A row of a forecast file; ``month`` is its first day."""

    month: date
    procedure: Procedure
    basis: Basis
    count: int

    @property
    def key(self) -> tuple[date, Procedure, Basis]:
        """What a file may say once."""
        return (self.month, self.procedure, self.basis)


@dataclass(frozen=True, slots=True)
class Version:
    """A forecast as it was imported."""

    version: int
    name: str
    imported_at: datetime
    imported_by: str
    first: date | None
    last: date | None
    """The first and last month that it forecasts, none where it forecasts nothing."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The numbers of a version: what it expects, and what it says was done before."""

    expected: Counts
    published: Counts

    @classmethod
    def of(cls, values: Sequence[Value]) -> "Forecast":
        """Both parts of a file's rows."""
        return cls(_counts(values, Basis.FORECAST), _counts(values, Basis.PUBLISHED))


BASES: Mapping[str, Basis] = {"actual": Basis.PUBLISHED, "forecast": Basis.FORECAST}
"""The words of a file's column ``basis``."""

_LARGEST = 10_000_000


def value_of(cells: Mapping[str, str]) -> Value | FieldError:
    """A row of a file, or why it cannot be one; the error names the column, never its value."""
    month = _month(cells.get("month", ""))
    if month is None:
        return _fault("month", "a month as 2026-04", "2026-04 の形式の年月")
    service = cells.get("service", "")
    if service not in set(Procedure):
        words = " / ".join(Procedure)
        return _fault("service", f"one of {words}", f"{words} のいずれか")
    if cells.get("basis") not in BASES:
        return _fault("basis", "actual or forecast", "actual または forecast")
    count = cells.get("count", "")
    if not (count.isascii() and count.isdecimal() and int(count) <= _LARGEST):
        return _fault("count", f"a whole number up to {_LARGEST}", f"0から{_LARGEST}までの整数")
    return Value(month, Procedure(service), BASES[cells["basis"]], int(count))


def said_twice() -> FieldError:
    """A row whose month, service and basis an earlier row has had."""
    return FieldError(
        "month",
        Text(
            "This month, service and basis are in the file already.",
            "同じ年月・手続・区分の行がファイル内に重複しています。",
        ),
        Text("Keep one of the rows.", "いずれか1行だけを残してください。"),
    )


def _fault(field: str, en: str, ja: str) -> FieldError:
    return FieldError(
        field,
        Text(f"Is not {en}.", f"{ja}ではありません。"),
        Text(f"Write {en}.", f"{ja}を記入してください。"),
    )


def _month(text: str) -> date | None:
    if len(text) != len("2026-04") or text[4] != "-":
        return None
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return found if 2000 <= found.year < 3000 else None


def _counts(values: Sequence[Value], basis: Basis) -> Counts:
    return {(each.month, each.procedure): each.count for each in values if each.basis is basis}
