"""Parts of a site that are changed on their own: hours, dated exceptions, acceptance, staff."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.desk import DeskDep, PreconditionDep
from services.reservation.api.sites import BookingsPolicy, SiteIdPath, SiteView
from services.reservation.domain.rules import Rules
from services.reservation.handlers import sites
from services.reservation.handlers.precondition import Precondition
from services.reservation.handlers.sites import Displaced
from shared.contracts.place import Acceptance, Count, HoursException, OpeningHours, Staffing
from shared.http.call import Call, CallDep
from shared.http.etag import etag, tagged
from shared.ids import SiteId

router = APIRouter(prefix="/v1/sites/{site_id}", tags=["sites"])


class Hours(BaseModel):
    """Weekly opening hours; all of them, each time."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "hours": [{"weekday": "monday", "opens": "08:30", "closes": "17:00"}],
                    "open_on_holidays": False,
                }
            ]
        },
    )

    hours: tuple[OpeningHours, ...] = Field(max_length=100)
    open_on_holidays: bool = False


class Exceptions(BaseModel):
    """Days with other hours than their weekday's, or none; all of them, each time."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "exceptions": [
                        {"business_date": "2026-05-02", "opens": "09:00", "closes": "12:00"},
                        {"business_date": "2026-08-14"},
                    ]
                }
            ]
        },
    )

    exceptions: tuple[HoursException, ...] = Field(max_length=1000)


class Accepted(BaseModel):
    """Whom the site serves with what, and in which period."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "acceptance": [
                        {"procedure": "certificate_renewal"},
                        {
                            "procedure": "card_issuance",
                            "wards": ["141313"],
                            "from_date": "2026-04-01",
                        },
                    ]
                }
            ]
        },
    )

    acceptance: tuple[Acceptance, ...] = Field(max_length=200)


class Staff(BaseModel):
    """What limits the seats: counters, terminals, and staff by weekday and hour."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "counters": 4,
                    "terminals": 4,
                    "staff": [
                        {"weekday": "monday", "starts": "08:30", "ends": "17:00", "people": 3}
                    ],
                }
            ]
        },
    )

    counters: Count
    terminals: Count
    staff: tuple[Staffing, ...] = Field((), max_length=500)


Part = Hours | Exceptions | Accepted | Staff


async def _read(site_id: SiteIdPath, call: CallDep, request: Request, kind: type[Part]) -> Response:
    async with call.unit() as unit:
        found = await sites.read(unit, site_id)
    shown = {name: getattr(found.site, name) for name in kind.model_fields}
    return tagged(request, kind(**shown), found.version)


@router.get("/hours", summary="Opening hours", response_model=Hours)
async def read_hours(site_id: SiteIdPath, call: CallDep, request: Request) -> Response:
    """The weekly hours, with the site's ETag."""
    return await _read(site_id, call, request, Hours)


@router.get("/exceptions", summary="Dated exceptions", response_model=Exceptions)
async def read_exceptions(site_id: SiteIdPath, call: CallDep, request: Request) -> Response:
    """Days with other hours, with the site's ETag."""
    return await _read(site_id, call, request, Exceptions)


@router.get("/acceptance", summary="Acceptance", response_model=Accepted)
async def read_acceptance(site_id: SiteIdPath, call: CallDep, request: Request) -> Response:
    """Whom the site serves with what, with the site's ETag."""
    return await _read(site_id, call, request, Accepted)


@router.get("/staffing", summary="Counters, terminals and staff", response_model=Staff)
async def read_staffing(site_id: SiteIdPath, call: CallDep, request: Request) -> Response:
    """What limits the seats, with the site's ETag."""
    return await _read(site_id, call, request, Staff)


@dataclass(frozen=True, slots=True)
class Amend:
    """Replaces a part of the site of a request, under the ETag and the policy it names."""

    site_id: SiteId
    call: Call
    rules: Rules
    require: Precondition
    response: Response
    policy: Displaced

    async def by(self, part: Part) -> SiteView:
        """The site with ``part`` in place of what it had."""
        async with self.call.unit() as unit:
            settled = await sites.amend(
                unit, self.site_id, dict(part), self.rules, self.require, policy=self.policy
            )
        self.response.headers["ETag"] = etag(settled.version)
        return SiteView.of(settled)


async def _amend(
    *,
    site_id: SiteIdPath,
    call: CallDep,
    desk: DeskDep,
    require: PreconditionDep,
    response: Response,
    policy: BookingsPolicy = Displaced.REFUSE,
) -> Amend:
    return Amend(site_id, call, desk.rules, require, response, policy)


AmendDep = Annotated[Amend, Depends(_amend)]


@router.put("/hours", summary="Change the opening hours")
async def put_hours(body: Hours, amend: AmendDep) -> SiteView:
    """Replaces the weekly hours; an open site's seats are made anew."""
    return await amend.by(body)


@router.put("/exceptions", summary="Change the dated exceptions")
async def put_exceptions(body: Exceptions, amend: AmendDep) -> SiteView:
    """Replaces the days with other hours: extended hours, Saturdays, days of rest."""
    return await amend.by(body)


@router.put("/acceptance", summary="Change the acceptance")
async def put_acceptance(body: Accepted, amend: AmendDep) -> SiteView:
    """Replaces what the site does for whom. Bookings of others have to be moved."""
    return await amend.by(body)


@router.put("/staffing", summary="Scale a site up or down")
async def put_staffing(body: Staff, amend: AmendDep) -> SiteView:
    """Replaces counters, terminals and staff, while the site stays open."""
    return await amend.by(body)
