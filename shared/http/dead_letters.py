"""Dead letters over HTTP: the same list, replay and discard in every room.

For programs and operators of the installation, not for the counter: role ``system``.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from shared.http.call import CallDep
from shared.http.paging import Page, PageDep
from shared.messaging import dead_letters
from shared.messaging.dead_letters import DeadLetter
from shared.security.access import AccessTable, allow
from shared.security.principal import Role

_OPERATORS = allow(Role.SYSTEM)

DEAD_LETTER_ACCESS: AccessTable = {
    ("GET", "/v1/dead-letters"): _OPERATORS,
    ("GET", "/v1/dead-letters/{letter_id}"): _OPERATORS,
    ("POST", "/v1/dead-letters/{letter_id}:replay"): _OPERATORS,
    ("POST", "/v1/dead-letters/{letter_id}:discard"): _OPERATORS,
}

LetterId = Annotated[int, Path(ge=1, le=2**63 - 1)]
"""What PostgreSQL can have given."""

router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])


class DeadLetterOut(BaseModel):
    """A message that used up its tries; its key waits behind it."""

    id: int
    consumer: str = Field(examples=["reservation"])
    subject: str = Field(description="The key that waits: a case or a site.")
    type: str = Field(examples=["card.notified.v1"])
    topic: str = Field(examples=["preparation.events"])
    partition: int
    offset: int
    attempts: int
    reason: str = Field(description="Why the last try failed; without the data.")
    traceparent: str | None
    parked_at: datetime
    waiting: int = Field(description="Later messages of the same key that wait behind it.")


class Discard(BaseModel):
    """Why the message may be left out for good."""

    reason: str = Field(
        min_length=3,
        max_length=500,
        description="For the audit log: references only, no personal data.",
        examples=["sent twice by the cut-over import, case closed by hand"],
    )


@router.get("", summary="Dead letters, oldest first")
async def list_dead_letters(call: CallDep, page: PageDep) -> Page[DeadLetterOut]:
    """Messages that could not be handled and wait for a decision."""
    after = page.after(tuple[int])
    async with call.unit() as unit:
        letters = await dead_letters.list_dead_letters(
            unit.conn, after=after[0] if after else 0, limit=page.fetch
        )
    return page.page(letters, key=lambda letter: (letter.id,), item=_out)


@router.get("/{letter_id}", summary="One dead letter")
async def show_dead_letter(call: CallDep, letter_id: LetterId) -> DeadLetterOut:
    """What failed, where it came from and what waits behind it."""
    async with call.unit() as unit:
        return _out(await dead_letters.show(unit.conn, letter_id))


@router.post("/{letter_id}:replay", status_code=204, summary="Try a dead letter again")
async def replay_dead_letter(call: CallDep, letter_id: LetterId) -> Response:
    """It gets all its tries again; when it succeeds, its key goes on in order."""
    async with call.unit() as unit:
        await dead_letters.replay(unit, letter_id)
    return Response(status_code=204)


@router.post("/{letter_id}:discard", status_code=204, summary="Leave a dead letter out")
async def discard_dead_letter(call: CallDep, letter_id: LetterId, body: Discard) -> Response:
    """It is dropped with an audit entry, and its key goes on without it."""
    async with call.unit() as unit:
        await dead_letters.discard(unit, letter_id, body.reason)
    return Response(status_code=204)


def _out(letter: DeadLetter) -> DeadLetterOut:
    return DeadLetterOut.model_validate(letter, from_attributes=True)
