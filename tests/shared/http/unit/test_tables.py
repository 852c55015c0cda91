"""One table, three forms, and no cell that a spreadsheet would run."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import quote

import httpx
import openpyxl
import pytest
from fastapi import APIRouter
from fastapi.responses import Response

from shared.errors import Text
from shared.http.tables import MEDIA_TYPES, Cell, Column, Format, Table, TableDep
from shared.ids import derived_id
from shared.security.access import allow
from shared.security.principal import Role
from tests.support.http import MakeClient

router = APIRouter(prefix="/v1")
ID = derived_id("row")
COLUMNS = [
    Column("ward", Text("Ward", "区")),
    Column("count", Text("Count", "件数")),
    Column("share", Text("Share", "割合")),
    Column("day", Text("Day", "日")),
    Column("at", Text("At", "時刻")),
    Column("id", Text("Id", "ID")),
    Column("open", Text("Open", "開庁")),
    Column("note", Text("Note", "備考")),
]
AT = datetime(2025, 5, 7, 0, 30, tzinfo=UTC)
ROWS: list[list[Cell]] = [
    ["川崎区", 12, Decimal("0.25"), date(2025, 5, 7), AT, ID, True, "=1+1"],
    ['高津"区,', -3, None, None, None, None, False, "@cmd\nnext\x07"],
]


@router.get("/table")
async def table(wanted: TableDep) -> Response:
    return await wanted.answer(Table("月次 report", COLUMNS, ROWS))


@pytest.fixture
async def client(make_client: MakeClient) -> httpx.AsyncClient:
    return await make_client(router, access={("GET", "/v1/table"): allow(Role.PUBLIC)})


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/csv", "csv"),
        ("text/*", "csv"),
        ("text/html, text/csv;q=0.5", "csv"),
        ("application/json;q=0.5, text/csv", "csv"),
        (MEDIA_TYPES["xlsx"], "xlsx"),
    ],
)
async def test_accept_decides(client: httpx.AsyncClient, accept: str, form: Format) -> None:
    response = await client.get("/v1/table", headers={"accept": accept})
    assert response.headers["content-type"].startswith(MEDIA_TYPES[form])


async def test_format_overrides_accept(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/table?format=csv", headers={"accept": "application/json"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    name = quote("月次 report")
    assert response.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}.csv"


async def test_other_forms_are_not_offered(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/table", headers={"accept": "text/html"})
    assert response.status_code == 406
    assert response.json()["offered"] == list(MEDIA_TYPES.values())


async def test_json(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/table", headers={"accept-language": "ja"})
    body = response.json()
    assert body["columns"][0] == {"key": "ward", "title": "区"}
    assert body["rows"][0] == {
        "ward": "川崎区",
        "count": 12,
        "share": "0.25",
        "day": "2025-05-07",
        "at": "2025-05-07T00:30:00Z",
        "id": str(ID),
        "open": True,
        "note": "=1+1",
    }


async def test_csv(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/table?format=csv")
    assert not response.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(response.text, newline="")))
    assert rows[0] == [column.title.en for column in COLUMNS]
    at = "2025-05-07T09:30:00+09:00"
    assert rows[1] == ["川崎区", "12", "0.25", "2025-05-07", at, str(ID), "true", "'=1+1"]
    assert rows[2] == ['高津"区,', "-3", "", "", "", "", "false", "'@cmd\nnext\x07"]


async def test_csv_for_excel_begins_with_a_mark(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/table?format=csv&bom=true", headers={"accept-language": "ja"})
    assert response.content.decode("utf-8-sig").startswith("区,件数")
    assert response.content.startswith(b"\xef\xbb\xbf")


async def test_xlsx(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/table?format=xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    header, first, second = sheet.iter_rows()
    assert [cell.value for cell in header] == [column.title.en for column in COLUMNS]
    assert [cell.value for cell in first[:3]] == ["川崎区", 12, 0.25]
    assert first[4].value == datetime(2025, 5, 7, 9, 30)  # noqa: DTZ001  a workbook knows no zone
    assert (first[7].value, first[7].data_type) == ("=1+1", "s")
    assert second[7].value == "@cmd\nnext"
