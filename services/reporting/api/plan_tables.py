"""The plan's table over fiscal years as a table for JSON, CSV and XLSX."""

from collections.abc import Collection, Sequence
from datetime import date

from services.reporting.api.tables import month_name
from services.reporting.domain.plan import BASIS_LABELS, PlanLine, long_lines
from services.reporting.handlers.plan_numbers import By
from shared.calendar import FiscalYear
from shared.errors import Language, Text
from shared.http.tables import Cell, Column, Table

_MONTHS = tuple(Column(f"{month.month:02}", month_name(month)) for month in FiscalYear(1).months())
_PARTS = {
    By.WARD: Column("ward", Text("Ward of residence", "住所地の区（団体コード）")),
    By.SITE: Column("site_id", Text("Site", "窓口")),
}
_SERVICE = Column("service", Text("Procedure", "手続"))
_BASIS = Column("basis", Text("Basis", "区分"))
_YEAR_LABEL = Text("{year} ({basis})", "{year}（{basis}）")


def plan_table(
    name: str, lines: Sequence[PlanLine], by: By | None, language: Language, present: date
) -> Table:
    """The city's layout: blocks, and in each a row per fiscal year and basis. ``present`` is the
    first day of the month that is not over: a row that counts it says so."""
    columns = (
        _SERVICE,
        Column("label", Text("Row", "手続名")),
        Column("fiscal_year", Text("Fiscal year from April", "年度（西暦）")),
        _BASIS,
        Column("era_year", Text("Fiscal year", "年度")),
        *_part(by),
        *_MONTHS,
        Column("total", Text("Year", "計")),
        Column("running", Text("Month not over yet", "集計途中の月")),
    )
    return Table(name, columns, [_row(line, by, language, present) for line in lines])


def long_table(
    name: str, lines: Sequence[PlanLine], by: By | None, complete: Collection[date]
) -> Table:
    """A row per number; sums are left out. What was done in a month that is not among the
    ``complete`` ones says so."""
    columns = (
        Column("month", Text("Month", "年月")),
        _SERVICE,
        _BASIS,
        *_part(by),
        Column("count", Text("Number", "件数")),
        Column("complete", Text("Complete", "確定")),
    )
    rows = [
        (
            *(f"{each.month:%Y-%m}", each.service, each.basis, *([each.part] if by else [])),
            *(each.count, each.is_complete(complete)),
        )
        for each in long_lines(lines)
    ]
    return Table(name, columns, rows)


def _part(by: By | None) -> tuple[Column, ...]:
    return () if by is None else (_PARTS[by],)


def _row(line: PlanLine, by: By | None, language: Language, present: date) -> Sequence[Cell]:
    running = line.running(present)
    basis = BASIS_LABELS[line.basis].to(language)
    return (
        line.procedure or "sum",
        line.label.to(language),
        line.year.first.year,
        line.basis,
        _YEAR_LABEL.to(language).format(year=line.year.name(language), basis=basis),
        *([line.part] if by else []),
        *line.months,
        line.total,
        running and f"{running:%Y-%m}",
    )
