"""Inquiry letters to mail: references alone; to whom they go stands in the register."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from services.issuance.api.bodies import Nothing
from services.issuance.api.desk import refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import View
from services.issuance.domain.certificates import LetterState
from services.issuance.handlers import letters
from services.issuance.store.certificates import Letter
from shared.contracts.base import SiteRef
from shared.errors import Text
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.http.tables import Column, Table, TableDep, in_files
from shared.ids import CaseId, SiteId, WardCode
from shared.unit import Unit

LONGEST = 5000
"""Rows of a file."""
router = APIRouter(prefix="/v1/inquiry-letters", tags=["certificates"])


class LetterView(View):
    """An inquiry letter."""

    case_id: CaseId
    site_id: SiteId
    ward: WardCode | None
    state: LetterState
    asked_at: datetime
    mailed_at: datetime | None
    returned_at: datetime | None

    @classmethod
    def of(cls, letter: Letter) -> "LetterView":
        """The view of ``letter``."""
        return cls.model_validate(letter)


_COLUMNS = (
    Column("case_id", Text("Case", "案件")),
    Column("site_id", Text("Site", "窓口")),
    Column("ward", Text("Ward of residence", "住所地の区")),
    Column("state", Text("State", "状態")),
    Column("asked_at", Text("Asked for", "依頼日時")),
    Column("mailed_at", Text("Mailed", "発送日時")),
    Column("returned_at", Text("Came back", "回答日時")),
)


@router.get(
    "",
    summary="Inquiry letters of a site",
    response_model=Page[LetterView],
    responses=in_files("A page of letters, or all of them as a file."),
)
async def listed(
    *,
    call: CallDep,
    page: PageDep,
    wanted: TableDep,
    site_id: Annotated[SiteRef, Query(description="The site.")],
    state: Annotated[LetterState | None, Query(description="Those in this state.")] = None,
) -> Page[LetterView] | Response:
    """The oldest first; those to mail are ``state=to_mail``."""
    page = page if wanted.format == "json" else replace(page, limit=LONGEST)
    async with call.unit() as unit:
        after = page.after(tuple[datetime, UUID])
        key = (after[0], CaseId(after[1])) if after else None
        rows = await letters.page(unit, site_id, state, key, page.fetch)
    shown = page.page(rows, key=lambda row: (row.asked_at, row.case_id), item=LetterView.of)
    if wanted.format == "json":
        return shown
    cells = [[getattr(row, column.key) for column in _COLUMNS] for row in shown.items]
    return await wanted.answer(Table(f"inquiry-letters-{site_id}", _COLUMNS, cells))


@router.post(
    "/{case_id}:mailed",
    response_model=LetterView,
    summary="A letter was mailed",
    dependencies=[Depends(refuse_query)],
)
async def mailed(case_id: CaseId, call: StepDep, body: Nothing | None = None) -> Response:
    """Saying it again changes nothing."""

    async def command(unit: Unit) -> LetterView:
        return LetterView.of(await letters.mailed(unit, case_id))

    return await step(call, body, command)
