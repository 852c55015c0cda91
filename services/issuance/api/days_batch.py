"""Many days signed off in one request, each by the rules of its single door."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from services.issuance.api.bodies import Body
from services.issuance.api.desk import Desk, DeskDep, refuse_query
from services.issuance.api.row_results import BatchResult, answer
from services.issuance.api.views import ReportView
from services.issuance.handlers import count_cards
from services.issuance.handlers.sign_off import sign_off
from shared.contracts.base import BusinessDate, SiteRef
from shared.errors import Problem
from shared.http.call import Call, OnceDep
from shared.http.groups import Answered
from shared.http.idempotency import Claim
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["days"])
MOST_DAYS = 200


class DayRow(Body):
    """One site's day."""

    site_id: SiteRef
    """The site."""

    date: BusinessDate
    """The date in Japan."""

    all_back: bool = False
    """Every card that was at a counter and is not counted yet lies on its shelf again."""


class DayBatch(Body):
    """The days to close."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rows": [
                        {"site_id": "kawasaki-ward-office", "date": "2026-07-14", "all_back": True}
                    ]
                }
            ]
        }
    )

    rows: Annotated[tuple[DayRow, ...], Field(min_length=1, max_length=MOST_DAYS)]
    """Up to 200."""


@router.post(
    "/days:sign-off",
    response_model=BatchResult,
    summary="Sign off the days of several sites",
    dependencies=[Depends(refuse_query)],
)
async def sign_off_days(body: DayBatch, call: OnceDep, desk: DeskDep, request: Request) -> Response:
    """Each day by itself, as `POST /v1/sites/{site_id}/day:sign-off`; what was refused is tried
    again when it is sent again under the same key.
    """
    for site_id in {row.site_id for row in body.rows}:
        call.principal.require_site(site_id)
    rows = await call.rows(body)
    ends = [await _day(call, rows, number, row, desk) for number, row in enumerate(body.rows)]
    return answer(ends, request)


async def _day(call: Call, rows: Claim, number: int, row: DayRow, desk: Desk) -> Answered | Problem:
    async def command(unit: Unit) -> ReportView:
        if row.all_back:
            await count_cards.count_rest(unit, row.site_id, row.date)
        report = await sign_off(unit, row.site_id, row.date, desk.grace, desk.learning)
        return ReportView.of(report)

    try:
        return await call.row(number, rows, command)
    except Problem as problem:
        return problem
