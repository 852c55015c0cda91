"""The plan's table: a fiscal year by month, card issuance, certificate renewal and their sum.

The layout is that of the city's plan (「カードの交付・電子証明書（5年）更新件数」): a row per
procedure and one for both, April to March, then the year.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from shared.errors import Text

Counts = Mapping[tuple[date, Procedure], int]
"""Completions by first day of the month and procedure; nothing where there was none."""

LABELS: Mapping[Procedure | None, Text] = {
    Procedure.CARD_ISSUANCE: Text("(1) Cards issued", "①カード交付"),
    Procedure.CERTIFICATE_RENEWAL: Text("(2) E-certificates renewed", "②電子証明書更新"),
    None: Text("(1) + (2) Total", "①＋②計"),
}
"""The rows of the plan, in its order; None is the sum."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row of the plan; ``procedure`` is None for the sum."""

    procedure: Procedure | None
    months: tuple[int, ...]

    @property
    def total(self) -> int:
        """The year."""
        return sum(self.months)

    @property
    def label(self) -> Text:
        """What the plan calls it."""
        return LABELS[self.procedure]


def plan_rows(year: FiscalYear, counts: Counts) -> tuple[PlanRow, ...]:
    """The rows of ``year``: each procedure, then the sum; a month without completions is 0."""
    rows = [
        PlanRow(procedure, tuple(counts.get((month, procedure), 0) for month in year.months()))
        for procedure in (Procedure.CARD_ISSUANCE, Procedure.CERTIFICATE_RENEWAL)
    ]
    both = tuple(sum(month) for month in zip(*(row.months for row in rows), strict=True))
    return (*rows, PlanRow(None, both))
