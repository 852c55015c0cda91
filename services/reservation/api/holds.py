"""Holds: a seat kept for one session while the form is filled."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.reservation.api.bookings import BookingBody, PartyView
from services.reservation.api.citizen_desk import PER_SESSION, spend_change
from services.reservation.api.desk import DeskDep, desk_of
from services.reservation.api.times import LocalInstant
from services.reservation.domain.hold import Hold, HoldId, HoldState
from services.reservation.handlers import holds
from services.reservation.handlers.parties import Request as Party
from shared.http.call import Call, CallDep, OnceDep
from shared.http.direct import straight
from shared.http.paging import Page
from shared.ids import CaseId, PartyId, SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1/holds", tags=["holds"], dependencies=[PER_SESSION])


class HoldView(BaseModel):
    """Seats held for a party."""

    hold_id: HoldId
    case_ids: list[CaseId]
    site_id: SiteId
    starts_at: LocalInstant
    minutes: list[int] = Field(description="Time planned for each case, in their order.")
    state: HoldState
    expires_at: LocalInstant = Field(description="Confirm before, or the seat returns.")
    party_id: PartyId | None = Field(description="What it became, once confirmed.")

    @classmethod
    def of(cls, hold: Hold, now: datetime) -> "HoldView":
        """The hold as it is shown at ``now``."""
        return cls(
            hold_id=hold.hold_id,
            case_ids=list(hold.case_ids),
            site_id=hold.site_id,
            starts_at=hold.starts_at,
            minutes=list(hold.minutes),
            state=hold.state_at(now),
            expires_at=hold.expires_at,
            party_id=hold.party_id,
        )


async def place_hold(body: BookingBody, call: OnceDep, desk: DeskDep) -> Response:
    """A seat for every case of the party, kept for ten minutes, or for none of them.

    One hold per session: holding something else lets the first go once the new seats are there.
    Holding the same again gives the hold there is, and makes it no longer.
    """

    async def command(unit: Unit) -> HoldView:
        party = Party(body.case_ids, body.site_id, body.starts_at)
        return HoldView.of(await holds.place(unit, party, desk.rules), unit.now)

    return await call.once(body, command, location="/v1/holds/{hold_id}")


async def _hold_straight(call: Call, body: BookingBody) -> Response:
    await spend_change(call)
    return await place_hold(body, call, await desk_of(call.request))


router.add_api_route(
    "",
    place_hold,
    methods=["POST"],
    summary="Hold seats",
    status_code=201,
    response_model=HoldView,
    responses={201: {"headers": {"Location": {"schema": {"type": "string"}}}}},
    route_class_override=straight(BookingBody, _hold_straight),
)


@router.get("", summary="What this session holds")
async def own_holds(call: CallDep) -> Page[HoldView]:
    """The hold of whoever asks, if there is one that has not ended."""
    async with call.unit() as unit:
        hold = await holds.own(unit)
        items = [HoldView.of(hold, unit.now)] if hold else []
    return Page(items=items, next_cursor=None)


@router.get("/{hold_id}", summary="One hold")
async def read_hold(hold_id: HoldId, call: CallDep) -> HoldView:
    """For a day after its end one can see what became of it. Reading it is audited."""
    async with call.unit() as unit:
        return HoldView.of(await holds.read(unit, hold_id), unit.now)


@router.delete("/{hold_id}", summary="Give a hold up", status_code=204)
async def release_hold(hold_id: HoldId, call: CallDep, desk: DeskDep) -> None:
    """Its seats return after a random delay. Giving up an ended hold changes nothing."""
    async with call.unit() as unit:
        await holds.release(unit, hold_id, desk.rules)


@router.post("/{hold_id}:confirm", summary="Book what is held")
async def confirm_hold(hold_id: HoldId, call: CallDep, desk: DeskDep) -> PartyView:
    """Makes the bookings. Confirming again gives the same bookings.

    409 `hold-ended` where it ran out, was given up, or its seat was taken off the calendar.
    """
    async with call.unit() as unit:
        confirmed = await holds.confirm(unit, hold_id, desk.rules)
    return PartyView.of(confirmed.bookings, confirmed.own)
