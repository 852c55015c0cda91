"""Bookings, made by citizens for their own cases and by staff at their sites on behalf."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.citizen_desk import PER_SESSION, spend_change
from services.reservation.api.desk import DeskDep, PreconditionDep
from services.reservation.api.fields import Moment
from services.reservation.api.times import LocalInstant
from services.reservation.domain.booking import Booking, BookingState
from services.reservation.domain.rules import Rules
from services.reservation.handlers import bookings, site_rules, together
from services.reservation.handlers.bookings import Request as Party
from services.reservation.tools import Tools
from shared.calendar import business_date
from shared.contracts.base import Procedure, SiteRef
from shared.contracts.reservation import CancelReason
from shared.errors import Problem
from shared.http.call import Call, CallDep, OnceDep
from shared.http.direct import straight
from shared.http.etag import etag, tagged
from shared.http.groups import Groups
from shared.http.resources import Resources
from shared.ids import BookingId, CaseId, PartyId, SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1/bookings", tags=["bookings"], dependencies=[PER_SESSION])

_CASE = "0195f2c0-7b7c-7d0e-8a3c-5d2e4f6a7b8c"


class BookingBody(BaseModel):
    """A party that wants to be served together."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "case_ids": [_CASE],
                    "site_id": "kawasaki-ward-office",
                    "starts_at": "2026-04-08T09:00:00+09:00",
                }
            ]
        },
    )

    case_ids: Annotated[tuple[CaseId, ...], Field(min_length=1, max_length=20)]
    site_id: SiteRef
    starts_at: Moment = Field(description="One of the `starts_at` of the availability.")


class BookingView(BaseModel):
    """The booking of one case."""

    booking_id: BookingId
    case_id: CaseId
    party_id: PartyId = Field(description="Shared by the cases that come together.")
    site_id: SiteId
    starts_at: LocalInstant
    ends_at: LocalInstant
    minutes: int
    procedure: Procedure
    state: BookingState
    reason: CancelReason | None = Field(description="Why it was cancelled.")
    changeable_until: LocalInstant = Field(description="Until when the citizen may cancel.")
    version: int = Field(description="Counts its changes; the same as its ETag.")

    @classmethod
    def of(cls, booking: Booking, rules: Rules) -> "BookingView":
        """The booking as it is shown."""
        return cls(
            booking_id=booking.booking_id,
            case_id=booking.case_id,
            party_id=booking.party_id,
            site_id=booking.site_id,
            starts_at=booking.starts_at,
            ends_at=booking.starts_at + timedelta(minutes=booking.minutes),
            minutes=booking.minutes,
            procedure=booking.procedure,
            state=booking.state,
            reason=booking.reason,
            changeable_until=rules.change_deadline(business_date(booking.starts_at)),
            version=booking.version,
        )


class PartyView(BaseModel):
    """What was booked: one booking per case."""

    party_id: PartyId
    site_id: SiteId
    starts_at: LocalInstant
    bookings: list[BookingView]

    @classmethod
    def of(cls, made: Sequence[Booking], own: Mapping[BookingId, Rules]) -> "PartyView":
        """The bookings of one party as they are shown, by the rules that hold for each."""
        return cls(
            party_id=made[0].party_id,
            site_id=made[0].site_id,
            starts_at=made[0].starts_at,
            bookings=[BookingView.of(booking, own[booking.booking_id]) for booking in made],
        )


def booking_groups(resources: Resources, rules: Rules, tools: Tools) -> Groups[Party]:
    """What makes bookings in this process: those asked for at the same time share a unit."""

    async def command(
        unit: Unit, wishes: Sequence[tuple[Unit, Party]]
    ) -> Sequence[PartyView | Problem]:
        outcomes = await together.book_all(unit, wishes, rules, tools)
        made = [one for each in outcomes if not isinstance(each, Problem) for one in each]
        own = await site_rules.of_bookings(unit, made, rules) if made else {}
        return [
            outcome if isinstance(outcome, Problem) else PartyView.of(outcome, own)
            for outcome in outcomes
        ]

    return Groups(resources.units, command, apart=lambda party: party.case_ids, room=resources.room)


async def _groups(request: Request) -> Groups[Party]:
    groups: Groups[Party] = request.app.state.booking_groups
    return groups


GroupsDep = Annotated[Groups[Party], Depends(_groups)]


async def book(body: BookingBody, call: OnceDep, groups: GroupsDep) -> Response:
    """All cases of the party get a seat at the same time, or none does.

    Refused with 409 where a case cannot be booked now or the last seat is gone (`slot-taken`), with
    422 where site, day or time do not fit the case.
    """
    party = Party(body.case_ids, body.site_id, body.starts_at)
    location = "/v1/bookings/{bookings[0][booking_id]}"
    return await call.together(body, groups, party, location=location)


async def _book_straight(call: Call, body: BookingBody) -> Response:
    await spend_change(call)
    return await book(body, call, await _groups(call.request))


router.add_api_route(
    "",
    book,
    methods=["POST"],
    summary="Book",
    status_code=201,
    response_model=PartyView,
    responses={201: {"headers": {"Location": {"schema": {"type": "string"}}}}},
    route_class_override=straight(BookingBody, _book_straight),
)


@router.get("/{booking_id}", summary="One booking", response_model=BookingView)
async def read_booking(
    booking_id: BookingId, call: CallDep, desk: DeskDep, request: Request
) -> Response:
    """The booking with its ETag. Reading it is audited."""
    async with call.unit() as unit:
        booking = await bookings.find(unit, booking_id)
        own = await site_rules.of_bookings(unit, [booking], desk.rules)
    return tagged(request, BookingView.of(booking, own[booking_id]), booking.version)


@router.post("/{booking_id}:cancel", summary="Cancel a booking")
async def cancel_booking(
    booking_id: BookingId,
    call: CallDep,
    desk: DeskDep,
    require: PreconditionDep,
    response: Response,
) -> BookingView:
    """Citizens cancel until 17:00 of the day before, staff until the visit begins.

    The seat comes back after a random delay. Cancelling a cancelled booking changes nothing. From
    the day after, where no site has said who came, the booking ends as `missed`, and the case can
    be booked again.
    """
    async with call.unit() as unit:
        booking = await bookings.cancel(unit, booking_id, desk.rules, require)
        own = await site_rules.of_bookings(unit, [booking], desk.rules)
    response.headers["ETag"] = etag(booking.version)
    return BookingView.of(booking, own[booking_id])
