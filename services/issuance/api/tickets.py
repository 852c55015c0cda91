"""Tickets: walk-ins draw one, and what becomes of a party that was called."""

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from starlette.requests import Request

from services.issuance.api.bodies import Nothing
from services.issuance.api.desk import Desk, DeskDep, refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.ticket_bodies import SendOn, WalkIn
from services.issuance.api.ticket_table import ticket_table
from services.issuance.api.ticket_views import TicketView
from services.issuance.api.views import VisitView
from services.issuance.domain.visit import Visit
from services.issuance.handlers import queue, tickets
from services.issuance.handlers.check_in import (
    check_in_notice,
    check_in_question,
    check_in_renewal,
)
from shared.calendar import business_date
from shared.contracts.base import SiteRef
from shared.http.call import CallDep, OnceDep
from shared.http.etag import tagged
from shared.http.paging import Page, PageDep
from shared.http.tables import TableDep, in_files
from shared.ids import VisitId
from shared.unit import Unit

router = APIRouter(prefix="/v1/tickets", tags=["tickets"])
LONGEST = 5000
"""Rows of a file: more than any site serves in a day."""
_COMMAND = [Depends(refuse_query)]


@router.get(
    "",
    summary="The tickets of a site's day",
    response_model=Page[TicketView],
    responses=in_files("A page of tickets, or the whole day as a file."),
)
async def listed(
    *,
    call: CallDep,
    page: PageDep,
    wanted: TableDep,
    site_id: Annotated[SiteRef, Query(description="The site.")],
    date_: Annotated[
        date | None, Query(alias="date", description="A date in Japan; today if left out.")
    ] = None,
) -> Page[TicketView] | Response:
    """By number, with where each stands."""
    page = page if wanted.format == "json" else replace(page, limit=LONGEST)
    (after,) = page.after(tuple[int]) or (0,)
    async with call.unit() as unit:
        day = date_ or business_date(unit.now)
        rows = await tickets.list_day(unit, site_id, day, after, page.fetch)
    shown = page.page(
        rows, key=lambda row: (row[0].number,), item=lambda row: TicketView.of(row[0], row[1])
    )
    if wanted.format == "json":
        return shown
    return await wanted.answer(ticket_table(f"tickets-{site_id}-{day}", shown.items))


@router.post(
    "",
    status_code=201,
    response_model=VisitView,
    summary="Let somebody wait who has no booking",
    dependencies=_COMMAND,
)
async def draw(body: WalkIn, call: OnceDep, desk: DeskDep) -> Response:
    """A card that lies here and expires soon, a certificate renewal, or a question."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await _drawn(unit, body, desk))

    return await call.once(_same(body, desk), command, location="/v1/tickets/{visit_id}")


@router.get("/{visit_id}", response_model=TicketView, summary="One ticket")
async def ticket(visit_id: VisitId, call: CallDep, request: Request) -> Response:
    """The place of a visit in the queue."""
    async with call.unit() as unit:
        found, standing = await tickets.read(unit, visit_id)
    return tagged(request, TicketView.of(found, standing), standing.version)


@router.post(
    "/{visit_id}:recall",
    response_model=VisitView,
    summary="Show the call once more",
    dependencies=_COMMAND,
)
async def recall(visit_id: VisitId, call: StepDep, body: Nothing | None = None) -> Response:
    """For a party that was called and has not come yet."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await queue.recall(unit, visit_id))

    return await step(call, body, command)


@router.post(
    "/{visit_id}:skip",
    response_model=VisitView,
    summary="Nobody came to the call",
    dependencies=_COMMAND,
)
async def skip(
    visit_id: VisitId, call: StepDep, desk: DeskDep, body: Nothing | None = None
) -> Response:
    """The party waits again, behind; after too many such calls it counts as having left."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await queue.skip(unit, visit_id, desk.queue))

    return await step(call, body, command)


@router.post(
    "/{visit_id}:transfer",
    response_model=VisitView,
    summary="Send the party on",
    dependencies=_COMMAND,
)
async def transfer(visit_id: VisitId, call: StepDep, body: SendOn | None = None) -> Response:
    """To another counter, or back to wait for any; it keeps its place among those who wait."""

    async def command(unit: Unit) -> VisitView:
        counter = body.counter if body else None
        return VisitView.of(await queue.transfer(unit, visit_id, counter))

    return await step(call, body, command)


@router.post(
    "/{visit_id}:leave",
    response_model=VisitView,
    summary="The party has left",
    dependencies=_COMMAND,
)
async def leave(visit_id: VisitId, call: StepDep, body: Nothing | None = None) -> Response:
    """What is open is abandoned; its bookings are used up by the visit."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await queue.leave(unit, visit_id))

    return await step(call, body, command)


@router.post(
    "/{visit_id}:done",
    response_model=VisitView,
    summary="A question was answered",
    dependencies=_COMMAND,
)
async def done(visit_id: VisitId, call: StepDep, body: Nothing | None = None) -> Response:
    """Ends a visit in which no case is open."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await queue.done(unit, visit_id))

    return await step(call, body, command)


async def _drawn(unit: Unit, body: WalkIn, desk: Desk) -> Visit:
    if body.notice_number is not None:
        keys = desk.index.number_keys(body.notice_number)
        return await check_in_notice(
            unit, body.site_id, keys, desk.grace, soon_days=desk.soon_days, need=body.need
        )
    if body.ward is not None:
        return await check_in_renewal(unit, body.site_id, body.ward, body.need)
    return await check_in_question(unit, body.site_id, body.need)


def _same(body: WalkIn, desk: Desk) -> dict[str, object]:
    """What makes two draws the same; a hash of a bare notice number could be guessed."""
    number = body.notice_number
    return {
        **body.model_dump(mode="json", exclude={"notice_number"}),
        "number_key": desk.index.number_key(number).value if number else None,
    }
