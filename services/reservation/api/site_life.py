"""The life of a site: prepared, wound down; and what a change would do to bookings."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.reservation.api.desk import DeskDep, PreconditionDep
from services.reservation.api.fields import Day
from services.reservation.api.sites import EXAMPLE, SiteBody, SiteIdPath, SiteView
from services.reservation.api.suspensions import SuspensionBody
from services.reservation.api.times import LocalInstant
from services.reservation.handlers import impact, site_life
from services.reservation.handlers.impact import Impact
from shared.contracts.base import Procedure
from shared.errors import RejectedValueError, Text
from shared.http.call import CallDep, OnceDep
from shared.http.etag import etag
from shared.ids import SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1/sites", tags=["life of a site"])


class WindDownBody(BaseModel):
    """Until when the site serves, and whether it sells seats until then."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"last_day": "2026-04-30"}]}
    )

    last_day: Day = Field(description="Today or later, within the site's period.")
    selling: bool = Field(
        True, description="Whether what is free until then stays on sale; `false`: no new bookings."
    )


class ImpactBody(BaseModel):
    """The change that is thought of: exactly one of the three."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"last_day": "2026-04-30"},
                {"site": EXAMPLE},
                {"suspension": {"ends_at": "2026-04-02T13:00:00+09:00", "reason": "outage"}},
            ]
        },
    )

    site: Annotated[SiteBody | None, Field(description="The site as it would be.")] = None
    last_day: Annotated[Day | None, Field(description="The site winds down.")] = None
    suspension: Annotated[
        SuspensionBody | None,
        Field(description="Procedures are suspended; of this site, whatever site_ids says."),
    ] = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.site, self.last_day, self.suspension)) != 1:
            raise RejectedValueError(
                Text(
                    "Name one of site, last_day and suspension.",
                    "site、last_day、suspension のうち1つだけを指定してください。",
                ),
                Text("Send the change itself.", "検討中の変更を1つ送信してください。"),
            )
        return self


class ImpactView(BaseModel):
    """What the change would do to bookings, as it stands now."""

    bookings: int = Field(description="Bookings that would lose their seats.")
    parties: int
    first: LocalInstant | None = Field(description="The earliest of them.")
    last: LocalInstant | None
    by_day: Mapping[date, int]
    by_procedure: Mapping[Procedure, int]
    offered_at: Mapping[SiteId, int] = Field(
        description="For how many a seat could be kept at which site."
    )
    without_alternative: int = Field(description="For how many none could be found.")
    alternatives_lost: int = Field(
        description="Seats kept here for bookings of other sites, which would need yet another."
    )

    @classmethod
    def of(cls, found: Impact) -> Self:
        """The impact as it is shown."""
        return cls.model_validate(found, from_attributes=True)


@router.post("/{site_id}:prepare", summary="Prepare a site")
async def prepare_site(
    site_id: SiteIdPath, call: CallDep, require: PreconditionDep, response: Response
) -> SiteView:
    """A planned site is being set up. Said again it changes nothing."""
    async with call.unit() as unit:
        settled = await site_life.prepare(unit, site_id, require)
    response.headers["ETag"] = etag(settled.version)
    return SiteView.of(settled)


@router.post(
    "/{site_id}:wind-down",
    summary="Wind a site down",
    status_code=201,
    response_model=SiteView,
    responses={201: {"headers": {"Location": {"schema": {"type": "string"}}}}},
)
async def wind_down_site(
    *,
    site_id: SiteIdPath,
    body: WindDownBody,
    call: OnceDep,
    desk: DeskDep,
    require: PreconditionDep,
) -> Response:
    """It sells nothing beyond `last_day`, serves until then, and closes.

    Bookings on later days are offered other seats; `Location` is the closure that does it.
    """

    async def command(unit: Unit) -> SiteView:
        return SiteView.of(
            await site_life.wind_down(
                unit, site_id, body.last_day, desk.rules, require, selling=body.selling
            )
        )

    return await call.once(body, command, location="/v1/closures/{closure_id}")


@router.post("/{site_id}:impact", summary="What a change would do to bookings")
async def preview_impact(
    site_id: SiteIdPath, body: ImpactBody, call: CallDep, desk: DeskDep
) -> ImpactView:
    """Changes nothing. The same is what the change does, unless somebody books in between."""
    async with call.unit() as unit:
        return ImpactView.of(await _impact(unit, site_id, body, desk))


async def _impact(unit: Unit, site_id: SiteId, body: ImpactBody, desk: DeskDep) -> Impact:
    if body.site is not None:
        return await impact.of_change(unit, body.site.site(site_id), desk.rules)
    if body.last_day is not None:
        return await impact.of_wind_down(unit, site_id, body.last_day, desk.rules)
    if body.suspension is None:
        raise ValueError("one of three is there: the model saw to it")
    return await impact.of_suspension(unit, site_id, body.suspension.order(unit), desk.rules)
