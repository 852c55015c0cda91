"""What the room's own routes need besides a call, and what they all refuse."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from services.issuance.domain.national_system import NationalRules
from services.issuance.handlers.board import Outlook
from services.issuance.handlers.measuring import Learning
from services.issuance.handlers.queue import QueueRules
from shared.errors import FieldError, Text, Unprocessable
from shared.security.blind_index import BlindIndex


@dataclass(frozen=True, slots=True)
class Desk:
    """The index of notice numbers, how late still counts as in time, and the queue's rules."""

    index: BlindIndex
    grace: timedelta
    soon_days: int
    queue: QueueRules
    outlook: Outlook
    learning: Learning
    national: NationalRules
    switch_from: date | None


async def desk_of(request: Request) -> Desk:
    """The desk of the app that serves ``request``."""
    desk: Desk = request.app.state.desk
    return desk


async def refuse_query(request: Request) -> None:
    """Commands take nothing in the address: what stands there may be logged on the way.

    Raises ``Unprocessable``; neither names nor values are repeated.
    """
    if request.query_params:
        message = Text(
            "Nothing may be sent in the query of this address.",
            "このURLにはクエリを付けられません。",
        )
        remedy = Text(
            "Send only the fields of the body; never a PIN.",
            "本文の項目だけを送信してください。暗証番号は送信しないでください。",
        )
        raise Unprocessable(errors=[FieldError("query", message, remedy)])


DeskDep = Annotated[Desk, Depends(desk_of)]
