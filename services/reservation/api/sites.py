"""Sites: planned by the planner, seen by everybody."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.reservation.api.desk import DeskDep, PreconditionDep
from services.reservation.domain.closure import ClosureId
from services.reservation.domain.site import AsRead
from services.reservation.handlers import sites
from services.reservation.handlers.precondition import Precondition
from services.reservation.handlers.sites import Displaced, Settled
from shared.contracts.base import BusinessDate, SiteRef, WardRef
from shared.contracts.place import (
    Acceptance,
    Count,
    HoursException,
    OpeningHours,
    Site,
    SiteKind,
    SiteName,
    SiteState,
    Staffing,
)
from shared.errors import PreconditionFailed
from shared.http.call import CallDep
from shared.http.etag import etag, tagged
from shared.http.paging import Page, PageDep
from shared.ids import SiteId

router = APIRouter(prefix="/v1/sites", tags=["sites"])

SiteIdPath = Annotated[SiteRef, Path(examples=["kawasaki-ward-office"])]

_HOURS: list[JsonValue] = [
    {"weekday": "monday", "opens": "08:30", "closes": "17:00"},
    {"weekday": "saturday", "opens": "08:30", "closes": "12:30", "occurrences": [2, 4]},
]
EXAMPLE: dict[str, JsonValue] = {
    "name": {"ja": "川崎区役所", "en": "Kawasaki Ward Office"},
    "kind": "ward_office",
    "ward": "141313",
    "latitude": 35.529722,
    "longitude": 139.703889,
    "opens_on": "2026-04-01",
    "hours": _HOURS,
    "counters": 4,
    "terminals": 4,
    "acceptance": [{"procedure": "card_issuance", "wards": ["141313"]}],
}


_READ_ONLY = "As it was read, or left out: what is read may be sent back."


class SiteBody(BaseModel):
    """A site as its planner describes it; the whole of it, each time.

    Of what is read of it some is not theirs to describe; sent back as it was, it does not matter.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    name: SiteName
    kind: SiteKind
    ward: WardRef = Field(description="The ward it stands in, six digits.")
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    opens_on: BusinessDate = Field(description="First day of operation.")
    closes_on: BusinessDate | None = Field(None, description="Last day of operation.")
    open_on_holidays: bool = False
    hours: tuple[OpeningHours, ...] = Field((), max_length=100)
    exceptions: tuple[HoursException, ...] = Field((), max_length=1000)
    counters: Count
    terminals: Count
    staff: tuple[Staffing, ...] = Field((), max_length=500)
    acceptance: tuple[Acceptance, ...] = Field((), max_length=200)

    site_id: SiteRef | None = Field(None, description=_READ_ONLY)
    state: SiteState | None = Field(None, description=_READ_ONLY)
    selling: bool | None = Field(None, description=_READ_ONLY)
    version: int | None = Field(
        None, description="The version that was read: of any other this is refused (412)."
    )
    closure_id: ClosureId | None = Field(None, description="Does not matter.")

    def site(self, site_id: SiteId) -> Site:
        """The site it describes; its state is for others to say."""
        described = {name: value for name, value in self if name not in _NOT_DESCRIBED}
        return Site(site_id=site_id, state=SiteState.PLANNED, **described)

    def as_read(self) -> AsRead:
        """What it repeats of the site."""
        return AsRead(self.site_id, self.state, self.selling)

    def also(self, require: Precondition) -> Precondition:
        """``require``, and that the site is still what was read."""

        def both(version: int | None) -> None:
            require(version)
            if self.version is not None and self.version != version:
                raise PreconditionFailed

        return both


_NOT_DESCRIBED = frozenset({"site_id", "state", "selling", "version", "closure_id"})


class SiteView(Site):
    """A site as it is."""

    version: int
    """Counts its changes; the same as its ETag."""

    closure_id: ClosureId | None = None
    """What finds other seats for those whom this change displaced."""

    @classmethod
    def of(cls, settled: Settled) -> "SiteView":
        """The site with its version."""
        return cls(**dict(settled.site), version=settled.version, closure_id=settled.closure_id)


BookingsPolicy = Annotated[
    Displaced,
    Query(
        alias="bookings",
        description="What becomes of bookings for which there is no seat any more: `refuse` the "
        "change, or `move` them: a closure then offers their citizens other seats.",
    ),
]


@router.get("", summary="All sites")
async def list_sites(call: CallDep, page: PageDep) -> Page[SiteView]:
    """Sites by id, open or not."""
    async with call.unit() as unit:
        after = page.after(tuple[str]) or ("",)
        rows = await sites.list_(unit, after[0], page.fetch)
    return page.page(rows, key=lambda row: (row.site.site_id,), item=SiteView.of)


@router.get("/{site_id}", summary="One site", response_model=SiteView)
async def read_site(site_id: SiteIdPath, call: CallDep, request: Request) -> Response:
    """The whole site, with its ETag."""
    async with call.unit() as unit:
        found = await sites.read(unit, site_id)
    return tagged(request, SiteView.of(found), found.version)


@router.put(
    "/{site_id}",
    summary="Plan or change a site",
    responses={201: {"description": "The site is planned.", "model": SiteView}},
)
async def put_site(
    *,
    site_id: SiteIdPath,
    body: SiteBody,
    call: CallDep,
    desk: DeskDep,
    require: PreconditionDep,
    response: Response,
    policy: BookingsPolicy = Displaced.REFUSE,
) -> SiteView:
    """A new site is planned; an existing one takes this value and keeps its state.

    A site as it was read may be sent back, with its id, state and version: they must be as they
    are. Changing an open site makes its seats anew. A calendar with fewer seats than are booked is
    refused, or begins a closure (`bookings=move`): nobody loses a booking this way.
    """
    described = body.site(site_id)
    async with call.unit() as unit:
        settled = await sites.put(
            unit,
            described,
            desk.rules,
            body.also(require),
            policy=policy,
            as_read=body.as_read(),
        )
    response.status_code = 201 if settled.created else 200
    response.headers["ETag"] = etag(settled.version)
    return SiteView.of(settled)


@router.post("/{site_id}:open", summary="Open a site")
async def open_site(
    site_id: SiteIdPath, call: CallDep, desk: DeskDep, response: Response
) -> SiteView:
    """From now on its seats can be booked. Opening an open site changes nothing."""
    async with call.unit() as unit:
        settled = await sites.open_(unit, site_id, desk.rules)
    response.headers["ETag"] = etag(settled.version)
    return SiteView.of(settled)
