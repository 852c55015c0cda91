"""Visits: check in, look, call."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.issuance.api.bodies import CallTo, CheckIn
from services.issuance.api.desk import Desk, DeskDep, refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import VisitView
from services.issuance.domain.visit import Visit
from services.issuance.handlers import counter
from services.issuance.handlers.check_in import check_in_booking, check_in_notice
from services.issuance.handlers.reading import read_visit
from shared.http.call import CallDep, OnceDep
from shared.http.etag import tagged
from shared.ids import VisitId
from shared.unit import Unit

router = APIRouter(prefix="/v1/visits", tags=["visits"])


@router.post(
    "",
    status_code=201,
    response_model=VisitView,
    summary="Check a party in",
    dependencies=[Depends(refuse_query)],
)
async def check_in(body: CheckIn, call: OnceDep, desk: DeskDep) -> Response:
    """By booking the whole party is checked in; by notice number its party, or a walk-in, for
    whom something has to expire soon. ``code`` takes what was scanned.

    A case that cannot be served is deferred at once with its reason; where none can be served,
    the problem says what to do and nothing is recorded.
    """

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await _checked_in(unit, body, desk))

    return await call.once(_same(body, desk), command, location="/v1/visits/{visit_id}")


@router.get("/{visit_id}", response_model=VisitView, summary="One visit")
async def visit(visit_id: VisitId, call: CallDep, request: Request) -> Response:
    """The visit with its cases and the next step of each."""
    async with call.unit() as unit:
        found = await read_visit(unit, visit_id)
    return tagged(request, VisitView.of(found), found.version)


@router.post(
    "/{visit_id}:call",
    response_model=VisitView,
    summary="Call the party to a counter",
    dependencies=[Depends(refuse_query)],
)
async def call_party(visit_id: VisitId, body: CallTo, call: StepDep) -> Response:
    """Calling again to the same counter changes nothing; to another counter, moves the party."""

    async def command(unit: Unit) -> VisitView:
        return VisitView.of(await counter.call(unit, visit_id, body.counter))

    return await step(call, body, command)


async def _checked_in(unit: Unit, body: CheckIn, desk: Desk) -> Visit:
    named = body.named
    if isinstance(named, str):
        keys = desk.index.number_keys(named)
        return await check_in_notice(
            unit, body.site_id, keys, desk.grace, soon_days=desk.soon_days, need=body.need
        )
    return await check_in_booking(unit, body.site_id, named, desk.grace, body.need)


def _same(body: CheckIn, desk: Desk) -> dict[str, object]:
    """What makes two check-ins the same; a hash of a bare notice number could be guessed."""
    named = body.named
    number = named if isinstance(named, str) else None
    return {
        "site_id": body.site_id,
        "booking_id": None if number else named,
        "number_key": desk.index.number_key(number).value if number else None,
        **({"need": body.need} if body.need else {}),
    }
