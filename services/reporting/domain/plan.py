"""The plan's table over fiscal years: year × month × (cards, certificates, both), what was done
beside what was expected.

The layout is that of the city's plan: three blocks (①, ②, ①＋②), in each a row per fiscal year and
basis, April to March, then the year. A month of which nothing is known is empty, not 0; a sum
stands only where both its parts do, a year only where all that is shown of it is known.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.reporting.domain.forecasts import Basis
from services.reporting.domain.monthly import LABELS, Counts
from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from shared.errors import Text

BLOCKS: Sequence[Procedure | None] = (
    Procedure.CARD_ISSUANCE,
    Procedure.CERTIFICATE_RENEWAL,
    None,
)
"""The plan's order; None is the sum."""

BASIS_LABELS: Mapping[Basis, Text] = {
    Basis.ACTUAL: Text("actual", "実績"),
    Basis.PUBLISHED: Text("published actual", "公表実績"),
    Basis.FORECAST: Text("forecast", "予想"),
}


@dataclass(frozen=True, slots=True)
class Strand:
    """Numbers of one basis: of the whole city, or of one ward or site (``part``)."""

    basis: Basis
    counts: Counts
    part: str | None = None


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A row of the table."""

    procedure: Procedure | None
    year: FiscalYear
    basis: Basis
    part: str | None
    months: tuple[int | None, ...]

    @property
    def total(self) -> int | None:
        """The year, as far as it is known; None where nothing of it is."""
        known = [count for count in self.months if count is not None]
        return sum(known) if known else None

    def running(self, present: date) -> date | None:
        """The month counted here that is not over; ``present`` is the first day of this month."""
        if self.basis is not Basis.ACTUAL or present not in self.year:
            return None
        at = list(self.year.months()).index(present)
        return None if self.months[at] is None else present

    @property
    def label(self) -> Text:
        """What the plan calls the block."""
        return LABELS[self.procedure]


@dataclass(frozen=True, slots=True)
class LongLine:
    """A number of the table by itself."""

    month: date
    service: str
    basis: Basis
    part: str | None
    count: int

    def is_complete(self, months: Collection[date]) -> bool:
        """Whether it is all there is to count, ``months`` being those that were counted whole; what
        a forecast or a file tells always is."""
        return self.basis is not Basis.ACTUAL or self.month in months


def lines(
    shown: Sequence[FiscalYear],
    strands: Sequence[Strand],
    blocks: Sequence[Procedure | None] = BLOCKS,
) -> list[PlanLine]:
    """The rows in the plan's order; a year of which a strand knows nothing has no row of it."""
    made = (
        PlanLine(block, year, strand.basis, strand.part, _months(strand.counts, block, year))
        for block in blocks
        for year in shown
        for strand in strands
    )
    return [line for line in made if line.total is not None]


def long_lines(rows: Iterable[PlanLine]) -> Iterator[LongLine]:
    """Every number of the table by itself; sums are left to the reader."""
    for row in rows:
        if row.procedure is None:
            continue
        for month, count in zip(row.year.months(), row.months, strict=True):
            if count is not None:
                yield LongLine(month, row.procedure, row.basis, row.part, count)


def with_zeros(counts: Counts, known: Iterable[date]) -> Counts:
    """``counts`` with a 0 for the ``known`` months that have nothing: months in which the city
    completed anything. Of a month in which it did not, nothing was told, and that is no 0."""
    zeros = {(month, procedure): 0 for month in known for procedure in Procedure}
    return {**zeros, **counts}


def _months(counts: Counts, block: Procedure | None, year: FiscalYear) -> tuple[int | None, ...]:
    if block is not None:
        return tuple(counts.get((month, block)) for month in year.months())
    return tuple(_both(counts, month) for month in year.months())


def _both(counts: Counts, month: date) -> int | None:
    parts = [counts.get((month, each)) for each in Procedure]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
