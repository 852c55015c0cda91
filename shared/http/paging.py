"""Lists come in pages by cursor: stable while rows come and go, and no page costs more than the
first. A cursor is opaque to callers; it holds the sort key of the last row, and nothing else.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import pydantic_core
from fastapi import Depends, Query
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from shared.errors import BadRequest, FieldError, Text

DEFAULT_LIMIT = 50
GREATEST_LIMIT = 500

T = TypeVar("T")
K = TypeVar("K")
Row = TypeVar("Row")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = Field(None, description="Send as `cursor` for more; null at the end.")


class CursorRefused(BadRequest):
    """The cursor was not made by this list."""

    slug = "cursor-refused"
    title = Text("This cursor does not belong here", "このカーソルは使えません")
    remedy = Text(
        "Send next_cursor exactly as received from the same list, or start without a cursor.",
        "同じ一覧で受け取った next_cursor をそのまま送るか、カーソルなしで始めてください。",
    )

    def __init__(self) -> None:
        message = Text("Not a cursor of this list.", "この一覧のカーソルではありません。")
        super().__init__(errors=(FieldError("cursor", message, self.remedy),))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    @property
    def fetch(self) -> int:
        """The LIMIT of the query: one more row tells whether there is another page."""
        return self.limit + 1

    def after(self, kind: type[K]) -> K | None:
        """The sort key after which the page begins, as ``kind``: a NamedTuple, or a
        type such as ``tuple[datetime, UUID]``.

        None for the first page. Raises ``CursorRefused``.
        """
        if self.cursor is None:
            return None
        try:
            return TypeAdapter(kind).validate_json(_unpacked(self.cursor))
        except (ValidationError, binascii.Error, ValueError):
            raise CursorRefused from None

    def page(
        self,
        rows: Sequence[Row],
        *,
        key: Callable[[Row], tuple[object, ...]],
        item: Callable[[Row], T],
    ) -> Page[T]:
        """The page of up to ``fetch`` rows that follow ``after``; ``key`` is their sort key."""
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        return Page(
            items=[item(row) for row in shown],
            next_cursor=packed(key(shown[-1])) if more else None,
        )


def packed(key: tuple[object, ...]) -> str:
    """A cursor that holds ``key``."""
    return urlsafe_b64encode(pydantic_core.to_json(key)).rstrip(b"=").decode()


def _unpacked(cursor: str) -> bytes:
    padded = cursor + "=" * (-len(cursor) % 4)
    return urlsafe_b64decode(padded.encode("ascii"))


async def _page_request(
    cursor: Annotated[
        str | None, Query(max_length=1000, description="`next_cursor` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=GREATEST_LIMIT)] = DEFAULT_LIMIT,
) -> PageRequest:
    return PageRequest(limit, cursor)


PageDep = Annotated[PageRequest, Depends(_page_request)]
"""For routes that list: ``page: PageDep`` adds ``?cursor=&limit=``."""
