"""A table with its ETag: who has it already gets a 304, and no workbook is written for it."""

import hashlib

import pydantic_core
from starlette.requests import Request
from starlette.responses import Response

from shared.http.etag import etag, is_known
from shared.http.tables import Table, TableRequest


async def answer(request: Request, wanted: TableRequest, table: Table) -> Response:
    """``table`` in the form asked for, tagged by its content, form and language."""
    version = _version(wanted, table)
    headers = {
        "ETag": etag(version),
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Accept-Language",
    }
    if is_known(request.headers.get("if-none-match"), version):
        return Response(status_code=304, headers=headers)
    response = await wanted.answer(table)
    response.headers.update(headers)
    return response


def _version(wanted: TableRequest, table: Table) -> int:
    titles = [column.title.to(wanted.language) for column in table.columns]
    shown = (wanted.format, wanted.bom, wanted.language, table.name, titles, table.rows)
    return int.from_bytes(hashlib.sha256(pydantic_core.to_json(shown)).digest()[:8])
