"""Suspensions of the national system: begun and ended by one command for some sites or all."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.desk import DeskDep
from services.reservation.api.fields import Moment
from services.reservation.api.times import LocalInstant
from services.reservation.domain.closure import Closure, ClosureId
from services.reservation.domain.national_system import Policy, Suspension
from services.reservation.handlers import suspensions
from services.reservation.handlers.suspensions import Order
from shared.contracts.base import Procedure, SiteRef
from shared.contracts.site import SuspensionReason
from shared.http.call import CallDep, OnceDep
from shared.http.paging import Page, PageDep
from shared.ids import SiteId, SuspensionId
from shared.unit import Unit

router = APIRouter(prefix="/v1/suspensions", tags=["suspensions"])

Sites = Annotated[tuple[SiteRef, ...], Field(min_length=1, max_length=100)]


class SuspensionBody(BaseModel):
    """What stops, where, from when, and what becomes of bookings."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "site_ids": ["kawasaki-ward-office"],
                    "procedures": ["card_issuance", "certificate_renewal"],
                    "ends_at": "2026-04-02T13:00:00+09:00",
                    "reason": "outage",
                    "bookings": "move",
                }
            ]
        },
    )

    site_ids: Sites | None = Field(None, description="Left out: every site in service.")
    procedures: Annotated[tuple[Procedure, ...], Field(min_length=1)] = tuple(Procedure)
    starts_at: Moment | None = Field(None, description="Left out: now.")
    ends_at: Moment | None = Field(None, description="Left out: nobody knows yet.")
    reason: SuspensionReason
    bookings: Policy = Field(Policy.MOVE, description="Offer other seats, or let them stand.")

    def order(self, unit: Unit) -> Order:
        """What it commands."""
        return Order(
            site_ids=self.site_ids,
            procedures=frozenset(self.procedures),
            starts_at=self.starts_at or unit.now,
            ends_at=self.ends_at,
            reason=self.reason,
            bookings=self.bookings,
        )


class ResumeBody(BaseModel):
    """Where it is over."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"site_ids": ["kawasaki-ward-office"]}]}
    )

    site_ids: Sites | None = Field(None, description="Left out: at every site of it.")


class SuspendedSite(BaseModel):
    """One site of a suspension."""

    site_id: SiteId
    resumed_at: LocalInstant | None = Field(description="Null while it lasts.")
    closure_id: ClosureId | None = Field(description="What finds other seats; null: they stand.")


class SuspensionView(BaseModel):
    """A suspension with all its sites."""

    suspension_id: SuspensionId
    procedures: list[Procedure]
    starts_at: LocalInstant
    ends_at: LocalInstant | None
    reason: SuspensionReason
    bookings: Policy
    commanded_at: LocalInstant
    sites: list[SuspendedSite]

    @classmethod
    def of(cls, found: list[Suspension], begun: list[Closure]) -> "SuspensionView":
        """The suspension as it is shown."""
        one, of_site = found[0], {closure.site_id: closure.closure_id for closure in begun}
        return cls(
            suspension_id=one.suspension_id,
            procedures=sorted(one.procedures),
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            reason=one.reason,
            bookings=one.bookings,
            commanded_at=one.commanded_at,
            sites=[
                SuspendedSite(
                    site_id=each.site_id,
                    resumed_at=each.resumed_at,
                    closure_id=of_site.get(each.site_id),
                )
                for each in found
            ],
        )


async def _view(unit: Unit, found: list[Suspension]) -> SuspensionView:
    return SuspensionView.of(found, await suspensions.closures_of(unit, found[0].suspension_id))


@router.post(
    "",
    summary="Suspend procedures",
    status_code=201,
    response_model=SuspensionView,
    responses={201: {"headers": {"Location": {"schema": {"type": "string"}}}}},
)
async def suspend(body: SuspensionBody, call: OnceDep, desk: DeskDep) -> Response:
    """From now on nothing is booked into it; bookings in it are offered other seats, or stand."""

    async def command(unit: Unit) -> SuspensionView:
        return await _view(unit, await suspensions.suspend(unit, body.order(unit), desk.rules))

    return await call.once(body, command, location="/v1/suspensions/{suspension_id}")


@router.get("", summary="Suspensions")
async def list_suspensions(
    call: CallDep,
    page: PageDep,
    running: Annotated[bool, Query(description="Only those that last, or lie ahead.")] = False,
) -> Page[SuspensionView]:
    """Suspensions, the oldest first."""
    async with call.unit() as unit:
        after = page.after(tuple[SuspensionId]) or (None,)
        found = await suspensions.page(unit, after[0], page.fetch, running_only=running)
        views = [await _view(unit, one) for one in found]
    return page.page(views, key=lambda view: (view.suspension_id,), item=lambda view: view)


@router.get("/{suspension_id}", summary="One suspension")
async def read_suspension(suspension_id: SuspensionId, call: CallDep) -> SuspensionView:
    """The suspension with its sites."""
    async with call.unit() as unit:
        return await _view(unit, await suspensions.read(unit, suspension_id))


@router.post("/{suspension_id}:resume", summary="Resume")
async def resume(
    suspension_id: SuspensionId, call: CallDep, desk: DeskDep, body: ResumeBody | None = None
) -> SuspensionView:
    """It is over: seats are sold again, and whoever has not moved keeps the old seat.

    Without a body at every site of it. Said again it changes nothing.
    """
    site_ids = body.site_ids if body else None
    async with call.unit() as unit:
        ended = await suspensions.resume(unit, suspension_id, site_ids, desk.rules)
        return await _view(unit, ended)
