"""/v1/reports/pickup: cards that wait for their holders, and the cases behind each figure."""

from dataclasses import asdict
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.filters import SiteFilter, WardFilter, today
from services.reporting.api.lists import listed
from services.reporting.api.spans import DayParam
from services.reporting.api.totals import end_of
from services.reporting.api.way_models import PickupLine, StandingLine
from services.reporting.store import pickup
from services.reporting.store.pickup import PICKUP, AsOf, Standing, WardPickup
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep

router = APIRouter(prefix="/v1/reports", tags=["reports"])

WITHIN = 60
"""Days ahead for which expiry is looked for (domain: cards near expiry come first)."""

_TITLES = (
    ("business_date", "Up to", "基準日"),
    ("ward", "Ward of residence", "住所地の区（団体コード）"),
    ("to_collect", "To collect", "受取待ち"),
    ("not_booked", "Never booked", "未予約"),
    ("notice_returned", "Notice returned", "通知書返戻"),
    ("past_deadline", "Past the deadline", "受取期限経過"),
    ("disposal_due", "Disposal due", "廃棄対象"),
    ("card_expires", "Card expires soon", "カード有効期限間近"),
    ("old_card_expires", "Old card expires soon", "旧カード有効期限間近"),
    ("expired", "Expired", "有効期限切れ"),
)


def _as_of(
    call: CallDep,
    day: DayParam = None,
    within: Annotated[
        int, Query(ge=0, le=366, description="Days ahead for which expiry is looked for.")
    ] = WITHIN,
    ward: WardFilter = None,
) -> AsOf:
    shown = day or today(call.resources.units.clock)
    return AsOf(shown, end_of(shown), within, ward)


AsOfDep = Annotated[AsOf, Depends(_as_of)]


@router.get(
    "/pickup",
    summary="Unclaimed cards, and those about to expire, per ward",
    response_model=Page[PickupLine],
    responses=documents.files(),
)
async def pickup_report(
    request: Request, call: CallDep, wanted: TableDep, page: PageDep, at: AsOfDep
) -> Response:
    """As known now of the end of the day; deadlines are those told last."""
    async with call.unit() as unit:
        found = await pickup.table(unit.conn, at)
    lines = [_line(at.day, each) for each in found]
    if at.ward is None:
        sums = tuple(sum(column) for column in zip(*(w.counts for w in found), strict=True))
        lines.append(_line(at.day, WardPickup(None, sums or (0,) * len(PICKUP)), "sum"))
    return await listed(
        request,
        wanted,
        page,
        sorted(lines, key=lambda line: line.ward),
        name=f"pickup-{at.day}",
        titles=_TITLES,
        key=lambda line: (line.ward,),
        kind=tuple[str],
    )


@router.get("/cases/standing", summary="The cases behind a figure of the totals or of what waits")
async def standing_cases(
    *,
    call: CallDep,
    page: PageDep,
    at: AsOfDep,
    figure: Annotated[
        Standing,
        Query(description="A column of /totals or /pickup, or a stage of /stages after `at_`."),
    ],
    site_id: SiteFilter = None,
) -> Page[StandingLine]:
    """With the day and ward of a figure, exactly as many cases as it says. With a site, those whose
    card lies there."""
    after = page.after(tuple[UUID])
    async with call.unit() as unit:
        rows = await pickup.cases(
            unit.conn, figure, at, site_id, after=after[0] if after else None, limit=page.fetch
        )
        shown = page.page(
            rows, key=lambda row: (row.case_id,), item=lambda row: StandingLine(**asdict(row))
        )
        unit.audit(
            "report.cases_read",
            subject=figure,
            site_id=site_id,
            date=at.day.isoformat(),
            ward=at.ward or "all",
            cases=len(shown.items),
        )
    return shown


def _line(day: date, found: WardPickup, ward: str | None = None) -> PickupLine:
    counts = dict(zip(PICKUP, found.counts, strict=True))
    return PickupLine(business_date=day, ward=ward or found.ward or "unknown", **counts)
