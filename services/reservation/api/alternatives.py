"""What a citizen is offered when the city cannot keep a booking, and the answer to it."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.reservation.api.citizen_desk import PER_SESSION
from services.reservation.api.desk import DeskDep
from services.reservation.api.fields import Moment
from services.reservation.api.times import LocalInstant
from services.reservation.domain.closure import (
    Answer,
    Closure,
    ClosureId,
    ClosureKind,
    Displaced,
    DisplacedState,
)
from services.reservation.handlers import answers
from services.reservation.handlers.answers import Said
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.ids import BookingId, SiteId

router = APIRouter(prefix="/v1/bookings", tags=["alternatives"], dependencies=[PER_SESSION])

_ACCEPT: dict[str, JsonValue] = {"answer": "accept"}
_CHOOSE: dict[str, JsonValue] = {
    "answer": "choose",
    "chosen_site_id": "center",
    "chosen_starts_at": "2026-04-09T10:00:00+09:00",
}


class AnswerBody(BaseModel):
    """What the citizen says; a site and time go with `choose`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_ACCEPT, _CHOOSE]})

    answer: Answer
    chosen_site_id: Annotated[SiteRef | None, Field(description="With `choose`.")] = None
    chosen_starts_at: Moment | None = None


class AlternativeView(BaseModel):
    """A booking that lost its seat, and the seat that is kept instead."""

    booking_id: BookingId
    closure_id: ClosureId
    because: ClosureKind = Field(description="Why the seat was lost.")
    state: DisplacedState
    site_id: SiteId = Field(description="Where the booking was.")
    starts_at: LocalInstant
    to_site_id: SiteId | None = Field(description="Null while no other seat was found.")
    to_starts_at: LocalInstant | None
    answer_by: LocalInstant | None = Field(
        description="Without an answer by then, the booking moves to the seat that is kept."
    )

    @classmethod
    def of(cls, found: Displaced, closure: Closure) -> "AlternativeView":
        """The alternative as it is shown."""
        return cls(
            booking_id=found.booking_id,
            closure_id=found.closure_id,
            because=closure.kind,
            state=found.state,
            site_id=found.site_id,
            starts_at=found.starts_at,
            to_site_id=found.to_site_id,
            to_starts_at=found.to_starts_at,
            answer_by=found.answer_by,
        )


@router.get("/{booking_id}/alternative", summary="What is offered instead")
async def read_alternative(booking_id: BookingId, call: CallDep) -> AlternativeView:
    """For a booking that the city cannot keep; 404 for any other."""
    async with call.unit() as unit:
        found, closure = await answers.find(unit, booking_id)
    return AlternativeView.of(found, closure)


@router.post("/{booking_id}/alternative:answer", summary="Answer an alternative")
async def answer_alternative(
    booking_id: BookingId, body: AnswerBody, call: CallDep, desk: DeskDep
) -> AlternativeView:
    """Accept it, choose another seat, or cancel: by the citizen, or by staff on the phone.

    A citizen answers for their own cases of the party, staff for the whole of it. The same answer
    again changes nothing; another one is refused with 409 (`already-answered`).
    """
    said = Said(body.answer, body.chosen_site_id, body.chosen_starts_at)
    async with call.unit() as unit:
        await answers.answer(unit, booking_id, said, desk.rules)
        found, closure = await answers.find(unit, booking_id)
    return AlternativeView.of(found, closure)
