"""Moving bookings: the new seats first, then the old ones go back, or everything stays."""

from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.bookings import PartyView
from services.reservation.api.citizen_desk import PER_SESSION
from services.reservation.api.desk import DeskDep, PreconditionDep
from services.reservation.api.fields import Moment
from services.reservation.handlers import moves, site_rules
from services.reservation.handlers.moves import Target
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.ids import BookingId

router = APIRouter(prefix="/v1/bookings", tags=["bookings"], dependencies=[PER_SESSION])


class MoveBody(BaseModel):
    """Where to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"site_id": "kawasaki-ward-office", "starts_at": "2026-04-08T10:00:00+09:00"}
            ]
        },
    )

    site_id: SiteRef
    starts_at: Moment = Field(description="One of the `starts_at` of the availability.")
    together: bool = Field(
        True, description="The whole party moves; false leaves the others where they are."
    )


@router.post("/{booking_id}:move", summary="Move a booking and its party")
async def move_booking(
    booking_id: BookingId,
    body: Annotated[MoveBody, Body()],
    call: CallDep,
    desk: DeskDep,
    require: PreconditionDep,
) -> PartyView:
    """Until the same time as cancelling. Sending it again changes nothing more.

    409 `slot-taken` where the new time is full: then the booking stays where it is. Staff need
    both sites.
    """
    target = Target(body.site_id, body.starts_at, together=body.together)
    async with call.unit() as unit:
        made = await moves.move(unit, booking_id, target, desk.rules, require)
        own = await site_rules.of_bookings(unit, made, desk.rules)
    return PartyView.of(made, own)
