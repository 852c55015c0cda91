"""The pace of notices: seen, changed, and followed."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from services.preparation.api.notices import BatchMade, made_out
from services.preparation.api.parts import TellingDep, ToolsDep, as_json
from services.preparation.domain.pace import Pace
from services.preparation.handlers import pace
from services.preparation.handlers.pace import PaceView
from shared.contracts.base import SiteRef
from shared.http.call import CallDep, OnceDep
from shared.http.etag import IfMatch, etag, require_match
from shared.ids import SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1/notices", tags=["notices"])

_SITE = "kawasaki-ward-office"


class PaceIn(BaseModel):
    """How fast the notices of a site's cards go out."""

    model_config = ConfigDict(
        extra="forbid",
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {"share": 100, "window_days": 28, "daily_limit": 300, "automatic": True},
            ]
        },
    )

    share: Annotated[int, Field(ge=0, le=200)] = Field(
        100, description="Percent of the free seats that may be invited."
    )
    window_days: Annotated[int, Field(ge=1, le=366)] = Field(
        28, description="How far ahead free seats count, in days."
    )
    daily_limit: Annotated[int, Field(ge=0)] | None = Field(None, description="Notices a day.")
    automatic: bool = Field(False, description="Let notices go out by themselves each morning.")


class PaceOut(PaceIn):
    """The pace of a site and what stands against it."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)

    site_id: SiteId = Field(examples=[_SITE])
    free_seats: int = Field(description="Seats free in the window, as last published.")
    invited: int = Field(description="Citizens who have a notice and no booking yet.")
    sent_today: int
    waiting: int = Field(description="Cards on its shelves that wait for their notice.")
    allowance: int = Field(description="Notices that may go out now.")


class Paces(BaseModel):
    """All sites where cards lie."""

    items: list[PaceOut]


class Next(BaseModel):
    """Whose turn it is at a site."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"site_id": _SITE, "limit": 100}]}
    )

    site_id: SiteRef
    limit: Annotated[int, Field(ge=1, le=pace.BATCH)] | None = Field(
        None, description="At most so many; never more than the pace allows."
    )


@router.get("/paces")
async def list_paces(call: CallDep) -> Paces:
    """How fast notices go out, site by site, and how many may go out now."""
    async with call.unit() as unit:
        return Paces(items=[_pace_out(one) for one in await pace.list_paces(unit)])


@router.get("/paces/{site_id}", response_model=PaceOut)
async def one_pace(call: CallDep, site_id: SiteRef) -> Response:
    """The pace of one site, with its version as ETag (`"0"` where nobody has set one)."""
    async with call.unit() as unit:
        found = await pace.view(unit, site_id)
    return _tagged(found)


@router.put("/paces/{site_id}", response_model=PaceOut)
async def set_pace(
    call: CallDep, site_id: SiteRef, body: PaceIn, if_match: IfMatch = None
) -> Response:
    """Change the pace of a site; once it was set, with `If-Match`."""

    def check(version: int) -> None:
        if version:
            require_match(if_match, version)

    wanted = Pace(body.share, body.window_days, body.daily_limit, body.automatic)
    async with call.unit() as unit:
        found = await pace.set_pace(unit, site_id, wanted, check)
    return _tagged(found)


@router.post("/next", status_code=201, response_model=BatchMade)
async def make_next(call: OnceDep, tools: ToolsDep, body: Next, telling: TellingDep) -> Response:
    """Notify those whose turn it is: first who is near expiry, then who waits longest.

    No more than the pace of the site allows, so that everybody invited can find a free seat.
    """

    async def command(unit: Unit) -> Mapping[str, Any]:
        return made_out(await pace.make_next(unit, tools, body.site_id, body.limit), telling)

    return await call.once(body, command, location="/v1/notices/{batch_id}")


def _tagged(found: PaceView) -> Response:
    return as_json(_pace_out(found), headers={"ETag": etag(found.site.version)})


def _pace_out(found: PaceView) -> PaceOut:
    set_by_people, demand = found.site.pace, found.demand
    return PaceOut(
        share=set_by_people.share,
        window_days=set_by_people.window_days,
        daily_limit=set_by_people.daily_limit,
        automatic=set_by_people.automatic,
        site_id=found.site.site_id,
        free_seats=demand.free_seats,
        invited=demand.invited,
        sent_today=demand.sent_today,
        waiting=found.waiting,
        allowance=found.allowance,
    )
