"""Tables with the words of each code beside it; long ones go on by cursor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from starlette.responses import Response

from services.preparation.api.words import worded
from shared.http.paging import PageRequest, packed
from shared.http.tables import Cell, Column, Table, TableDep, TableRequest

MOST = 5_000
"""Rows of a list at a time."""

R = TypeVar("R")
K = TypeVar("K")


async def answer(wanted: TableRequest, table: Table) -> Response:
    """``table`` as it is wanted, with words beside its codes."""
    return await wanted.answer(worded(table, wanted.language))


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of a long list, as table or file."""

    wanted: TableRequest
    page: PageRequest

    @property
    def fetch(self) -> int:
        """The LIMIT of the query: one more row tells whether the list goes on."""
        return self.page.fetch

    def after(self, kind: type[K]) -> K | None:
        """The sort key after which this part begins. Raises ``CursorRefused``."""
        return self.page.after(kind)

    async def answer(
        self,
        name: str,
        columns: Sequence[Column],
        found: Sequence[R],
        *,
        key: Callable[[R], tuple[object, ...]],
        cells: Callable[[R], Sequence[Cell]],
    ) -> Response:
        """The part, and the cursor of the next one where the list goes on."""
        shown = found[: self.page.limit]
        more = packed(key(shown[-1])) if len(found) > len(shown) else None
        rows = [cells(row) for row in shown]
        return await answer(self.wanted, Table(name, columns, rows, more))


def _listing(
    wanted: TableDep,
    cursor: Annotated[
        str | None, Query(max_length=1000, description="`Next-Cursor` of the part before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Rows at a time.")] = MOST,
) -> Listing:
    return Listing(wanted, PageRequest(limit, cursor))


ListingDep = Annotated[Listing, Depends(_listing)]
"""For routes that list: adds ``?cursor=&limit=`` to those of a table."""


def by_columns(columns: Sequence[Column]) -> Callable[[object], Sequence[Cell]]:
    """The cells of a row whose members are named as the columns are."""
    return lambda row: [getattr(row, column.key) for column in columns]
