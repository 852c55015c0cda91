"""What a site decides otherwise than its city, procedure by procedure."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.desk import DeskDep, PreconditionDep
from services.reservation.api.sites import SiteIdPath
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import Overrides, under
from services.reservation.handlers import ruling, site_rules
from services.reservation.store.site_rules import StoredOverrides
from shared.contracts.base import Procedure
from shared.http.call import CallDep
from shared.http.etag import etag, tagged
from shared.ids import SiteId

router = APIRouter(prefix="/v1/sites/{site_id}/rules", tags=["sites"])

ProcedurePath = Annotated[Procedure, Path(examples=["card_issuance"])]


class RulesBody(Overrides):
    """The rules of this site; what is left out, or null, is the city's."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "horizon_days": 30,
                    "released_at": "09:00",
                    "kept_call_centre": 1,
                    "call_centre_released_days": 3,
                    "kept_walk_in": 1,
                    "walk_in_released_days": 1,
                }
            ]
        },
    )


class InForce(BaseModel):
    """The rules that hold here: the site's, and the city's where the site has none."""

    horizon_days: int
    released_at: str
    change_until: str
    minutes: int
    transfer_business_days: int
    return_within_minutes: int
    hold_minutes: int
    offer_minutes: int
    kept_call_centre: int
    call_centre_released_days: int
    kept_walk_in: int
    walk_in_released_days: int
    lateness_minutes: int

    @classmethod
    def of(cls, rules: Rules, procedure: Procedure) -> "InForce":
        """``rules`` as they are shown for ``procedure``; durations in minutes."""
        return cls(
            horizon_days=rules.horizon_days,
            released_at=rules.released_at.isoformat(timespec="minutes"),
            change_until=rules.change_until.isoformat(timespec="minutes"),
            minutes=rules.minutes[procedure],
            transfer_business_days=rules.transfer_business_days,
            return_within_minutes=int(rules.return_within.total_seconds() // 60),
            hold_minutes=int(rules.hold_for.total_seconds() // 60),
            offer_minutes=int(rules.offer_for.total_seconds() // 60),
            kept_call_centre=rules.kept_call_centre,
            call_centre_released_days=rules.call_centre_released_days,
            kept_walk_in=rules.kept_walk_in,
            walk_in_released_days=rules.walk_in_released_days,
            lateness_minutes=int(rules.lateness.total_seconds() // 60),
        )


class RulesView(BaseModel):
    """The rules of one site for one procedure."""

    site_id: SiteId
    procedure: Procedure
    version: int = Field(description="Counts the changes; 0 where the city's rules hold alone.")
    own: Overrides = Field(description="What the site decides; null where the city's rule holds.")
    in_force: InForce

    @classmethod
    def of(
        cls, site_id: SiteId, procedure: Procedure, stored: StoredOverrides, city: Rules
    ) -> "RulesView":
        """The rules as they are shown."""
        in_force = InForce.of(under(city, procedure, stored.overrides), procedure)
        return cls(
            site_id=site_id,
            procedure=procedure,
            version=stored.version,
            own=stored.overrides,
            in_force=in_force,
        )


@router.get("/{procedure}", summary="Rules of a site", response_model=RulesView)
async def read_rules(
    site_id: SiteIdPath, procedure: ProcedurePath, call: CallDep, desk: DeskDep, request: Request
) -> Response:
    """What the site decides for a procedure, and what holds there, with the ETag."""
    async with call.unit() as unit:
        stored = await site_rules.read(unit, site_id, procedure)
    view = RulesView.of(site_id, procedure, stored, desk.rules)
    return tagged(request, view, stored.version)


@router.put("/{procedure}", summary="Change the rules of a site")
async def put_rules(
    *,
    site_id: SiteIdPath,
    procedure: ProcedurePath,
    body: RulesBody,
    call: CallDep,
    desk: DeskDep,
    require: PreconditionDep,
    response: Response,
) -> RulesView:
    """Replaces all rules of the site for this procedure, from the next booking on.

    What is booked keeps its time and its length. Other rooms hear of another lateness, and of the
    seats where visits take another time.
    """
    own = Overrides(**dict(body))
    async with call.unit() as unit:
        stored = await ruling.put(unit, site_id, procedure, own, require, rules=desk.rules)
    response.headers["ETag"] = etag(stored.version)
    return RulesView.of(site_id, procedure, stored, desk.rules)
