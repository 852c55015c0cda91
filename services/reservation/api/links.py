"""Links in mails. The token is sent in a body, never in an address, so that no log keeps it and no
scanner of mails can use it by looking.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reservation.api.bookings import BookingView
from services.reservation.api.citizen_desk import CitizenDeskDep
from services.reservation.api.desk import DeskDep
from services.reservation.api.sessions import Session, SessionCase
from services.reservation.domain.link import Purpose
from services.reservation.handlers import bookings, links, sessions
from shared.http.call import CallDep
from shared.ids import BookingId
from shared.security.citizen_tokens import LIFETIME
from shared.telemetry.tracing import current_traceparent

router = APIRouter(prefix="/v1", tags=["links"])


class LinkBody(BaseModel):
    """What follows the # of the link."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"token": "AAGV8sB7fH0OijxdLk9qe4wBlfLAe3x9DoosXS5Panuo"}]},
    )

    token: Annotated[str, Field(min_length=1, max_length=200)]


class LinkView(BaseModel):
    """What the link is for, and the booking as it is."""

    purpose: Purpose
    ref: UUID = Field(description="The booking; for `offer` the offer of the waiting list.")
    booking: BookingView | None


@router.post("/links:read", summary="What a link is for")
async def read_link(
    body: LinkBody, call: CallDep, desk: DeskDep, citizens: CitizenDeskDep, response: Response
) -> LinkView:
    """Any link of a mail; changes nothing. Audited."""
    response.headers["Cache-Control"] = "no-store"
    async with call.unit() as unit:
        opened = await links.open_(unit, citizens.tools, body.token, tuple(Purpose))
    booking = BookingView.of(opened.booking, desk.rules) if opened.booking else None
    return LinkView(purpose=opened.link.purpose, ref=opened.link.ref, booking=booking)


@router.post("/links:cancel", summary="Cancel by link")
async def cancel_by_link(
    body: LinkBody, call: CallDep, desk: DeskDep, citizens: CitizenDeskDep, response: Response
) -> BookingView:
    """A link for cancelling cancels its booking, until the same time as after login."""
    response.headers["Cache-Control"] = "no-store"
    async with call.unit() as unit:
        opened = await links.open_(unit, citizens.tools, body.token, (Purpose.CANCEL,))
    who = links.bearer(opened.link.case_id)
    async with call.resources.units.begin(who, traceparent=current_traceparent()) as unit:
        booking = await bookings.cancel(
            unit, BookingId(opened.link.ref), desk.rules, lambda _: None
        )
    return BookingView.of(booking, desk.rules)


@router.post("/sessions:link", summary="Log in by link", status_code=201)
async def open_by_link(
    body: LinkBody, call: CallDep, desk: DeskDep, citizens: CitizenDeskDep, response: Response
) -> Session:
    """A link for moving, answering or taking an offer opens a session for its one case."""
    response.headers["Cache-Control"] = "no-store"
    wanted = (Purpose.MOVE, Purpose.ANSWER, Purpose.OFFER)
    async with call.unit() as unit:
        opened = await links.open_(unit, citizens.tools, body.token, wanted)
        case_id = opened.link.case_id
        cases = await sessions.own(unit, [case_id], desk.rules)
    token = desk.tokens.issue(f"link:{case_id}", [case_id])
    left = token.expires_at - datetime.now(UTC)
    return Session(
        access_token=token.token,
        expires_in=min(round(left.total_seconds()), int(LIFETIME.total_seconds())),
        cases=[SessionCase.of(case) for case in cases],
    )
