"""Any table of rows as JSON, CSV or XLSX, as the caller asks by ``?format=`` or Accept.

Text stays text: a cell that a spreadsheet would take for a formula is defused. A room that offers
XLSX depends on ``openpyxl``, which is imported only when a workbook is asked for.
"""

import asyncio
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import quote
from uuid import UUID

import pydantic_core
from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from shared.calendar import TOKYO
from shared.errors import Language, NotAcceptable, Text
from shared.http.language import negotiate

Cell: TypeAlias = str | int | float | bool | Decimal | date | datetime | UUID | None
Format = Literal["json", "csv", "xlsx"]

MEDIA_TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
OpenApiResponses: TypeAlias = dict[int | str, dict[str, Any]]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def in_files(description: str, json: Mapping[str, Any] | None = None) -> OpenApiResponses:
    """The ``responses`` of a route that answers with a table.

    ``json`` is what OpenAPI tells of that form; without it the route's model does.
    """
    content: dict[str, Mapping[str, Any]] = {} if json is None else {MEDIA_TYPES["json"]: json}
    content[MEDIA_TYPES["csv"]] = {"schema": {"type": "string"}}
    content[MEDIA_TYPES["xlsx"]] = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": description, "content": content}}


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` names the member in JSON; the title heads the column elsewhere."""

    key: str
    title: Text


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells in the order of the columns; ``name`` becomes the file's name.

    ``next_cursor`` where the list goes on: as a member in JSON, and as a header in every form.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class TableRequest:
    """The form and language in which a table is wanted."""

    format: Format
    bom: bool
    language: Language

    async def answer(self, table: Table) -> Response:
        """``table`` in the form asked for."""
        # Off the loop: a year of rows takes a while to write.
        body = await asyncio.to_thread(_WRITERS[self.format], table, self)
        return Response(
            body,
            headers={
                "Content-Type": _content_type(self.format),
                "Content-Language": self.language,
                "Vary": "Accept, Accept-Language",
                **_attachment(table.name, self.format),
                **({"Next-Cursor": table.next_cursor} if table.next_cursor else {}),
            },
        )


async def table_request(
    request: Request,
    format: Annotated[  # noqa: A002  the name callers write
        Format | None, Query(description="json, csv or xlsx; without it, Accept decides.")
    ] = None,
    bom: Annotated[
        bool, Query(description="Begin CSV with a UTF-8 byte order mark, as Excel needs it.")
    ] = False,
) -> TableRequest:
    """What the request asks for. Raises ``NotAcceptable`` naming what is offered."""
    chosen = format or _accepted(request.headers.get("accept"))
    return TableRequest(chosen, bom, negotiate(request.headers.get("accept-language")))


TableDep = Annotated[TableRequest, Depends(table_request)]
"""For routes that answer with a table: ``wanted: TableDep``, ``await wanted.answer(table)``."""


def _accepted(accept: str | None) -> Format:
    wanted = sorted(_weighted(accept or "*/*"), key=lambda each: -each[1])
    for media_type, weight in wanted:
        for form, offered in MEDIA_TYPES.items():
            kind = offered.split("/", maxsplit=1)[0]
            if weight > 0 and media_type in (offered, f"{kind}/*", "*/*"):
                return form
    raise NotAcceptable(extras={"offered": list(MEDIA_TYPES.values())})


def _weighted(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            yield media_type.lower(), float(quality)
        except ValueError:
            yield media_type.lower(), 0.0


def _content_type(form: Format) -> str:
    return f"{MEDIA_TYPES[form]}; charset=utf-8" if form == "csv" else MEDIA_TYPES[form]


def _attachment(name: str, form: Format) -> Mapping[str, str]:
    if form == "json":
        return {}
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.{form}"}


def _json(table: Table, wanted: TableRequest) -> bytes:
    keys = [column.key for column in table.columns]
    return pydantic_core.to_json(
        {
            "columns": [
                {"key": column.key, "title": column.title.to(wanted.language)}
                for column in table.columns
            ],
            "rows": [dict(zip(keys, row, strict=True)) for row in table.rows],
            **({"next_cursor": table.next_cursor} if table.next_cursor else {}),
        }
    )


def _csv(table: Table, wanted: TableRequest) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(column.title.to(wanted.language) for column in table.columns)
    writer.writerows([_csv_cell(cell) for cell in row] for row in table.rows)
    return text.getvalue().encode("utf-8-sig" if wanted.bom else "utf-8")


def safe_cell(text: str) -> str:
    """``text`` as a cell that no spreadsheet takes for a formula."""
    # An apostrophe is how spreadsheets mark text (OWASP, CSV injection).
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv_cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case datetime():
            # Who opens it at a counter reads the time as it stands there.
            return cell.astimezone(TOKYO).isoformat()
        case date():
            return cell.isoformat()
        case str():
            return safe_cell(cell)
        case _:
            return str(cell)


def _xlsx(table: Table, wanted: TableRequest) -> bytes:
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    book = Workbook(write_only=True)
    sheet = book.create_sheet()

    def written(cell: Cell) -> Any:
        made = WriteOnlyCell(sheet)
        if isinstance(cell, str):
            made.value = ILLEGAL_CHARACTERS_RE.sub("", cell)
            made.data_type = "s"  # never a formula
        else:
            made.value = _xlsx_value(cell)
        return made

    sheet.freeze_panes = "A2"
    sheet.append([written(column.title.to(wanted.language)) for column in table.columns])
    for row in table.rows:
        sheet.append([written(cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx_value(cell: Cell) -> str | int | float | bool | Decimal | date | datetime | None:
    if isinstance(cell, datetime):
        # A workbook knows no offset: times are those of the city.
        return cell.astimezone(TOKYO).replace(tzinfo=None)
    return str(cell) if isinstance(cell, UUID) else cell


_WRITERS: Mapping[Format, Callable[[Table, TableRequest], bytes]] = {
    "json": _json,
    "csv": _csv,
    "xlsx": _xlsx,
}
