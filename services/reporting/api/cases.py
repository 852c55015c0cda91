"""GET /v1/reports/cases: which cases stand behind a figure. Every look is audited."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from services.reporting.api.filters import SiteFilter, WardFilter
from services.reporting.api.models import CaseLine
from services.reporting.store import reports
from shared.calendar import TOKYO
from shared.contracts.base import Procedure
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.unit import Unit

router = APIRouter(prefix="/v1/reports", tags=["reports"])

MonthParam = Annotated[
    str,
    Query(pattern=r"^2\d{3}-(0[1-9]|1[0-2])$", description="The month.", examples=["2026-04"]),
]


@router.get("/cases", summary="The cases behind a figure")
async def cases(
    *,
    call: CallDep,
    page: PageDep,
    month: MonthParam,
    procedure: Annotated[Procedure | None, Query(description="Without it, both.")] = None,
    ward: WardFilter = None,
    site_id: SiteFilter = None,
    booked: Annotated[
        bool | None, Query(description="With a booking, or out of reservation; without it, both.")
    ] = None,
) -> Page[CaseLine]:
    """With the filters of a figure, exactly as many cases as it says, in order of completion."""
    first = date.fromisoformat(f"{month}-01")
    span = reports.Span(first, first, ward, site_id)
    after = page.after(tuple[AwareDatetime, UUID])
    async with call.unit() as unit:
        rows = await reports.completed_cases(
            unit.conn, span, procedure, booked=booked, after=after, limit=page.fetch
        )
        shown = page.page(rows, key=lambda row: (row.completed_at, row.case_id), item=_line)
        _audit(unit, month, procedure, span, len(shown.items))
    return shown


def _audit(
    unit: Unit, month: str, procedure: Procedure | None, span: reports.Span, count: int
) -> None:
    unit.audit(
        "report.cases_read",
        subject=month,
        site_id=span.site_id,
        procedure=procedure or "both",
        ward=span.ward or "all",
        cases=count,
    )


def _line(row: reports.CompletedCase) -> CaseLine:
    return CaseLine(
        case_id=row.case_id,
        procedure=row.procedure,
        kind=row.kind,
        ward=row.ward,
        site_id=row.site_id,
        completed_at=row.completed_at.astimezone(TOKYO),
        event_id=row.event_id,
    )
