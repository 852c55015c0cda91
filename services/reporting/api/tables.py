"""Reports as tables for JSON, CSV and XLSX: keys for programs, titles for people."""

from collections.abc import Collection, Sequence
from dataclasses import astuple, replace
from datetime import date

from services.reporting.domain.monthly import Counts, PlanRow
from services.reporting.domain.totals import WardTotals, city
from services.reporting.store import reports
from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from shared.errors import Language, Text
from shared.http.tables import Cell, Column, Table

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

_YEAR_COLUMNS = (
    Column("fiscal_year", Text("Fiscal year from April", "年度（西暦）")),
    Column("era_year", Text("Fiscal year", "年度")),
    Column("basis", Text("Basis", "区分")),
)
_ACTUAL = Text("{} (actual)", "{}（実績）")

_COMPLETE = Column("complete", Text("Complete", "確定"))

_LONG_COLUMNS = (
    Column("month", Text("Month", "年月")),
    Column("procedure", Text("Procedure", "手続")),
    Column("ward", Text("Ward of residence", "住所地の区（団体コード）")),
    Column("site_id", Text("Site", "窓口")),
    Column("site_name", Text("Name of the site", "窓口名")),
    Column("completed", Text("Completed", "件数")),
    _COMPLETE,
)

_SERVICE_COLUMNS = (
    Column("month", Text("Month", "年月")),
    Column("service", Text("Procedure", "手続")),
    Column("completed", Text("Completed", "件数")),
    _COMPLETE,
)

_TOTALS_COLUMNS = (
    Column("date", Text("Up to", "基準日")),
    Column("ward", Text("Ward of residence", "住所地の区（団体コード）")),
    Column("applied", Text("Applied", "申請受付")),
    Column("shipped", Text("Shipped", "発送")),
    Column("preset", Text("Preset", "交付前設定")),
    Column("issued", Text("Issued", "交付")),
    Column("waiting_for_shipment", Text("Waiting for shipment", "発送待ち")),
    Column("waiting_for_preset", Text("Waiting for preset", "交付前設定待ち")),
    Column("waiting_for_issuance", Text("Waiting for issuance", "交付待ち")),
    Column("ended", Text("Ended without issuance", "交付に至らず終了")),
)


def month_name(month: date) -> Text:
    """4月, Apr."""
    return Text(_MONTHS[month.month - 1], f"{month.month}月")


def month_key(month: date) -> str:
    """2026-04."""
    return f"{month:%Y-%m}"


def plan_table(year: FiscalYear, rows: Sequence[PlanRow], language: Language) -> Table:
    """The plan's layout."""
    columns = (
        *_YEAR_COLUMNS,
        Column("procedure", Text("Procedure", "手続")),
        Column("label", Text("Row", "手続名")),
        *(Column(month_key(month), month_name(month)) for month in year.months()),
        Column("total", Text("Year", "計")),
    )
    return Table(f"monthly-{year}", columns, [_plan_row(year, row, language) for row in rows])


def marked(table: Table, year: FiscalYear, today: date) -> Table:
    """``plan_table`` with the month that is not over in each row, if ``year`` has it."""
    running = month_key(today) if today in year else None
    column = Column("running", Text("Month not over yet", "集計途中の月"))
    rows = [(*row, running) for row in table.rows]
    return replace(table, columns=(*table.columns, column), rows=rows)


def long_table(
    year: FiscalYear, cells: Sequence[reports.Cell], language: Language, complete: Collection[date]
) -> Table:
    """A row per cell; those of a month that is not among the ``complete`` ones say so."""
    rows = [
        (
            month_key(cell.month),
            cell.procedure,
            cell.ward,
            cell.site_id,
            cell.site_name_ja if language == "ja" else cell.site_name_en,
            cell.completed,
            cell.month in complete,
        )
        for cell in cells
    ]
    return Table(f"monthly-{year}-long", _LONG_COLUMNS, rows)


def service_table(year: FiscalYear, counts: Counts, complete: Collection[date]) -> Table:
    """A row per month and procedure, a 0 where nothing was completed (yet): it tells nothing where
    the month is not among the ``complete`` ones."""
    rows = [
        (
            month_key(month),
            procedure,
            counts.get((month, procedure), 0),
            month in complete,
        )
        for month in year.months()
        for procedure in Procedure
    ]
    return Table(f"monthly-{year}-services", _SERVICE_COLUMNS, rows)


def totals_table(day: date, wards: Sequence[WardTotals]) -> Table:
    """A row per ward, then the city; cases whose ward nobody told yet stand as ``unknown``."""
    rows = [(day, ward.ward or "unknown", *astuple(ward.totals)) for ward in wards]
    return Table(f"totals-{day}", _TOTALS_COLUMNS, [*rows, (day, "sum", *astuple(city(wards)))])


def _plan_row(year: FiscalYear, row: PlanRow, language: Language) -> Sequence[Cell]:
    return (
        year.first.year,
        _ACTUAL.to(language).format(year.name(language)),
        "actual",
        row.procedure or "sum",
        row.label.to(language),
        *row.months,
        row.total,
    )
