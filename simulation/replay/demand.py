"""The demand of a city: how many procedures are completed in each month, and its scaling.

The file is CSV ``month,service,basis,count``, as the table of the city's plan. Scaling rounds by
the largest remainder, so that the scaled cells add up to the scaled sum, whatever the scale.
"""

import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final

from shared.contracts.base import Procedure
from shared.errors import Text
from simulation.replay.files import FileFault, Row, read_rows

COLUMNS: Final = ("month", "service", "basis", "count")
BASES: Final = ("actual", "forecast")
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_COUNT: Final = re.compile(r"\d{1,9}", re.ASCII)
_SERVICES: Final = {each.value: each for each in Procedure}

Cell = tuple[date, Procedure]
"""The first day of a month, and a procedure."""
Demand = Mapping[Cell, int]
"""Procedures completed, in the order of months and then procedures."""


def read_demand(path: Path) -> Demand:
    """All cells of a file. Raises ``FileFault`` naming line, field and remedy."""
    found: dict[Cell, int] = {}
    for row in read_rows(path, COLUMNS):
        cell = (_month(row), _service(row))
        if cell in found:
            raise row.fault(
                "month",
                Text("this month and service came before.", "同じ月・手続が重複しています。"),
                Text("Keep one line of each.", "1行だけにしてください。"),
            )
        _basis(row)
        found[cell] = _count(row)
    return dict(sorted(found.items()))


def parse_month(text: str) -> date:
    """The first day of ``2025-04``. Raises ``ValueError`` for anything else."""
    if not _MONTH.fullmatch(text):
        raise ValueError(text)
    return date(int(text[:4]), int(text[5:]), 1)


def chosen(demand: Demand, first: date | None, last: date | None, path: Path) -> Demand:
    """The cells from one month to another, both included; none names the file's own end.

    Raises ``FileFault`` where the file lacks a month of them.
    """
    known = [month for month, _ in demand]
    months = months_between(first or min(known), last or max(known))
    for month in months:
        if month not in known:
            raise FileFault(
                Text(path.name, path.name),
                Text(f"it has no line for {month:%Y-%m}.", f"{month:%Y-%m} の行がありません。"),
                Text("Add it, or choose other months.", "行を追加するか、期間を変えてください。"),
            )
    return {(month, each): demand.get((month, each), 0) for month in months for each in Procedure}


def months_between(first: date, last: date) -> list[date]:
    """The first day of each month, both included; empty where ``last`` is before ``first``."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    start = first.year * 12 + first.month - 1
    return [date((start + n) // 12, (start + n) % 12 + 1, 1) for n in range(count)]


def scaled(demand: Demand, scale: Fraction) -> Demand:
    """Each cell times ``scale``, rounded so that the sum is the rounded sum (largest remainder).

    Of equal remainders the earlier cell is rounded up.
    """
    exact = {cell: count * scale for cell, count in demand.items()}
    floors = {cell: int(value) for cell, value in exact.items()}
    missing = round(sum(exact.values(), Fraction())) - sum(floors.values())
    by_remainder = sorted(exact, key=lambda cell: (floors[cell] - exact[cell], cell))
    for cell in by_remainder[:missing]:
        floors[cell] += 1
    return floors


def _month(row: Row) -> date:
    try:
        return parse_month(row["month"])
    except ValueError:
        raise row.fault(
            "month",
            Text("is not a month.", "年月ではありません。"),
            Text("Write it as 2025-04.", "2025-04 の形式で記載してください。"),
        ) from None


def _service(row: Row) -> Procedure:
    if (found := _SERVICES.get(row["service"])) is None:
        known = ", ".join(_SERVICES)
        raise row.fault(
            "service",
            Text("is none that is known.", "登録されていない手続です。"),
            Text(f"Write one of {known}.", f"{known} のいずれかを記載してください。"),
        )
    return found


def _basis(row: Row) -> None:
    if row["basis"] not in BASES:
        raise row.fault(
            "basis",
            Text("is neither actual nor forecast.", "actual でも forecast でもありません。"),
            Text("Write actual or forecast.", "actual か forecast を記載してください。"),
        )


def _count(row: Row) -> int:
    if not _COUNT.fullmatch(row["count"]):
        raise row.fault(
            "count",
            Text("is not a number of procedures.", "件数ではありません。"),
            Text("Write a whole number from 0 on.", "0以上の整数を記載してください。"),
        )
    return int(row["count"])
