"""/v1/reports/searches: how often free seats were looked for, and how often in vain."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.lists import listed
from services.reporting.api.spans import DaysDep
from services.reporting.store import searches
from services.reporting.store.searches import Searched
from shared.contracts.base import Procedure
from shared.errors import BadRequest, FieldError, Text
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/reports", tags=["reports"])

MOST_DAYS = 93
"""Days of one answer: each minute of them has its own rows."""
_TITLES = (
    ("part", "Ward, site or day", "区・窓口・日"),
    ("procedure", "Procedure", "手続"),
    ("searched", "Searches", "検索"),
    ("refused", "In vain", "空きなし"),
    ("refused_share", "Share in vain", "空きなしの割合"),
)


class TooManySearches(BadRequest):
    """More days than are summed at a time."""

    slug = "too-many-days-of-searches"
    title = Text("Too many days at a time", "一度に指定できる日数を超えています")
    remedy = Text(f"Ask for at most {MOST_DAYS} days.", f"{MOST_DAYS}日以内で指定してください。")

    def __init__(self) -> None:
        message = Text("Is too late for from.", "from からの日数が多すぎます。")
        super().__init__(errors=(FieldError("to", message, self.remedy),))


class SearchPart(StrEnum):
    """What searches are told by."""

    WARD = "ward"
    SITE = "site"
    DAY = "day"


class SearchLine(BaseModel):
    """Searches for a procedure; numbers that belong to no case and no person."""

    part: str = Field(description="The ward, site or day; any where none or several were named.")
    procedure: Procedure
    searched: int
    refused: int = Field(description="Of these, those for which nothing was free.")
    refused_share: float | None


@router.get(
    "/searches",
    summary="Searches for free seats, and those in vain",
    response_model=Page[SearchLine],
    responses=documents.files(),
)
async def searches_report(
    *,
    request: Request,
    call: CallDep,
    wanted: TableDep,
    page: PageDep,
    days: DaysDep,
    by: Annotated[SearchPart, Query(description="ward of residence, site, or day.")] = (
        SearchPart.WARD
    ),
) -> Response:
    """Counted where they are answered and told once a minute; kept for 400 days. Sites are those
    named alone."""
    if days.last - days.first >= timedelta(days=MOST_DAYS):
        raise TooManySearches
    async with call.unit() as unit:
        found = await searches.sums(unit.conn, days, by)
    return await listed(
        request,
        wanted,
        page,
        sorted((_line(each) for each in found), key=_key),
        name=f"searches-{days.first}-{days.last}",
        titles=_TITLES,
        key=_key,
        kind=tuple[str, str],
    )


def _line(found: Searched) -> SearchLine:
    return SearchLine(
        part=found.part or "any",
        procedure=found.procedure,
        searched=found.searched,
        refused=found.refused,
        refused_share=round(found.refused / found.searched, 4) if found.searched else None,
    )


def _key(line: SearchLine) -> tuple[str, str]:
    return (line.part, line.procedure)
