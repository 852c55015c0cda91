"""GET /v1/open-data: monthly figures by ward for everybody, with small numbers hidden."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.answers import answer
from services.reporting.api.filters import YearDep, today
from services.reporting.api.kept import Kept
from services.reporting.api.models import ReportTable
from services.reporting.domain.open_data import published
from services.reporting.domain.wards import Ward
from services.reporting.store import reports, wards
from shared.calendar import FiscalYear
from shared.contracts.base import Procedure
from shared.errors import Language, Text
from shared.http.call import Call, CallDep
from shared.http.tables import Cell, Column, Table, TableDep
from shared.ids import WardCode

Groups = Mapping[tuple[date, Procedure], Mapping[WardCode, int]]
"""The numbers of the wards by month and procedure."""
Figures = tuple[Groups, Mapping[WardCode, Ward]]

_COLUMNS = (
    Column("code", Text("Municipal code", "全国地方公共団体コード")),
    Column("name", Text("Municipality", "市区町村名")),
    Column("month", Text("Month", "年月")),
    Column("procedure", Text("Procedure (code)", "手続コード")),
    Column("procedure_name", Text("Procedure", "手続")),
    Column("completed", Text("Completed", "件数")),
    Column("hidden", Text("Hidden", "秘匿")),
)
_NAMES = {
    Procedure.CARD_ISSUANCE: Text("Cards issued", "カード交付"),
    Procedure.CERTIFICATE_RENEWAL: Text("E-certificates renewed", "電子証明書更新"),
}
_CITY = Text("Whole city", "市全体")


def open_data(city_code: str) -> APIRouter:
    """The route, for the city with this municipal code."""
    router = APIRouter(tags=["open data"])
    kept: Kept[FiscalYear, Figures] = Kept()

    @router.get(
        "/v1/open-data",
        summary="Procedures by month and ward, for publication",
        response_model=ReportTable,
        responses=documents.table(documents.OPEN_DATA),
    )
    async def table(request: Request, call: CallDep, wanted: TableDep, year: YearDep) -> Response:
        """Months that are over. `hidden` is 1 where a number is small, or would tell a small one;
        hidden numbers are empty."""
        month = today(call.resources.units.clock).replace(day=1)
        groups, names = await kept.get(year, partial(_read, call, year))
        over = {key: found for key, found in groups.items() if key[0] < month}
        rows = list(_rows(over, names, city_code, wanted.language))
        return await answer(request, wanted, Table(f"open-data-{year}", _COLUMNS, rows))

    return router


async def _read(call: Call, year: FiscalYear) -> Figures:
    async with call.unit() as unit:
        cells = await reports.cells(unit.conn, reports.Span(year.first, year.last))
        known = {ward.code: ward for ward in await wards.all_(unit.conn)}
    groups: dict[tuple[date, Procedure], dict[WardCode, int]] = {}
    for cell in cells:
        group = groups.setdefault((cell.month, cell.procedure), dict.fromkeys(known, 0))
        group[cell.ward] = group.get(cell.ward, 0) + cell.completed
    return groups, known


def _rows(
    groups: Groups, names: Mapping[WardCode, Ward], city_code: str, language: Language
) -> Iterator[list[Cell]]:
    for (month, procedure), counts in sorted(groups.items()):
        found = published(counts)
        said = [f"{month:%Y-%m}", procedure, _NAMES[procedure].to(language)]
        yield [city_code, _CITY.to(language), *said, found.total, int(found.total is None)]
        for code, count in sorted(found.wards.items()):
            ward = names.get(code)
            name = Text(ward.name_en, ward.name_ja).to(language) if ward else None
            yield [code, name, *said, count, int(count is None)]
