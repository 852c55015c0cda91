"""The national system as it stands at a site: read only, and what to do with whom it has caught."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import ConfigDict

from services.issuance.api.bodies import Body
from services.issuance.api.desk import DeskDep, refuse_query
from services.issuance.api.repeats import StepDep, step
from services.issuance.api.views import View, VisitView
from services.issuance.domain.checklist import Step
from services.issuance.domain.national_system import (
    Standing,
    StopReason,
    Suspension,
    Then,
    may_still,
)
from services.issuance.handlers import national_system
from shared.contracts.base import Procedure, SiteRef
from shared.contracts.site import SuspensionReason
from shared.http.call import CallDep
from shared.ids import SiteId, SuspensionId, VisitId
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["national system"])
_COMMAND = [Depends(refuse_query)]


class Interruption(Body):
    """What becomes of visits that the stop has caught."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"then": "wait"}]})

    then: Then
    """Wait: back into the queue, called once it goes on. Rebook: they come another day."""


class ProcedureView(View):
    """What can be done of a procedure."""

    procedure: Procedure
    can_be_done: bool
    reason: StopReason | None
    """Why it stands still."""
    until: datetime | None
    """Until when; none while nobody knows."""
    may_still: tuple[Step, ...]
    """The steps that need no system."""


class SuspensionView(View):
    """An interruption that goes on or is announced."""

    suspension_id: SuspensionId
    procedures: tuple[Procedure, ...]
    starts_at: datetime
    ends_at: datetime | None
    reason: SuspensionReason

    @classmethod
    def of(cls, one: Suspension) -> "SuspensionView":
        """The view of ``one``."""
        return cls(
            suspension_id=one.suspension_id,
            procedures=tuple(sorted(one.procedures)),
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            reason=one.reason,
        )


class NationalSystemView(View):
    """The system at a site, now."""

    site_id: SiteId
    at: datetime
    stops_at: datetime
    """When it stops today."""
    procedures: tuple[ProcedureView, ...]
    suspensions: tuple[SuspensionView, ...]

    @classmethod
    def of(cls, found: Standing, ahead: tuple[SuspensionView, ...]) -> "NationalSystemView":
        """The view of ``found``."""
        return cls(
            site_id=found.site_id,
            at=found.at,
            stops_at=found.stops_at,
            procedures=tuple(_procedure(found, procedure) for procedure in Procedure),
            suspensions=ahead,
        )


class InterruptedView(View):
    """The visits that the stop has caught."""

    visits: tuple[VisitView, ...]


@router.get("/national-system", summary="What the national system allows now")
async def read(
    call: CallDep, desk: DeskDep, site_id: Annotated[SiteRef, Query(description="The site.")]
) -> NationalSystemView:
    """Its daily stop, its rest days, and the suspensions that reservation has told of."""
    async with call.unit() as unit:
        found = await national_system.read(unit.conn, site_id, unit.now, desk.national)
        ahead = await national_system.ahead(unit, site_id)
    return NationalSystemView.of(found, tuple(SuspensionView.of(one) for one in ahead))


@router.post(
    "/visits/{visit_id}:interrupt",
    response_model=VisitView,
    summary="Let a visit wait, or come again",
    dependencies=_COMMAND,
)
async def interrupt(
    visit_id: VisitId, body: Interruption, call: StepDep, desk: DeskDep
) -> Response:
    """For a visit that the stop has caught; what was noted of it stays noted."""

    async def command(unit: Unit) -> VisitView:
        found = await national_system.interrupt(unit, visit_id, body.then, desk.national)
        return VisitView.of(found)

    return await step(call, body, command)


@router.post(
    "/sites/{site_id}/day:interrupt",
    response_model=InterruptedView,
    summary="Let all who are caught wait, or come again",
    dependencies=_COMMAND,
)
async def interrupt_all(
    site_id: SiteRef, body: Interruption, call: StepDep, desk: DeskDep
) -> Response:
    """For every visit of today that waits or is served; citizens are told by the events."""

    async def command(unit: Unit) -> InterruptedView:
        found = await national_system.interrupt_site(unit, site_id, body.then, desk.national)
        return InterruptedView(visits=tuple(VisitView.of(visit) for visit in found))

    return await step(call, body, command)


def _procedure(found: Standing, procedure: Procedure) -> ProcedureView:
    stop = found.stops.get(procedure)
    return ProcedureView(
        procedure=procedure,
        can_be_done=stop is None,
        reason=stop.reason if stop else None,
        until=stop.until if stop else None,
        may_still=tuple(may_still(procedure)),
    )
