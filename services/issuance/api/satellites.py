"""Satellites: at headquarters their leases, at a satellite how far its journal was told."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from pydantic import ConfigDict
from starlette.requests import Request

from services.issuance.api.bodies import EXAMPLE_ID, Body, Nothing
from services.issuance.api.desk import refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import View
from services.issuance.domain.satellite import Satellite, SatelliteState, SatelliteUnknown
from services.issuance.handlers import satellites
from services.issuance.store import journal
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.ids import SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["satellites"])
_COMMAND = [Depends(refuse_query)]


class SetUp(Body):
    """A satellite that may serve by itself."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"site_id": "kawasaki-ward-office"}]})

    site_id: SiteRef
    """Its site."""


class Holder(Body):
    """Who asks for a lease."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"holder": EXAMPLE_ID}]})

    holder: UUID
    """The id of the satellite's database."""


class SatelliteView(View):
    """A satellite as headquarters know it."""

    site_id: SiteId
    state: SatelliteState
    """Away: its site is served there alone."""
    lease: int
    changed_at: datetime
    received_number: int
    """The last entry of its journal that was worked here."""
    received_at: datetime | None
    conflicts: int
    """Those that wait for a decision."""


class JournalView(View):
    """How far this satellite's journal was told."""

    site_id: SiteId
    lease: int
    is_leased: bool
    """Whether it may serve."""
    entries: int
    waiting: int
    """Entries that headquarters do not have yet."""
    oldest_at: datetime | None
    """The oldest of them."""
    told_through: int
    last_told_at: datetime | None
    said: str | None
    """Why the last try failed, or why there is no lease."""


@router.get("/satellites", summary="Satellites and how far they were heard")
async def listed(call: CallDep, page: PageDep) -> Page[SatelliteView]:
    """By site; those at the caller's sites."""
    (after,) = page.after(tuple[str]) or ("",)
    async with call.unit() as unit:
        found = await satellites.listed(unit, after, page.fetch)
    return page.page(found, key=lambda one: (one.site_id,), item=SatelliteView.model_validate)


@router.post(
    "/satellites",
    response_model=SatelliteView,
    summary="Set a satellite up",
    dependencies=_COMMAND,
)
async def set_up(body: SetUp, call: StepDep) -> Response:
    """From then on it may take its lease; setting it up again changes nothing while it is away."""

    async def command(unit: Unit) -> SatelliteView:
        return _view(await satellites.set_up(unit, body.site_id))

    return await step(call, body, command)


@router.post("/satellites/{site_id}:lease", summary="Take the lease", dependencies=_COMMAND)
async def lease(site_id: SiteRef, body: Holder, call: CallDep) -> SatelliteView:
    """By the satellite itself; asking again gives the same lease."""
    async with call.unit() as unit:
        return _view(await satellites.lease(unit, site_id, body.holder))


@router.post(
    "/satellites/{site_id}:take-back",
    response_model=SatelliteView,
    summary="Serve the site here again",
    dependencies=_COMMAND,
)
async def take_back(site_id: SiteRef, call: StepDep, body: Nothing | None = None) -> Response:
    """For a satellite that cannot serve any more; what it did is worked once it is heard again."""

    async def command(unit: Unit) -> SatelliteView:
        return _view(await satellites.take_back(unit, site_id))

    return await step(call, body, command)


@router.get("/journal", summary="At a satellite: how far its journal was told")
async def own_journal(call: CallDep, request: Request) -> JournalView:
    """Refused where this is no satellite."""
    site_id: SiteId | None = request.app.state.satellite
    if site_id is None:
        raise SatelliteUnknown
    call.principal.require_site(site_id)
    async with call.unit() as unit:
        here = await journal.belong(unit.conn, site_id)
        progress = await journal.progress(unit.conn)
    return JournalView(
        site_id=here.site_id,
        lease=here.lease,
        is_leased=here.is_valid,
        entries=progress.entries,
        waiting=progress.waiting,
        oldest_at=progress.oldest_at,
        told_through=progress.told_through,
        last_told_at=progress.last_told_at,
        said=here.said,
    )


def _view(satellite: Satellite) -> SatelliteView:
    return SatelliteView.model_validate(satellite)
