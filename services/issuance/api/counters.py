"""Counters: open, pause, close, and call the next party."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response
from starlette.requests import Request

from services.issuance.api.bodies import CounterName, Nothing
from services.issuance.api.desk import DeskDep, refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.ticket_bodies import OpenFor
from services.issuance.api.ticket_views import CounterView, NextView
from services.issuance.api.views import VisitView
from services.issuance.domain.counter import CounterState
from services.issuance.handlers import counters, national_system, queue, tickets
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.http.etag import tagged
from shared.http.paging import Page, PageDep
from shared.unit import Unit

router = APIRouter(prefix="/v1/counters", tags=["counters"])
Name = Annotated[CounterName, Path(description="As the counter's sign says.")]
_COMMAND = [Depends(refuse_query)]
_ONE = "/{site_id}/{counter}"


@router.get("", summary="The counters of a site")
async def listed(
    call: CallDep, page: PageDep, site_id: Annotated[SiteRef, Query(description="The site.")]
) -> Page[CounterView]:
    """By name, with the party that is at each."""
    (after,) = page.after(tuple[str]) or ("",)
    async with call.unit() as unit:
        rows = await tickets.list_counters(unit, site_id, after, page.fetch)
    return page.page(rows, key=lambda row: (row.counter,), item=CounterView.of)


@router.get(_ONE, response_model=CounterView, summary="One counter")
async def counter_(site_id: SiteRef, counter: Name, call: CallDep, request: Request) -> Response:
    """What it does, whether it is open, and who is at it."""
    async with call.unit() as unit:
        found = await tickets.read_counter(unit, site_id, counter)
    # The party at it changes without the counter: it is part of the version.
    party = found.visit_id.int if found.visit_id else 0
    return tagged(request, CounterView.of(found), party << 64 | found.version)


@router.post(
    f"{_ONE}:open", response_model=CounterView, summary="Open a counter", dependencies=_COMMAND
)
async def open_counter(
    site_id: SiteRef, counter: Name, call: StepDep, body: OpenFor | None = None
) -> Response:
    """For these purposes; a counter that was open before may leave them out."""

    async def command(unit: Unit) -> CounterView:
        wanted = body.purposes if body else None
        return CounterView.of(await counters.open_counter(unit, site_id, counter, wanted))

    return await step(call, body, command)


@router.post(
    f"{_ONE}:pause", response_model=CounterView, summary="Pause a counter", dependencies=_COMMAND
)
async def pause(
    site_id: SiteRef, counter: Name, call: StepDep, body: Nothing | None = None
) -> Response:
    """Nobody else is called to it; parties that were sent to it go on waiting for it."""

    async def command(unit: Unit) -> CounterView:
        paused = await counters.become(unit, site_id, counter, CounterState.PAUSED)
        return CounterView.of(paused)

    return await step(call, body, command)


@router.post(
    f"{_ONE}:close", response_model=CounterView, summary="Close a counter", dependencies=_COMMAND
)
async def close(
    site_id: SiteRef, counter: Name, call: StepDep, body: Nothing | None = None
) -> Response:
    """Nobody else is called to it; parties that were sent to it wait for any other."""

    async def command(unit: Unit) -> CounterView:
        closed = await counters.become(unit, site_id, counter, CounterState.CLOSED)
        return CounterView.of(closed)

    return await step(call, body, command)


@router.post(
    f"{_ONE}:next", response_model=NextView, summary="Call the next party", dependencies=_COMMAND
)
async def call_next(
    site_id: SiteRef, counter: Name, call: StepDep, desk: DeskDep, body: Nothing | None = None
) -> Response:
    """By the rules of the queue. While a party is at the counter, it is the answer again; for whom
    the national system stands still, nobody is called.
    """

    async def command(unit: Unit) -> NextView:
        now = await national_system.read(unit.conn, site_id, unit.now, desk.national)
        visit = await queue.call_next(unit, site_id, counter, desk.queue, now.purposes)
        return NextView(counter=counter, visit=VisitView.of(visit) if visit else None)

    return await step(call, body, command)
