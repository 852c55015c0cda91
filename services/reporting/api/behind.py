"""/v1/reports/cases/counted and /lead-times: which cases stand behind a figure, audited."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from services.reporting.api.filters import SiteFilter, WardFilter
from services.reporting.api.spans import CalendarDep, DaysDep
from services.reporting.domain.lead_times import Span
from services.reporting.store import behind as counted
from services.reporting.store import ways
from services.reporting.store.behind import Behind, CaseBehind, Filter
from services.reporting.store.habits import Between
from services.reporting.store.site_days import Days
from shared.calendar import TOKYO, BusinessCalendar
from shared.contracts.base import Procedure
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.ids import CaseId, SiteId, WardCode
from shared.unit import Unit

router = APIRouter(prefix="/v1/reports/cases", tags=["reports"])


class BehindLine(BaseModel):
    """A case behind a figure; of waits and services a party, by its first case."""

    case_id: CaseId
    ward: WardCode | None
    site_id: SiteId | None
    procedure: Procedure | None
    at: AwareDatetime = Field(description="When it was; of a seat, when it begins.")
    reference: UUID = Field(description="The booking, visit or event by which it counts.")
    minutes: float | None = Field(description="Of the seat, the wait or the service.")


class StepLine(BaseModel):
    """A case behind a lead time."""

    case_id: CaseId
    ward: WardCode | None
    site_id: SiteId | None = Field(description="Where the card lies, by its notice.")
    started: date
    ended: date
    business_days: int = Field(description="0 is the same day.")
    days: int


@router.get("/counted", summary="The cases behind a figure of bookings, sites or waits")
async def counted_cases(
    *,
    call: CallDep,
    page: PageDep,
    days: DaysDep,
    figure: Annotated[
        Behind, Query(description="A column of /bookings, /sites/days or /sites/times.")
    ],
    ward: WardFilter = None,
    site_id: SiteFilter = None,
    procedure: Annotated[Procedure | None, Query(description="Without it, both.")] = None,
) -> Page[BehindLine]:
    """With the days and filters of a figure, exactly as many as it says, in order of time.

    `seats…` count by the day of the seat, as /sites/days does; `made`, `moved`, `cancelled` and
    `missed` by the day on which it was told, as /bookings does.
    """
    wanted, between = Filter(site_id, ward, procedure), Between.of(days.first, days.last)
    after = page.after(tuple[AwareDatetime, UUID, UUID])
    async with call.unit() as unit:
        rows = await counted.cases(
            unit.conn, figure, between, wanted, after=after, limit=page.fetch
        )
        shown = page.page(rows, key=lambda row: (row.at, row.reference, row.case_id), item=_behind)
        _audit(unit, figure, replace(days, site_id=site_id), ward, shown.items)
    return shown


@router.get("/lead-times", summary="The cases behind a lead time")
async def lead_time_cases(
    *,
    call: CallDep,
    page: PageDep,
    days: DaysDep,
    calendar: CalendarDep,
    span: Annotated[Span, Query(description="From which stage to which.")],
    ward: WardFilter = None,
    site_id: SiteFilter = None,
) -> Page[StepLine]:
    """Steps that ended in these days, in order of their end: as many as /lead-times says."""
    there, after = replace(days, site_id=site_id), page.after(tuple[date, UUID])
    async with call.unit() as unit:
        rows = await ways.steps(unit.conn, span, there, ward, after=after, limit=page.fetch)
        shown = page.page(
            rows, key=lambda row: (row.ended, row.case_id), item=lambda row: _step(row, calendar)
        )
        _audit(unit, f"lead_time/{span}", there, ward, shown.items)
    return shown


def _behind(row: CaseBehind) -> BehindLine:
    minutes = None if row.minutes is None else round(row.minutes, 1)
    return BehindLine(**asdict(row) | {"at": row.at.astimezone(TOKYO), "minutes": minutes})


def _step(row: ways.Step, calendar: BusinessCalendar) -> StepLine:
    return StepLine(
        **asdict(row),
        business_days=calendar.business_days_between(row.started, row.ended),
        days=(row.ended - row.started).days,
    )


def _audit(
    unit: Unit, figure: str, days: Days, ward: WardCode | None, shown: Sequence[BaseModel]
) -> None:
    unit.audit(
        "report.cases_read",
        subject=figure,
        site_id=days.site_id,
        first=days.first.isoformat(),
        last=days.last.isoformat(),
        ward=ward or "all",
        cases=len(shown),
    )
