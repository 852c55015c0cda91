"""The numbers of the plan's table: from the facts, and from a forecast."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.reporting.domain.forecasts import Basis
from services.reporting.domain.monthly import Counts
from services.reporting.domain.plan import Strand, with_zeros
from services.reporting.handlers import forecasts
from services.reporting.store import reports
from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from shared.ids import SiteId, WardCode
from shared.unit import Unit


class By(StrEnum):
    """What the table is broken down by."""

    WARD = "ward"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class Wish:
    """What of the table is wanted; ``years`` are in order and at least one."""

    years: tuple[FiscalYear, ...]
    bases: frozenset[Basis]
    version: int | None = None
    by: By | None = None
    ward: WardCode | None = None
    site_id: SiteId | None = None

    @property
    def is_of_the_city(self) -> bool:
        """Whether the whole city is meant, of which alone forecasts speak."""
        return self.by is None and self.ward is None and self.site_id is None

    @property
    def span(self) -> reports.Span:
        """The months of these years."""
        return reports.Span(self.years[0].first, self.years[-1].last, self.ward, self.site_id)


async def strands(unit: Unit, wish: Wish) -> list[Strand]:
    """What is known, in the order of the bases. Raises ``NoSuchForecast``."""
    found: list[Strand] = []
    if Basis.ACTUAL in wish.bases:
        known = await reports.counted_months(unit.conn)
        for part, counts in (await _actual(unit, wish)).items():
            found.append(Strand(Basis.ACTUAL, with_zeros(counts, known), part))
    if wish.is_of_the_city and wish.bases & {Basis.PUBLISHED, Basis.FORECAST}:
        chosen = await forecasts.chosen(unit, wish.version)
        if chosen is not None:
            parts = {Basis.PUBLISHED: chosen[1].published, Basis.FORECAST: chosen[1].expected}
            found += [Strand(b, counts) for b, counts in parts.items() if b in wish.bases]
    return found


async def _actual(unit: Unit, wish: Wish) -> dict[str | None, Counts]:
    if wish.by is None:
        return {None: await reports.counts(unit.conn, wish.span)}
    parts: dict[str | None, dict[tuple[date, Procedure], int]] = {}
    for cell in await reports.cells(unit.conn, wish.span):
        part = cell.ward if wish.by is By.WARD else cell.site_id
        counts = parts.setdefault(part, {})
        key = (cell.month, cell.procedure)
        counts[key] = counts.get(key, 0) + cell.completed
    return {part: parts[part] for part in sorted(parts, key=str)}
