"""A list whose JSON comes in pages by cursor, and whose files hold all of it."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api.answers import answer
from shared.errors import Text
from shared.http.etag import tagged
from shared.http.paging import PageRequest
from shared.http.tables import Column, Table, TableRequest

L = TypeVar("L", bound=BaseModel)
Titles = Sequence[tuple[str, str, str]]
"""A column per member: its key, and its title in English and Japanese."""


def columns(titles: Titles) -> tuple[Column, ...]:
    """The columns of ``titles``."""
    return tuple(Column(key, Text(en, ja)) for key, en, ja in titles)


def table(name: str, titles: Titles, lines: Sequence[BaseModel]) -> Table:
    """Lines as rows of a table, a member per column."""
    keys = [key for key, _, _ in titles]
    rows = [[getattr(line, key) for key in keys] for line in lines]
    return Table(name, columns(titles), rows)


async def listed(
    request: Request,
    wanted: TableRequest,
    page: PageRequest,
    lines: Sequence[L],
    *,
    name: str,
    titles: Titles,
    key: Callable[[L], tuple[Any, ...]],
    kind: Any,
) -> Response:
    """``lines``, in order of ``key`` (of type ``kind``): a page of them, or all as a file.

    Raises ``CursorRefused``.
    """
    if wanted.format != "json":
        return await answer(request, wanted, table(name, titles, lines))
    after = page.after(kind)
    rest = [line for line in lines if after is None or key(line) > tuple(after)]
    shown = page.page(rest[: page.fetch], key=key, item=lambda line: line)
    return tagged(request, shown, version_of(shown))


def version_of(body: BaseModel) -> int:
    """A version that is the same as long as the content is."""
    return int.from_bytes(hashlib.sha256(body.model_dump_json().encode()).digest()[:8])
