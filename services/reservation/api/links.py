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
from services.reservation.api.desk import Desk, DeskDep
from services.reservation.api.sessions import Session, SessionCase
from services.reservation.domain.booking import Booking
from services.reservation.domain.link import LINK, Purpose
from services.reservation.handlers import bookings, links, sessions, site_rules
from shared.http.call import CallDep
from shared.ids import BookingId
from shared.security.citizen_tokens import LIFETIME
from shared.telemetry.tracing import current_traceparent
from shared.unit import Unit

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
    booking: BookingView | None = Field(description="Null for an offer of the waiting list.")
    waitlist_id: UUID | None = Field(description="For an offer: the place on the waiting list.")


@router.post("/links:read", summary="What a link is for")
async def read_link(
    body: LinkBody, call: CallDep, desk: DeskDep, citizens: CitizenDeskDep, response: Response
) -> LinkView:
    """Any link of a mail; changes nothing. Audited."""
    response.headers["Cache-Control"] = "no-store"
    async with call.unit() as unit:
        opened = await links.open_(unit, citizens.tools, body.token, tuple(Purpose))
        shown = await _shown(unit, opened.booking, desk) if opened.booking else None
    waitlist_id = opened.entry.entry_id if opened.entry else None
    return LinkView(purpose=opened.link.purpose, booking=shown, waitlist_id=waitlist_id)


@router.post("/links:cancel", summary="Cancel by link")
async def cancel_by_link(
    body: LinkBody, call: CallDep, desk: DeskDep, citizens: CitizenDeskDep, response: Response
) -> BookingView:
    """A link for cancelling cancels its booking, until the same time as after login. Used again, it
    changes nothing.
    """
    response.headers["Cache-Control"] = "no-store"
    async with call.unit() as unit:
        cancels = (Purpose.CANCEL,)
        opened = await links.open_(unit, citizens.tools, body.token, cancels, again=True)
    who = links.bearer(opened.link.case_id)
    async with call.resources.units.begin(who, traceparent=current_traceparent()) as unit:
        booking = await bookings.cancel(
            unit, BookingId(opened.link.ref), desk.rules, lambda _: None
        )
        return await _shown(unit, booking, desk)


@router.post("/sessions:link", summary="Log in by link", status_code=201)
async def open_by_link(
    body: LinkBody, call: CallDep, desk: DeskDep, citizens: CitizenDeskDep, response: Response
) -> Session:
    """A link for moving, answering or taking an offer opens a session to do so.

    It covers the cases that come together, shows the one it was mailed for, and reaches no contact.
    """
    response.headers["Cache-Control"] = "no-store"
    wanted = (Purpose.MOVE, Purpose.ANSWER, Purpose.OFFER)
    async with call.unit() as unit:
        opened = await links.open_(unit, citizens.tools, body.token, wanted)
        case_id = opened.link.case_id
        cases = await sessions.own(unit, [case_id], desk.rules)
    token = desk.tokens.issue(f"{LINK}{case_id}", opened.cases)
    left = token.expires_at - datetime.now(UTC)
    return Session(
        access_token=token.token,
        expires_in=min(round(left.total_seconds()), int(LIFETIME.total_seconds())),
        cases=[SessionCase.of(case) for case in cases],
    )


async def _shown(unit: Unit, booking: Booking, desk: Desk) -> BookingView:
    own = await site_rules.of_bookings(unit, [booking], desk.rules)
    return BookingView.of(booking, own[booking.booking_id])
