"""A site's day: look at it, and sign it off."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from services.issuance.api.bodies import SignOff
from services.issuance.api.desk import DeskDep, refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import DayView, ReportView
from services.issuance.handlers.reading import read_day
from services.issuance.handlers.sign_off import sign_off
from shared.calendar import business_date
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.unit import Unit

router = APIRouter(prefix="/v1/sites", tags=["days"])


@router.get("/{site_id}/day", summary="Whom the site expects and who has come")
async def day(
    site_id: SiteRef,
    call: CallDep,
    date_: Annotated[
        date | None, Query(alias="date", description="A date in Japan; today if left out.")
    ] = None,
) -> DayView:
    """Expected cases by time, each with what would stand in its way, and the day's visits."""
    async with call.unit() as unit:
        return DayView.of(await read_day(unit, site_id, date_ or business_date(unit.now)))


@router.post(
    "/{site_id}/day:sign-off",
    response_model=ReportView,
    summary="Close the day: no-shows are told, open visits are ended",
    dependencies=[Depends(refuse_query)],
)
async def sign_off_day(
    site_id: SiteRef, call: StepDep, desk: DeskDep, body: SignOff | None = None
) -> Response:
    """Possible once the last booking and its grace are over; repeating it changes nothing."""

    async def command(unit: Unit) -> ReportView:
        wanted = body.date if body else None
        chosen = wanted or business_date(unit.now)
        return ReportView.of(await sign_off(unit, site_id, chosen, desk.grace, desk.learning))

    return await step(call, body, command)
