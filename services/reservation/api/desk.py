"""What the routes of this room need besides the call: its rules, and how citizens are let in."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from services.reservation.domain.rules import Rules
from services.reservation.handlers.precondition import Precondition
from shared.errors import PreconditionFailed
from shared.http.etag import require_match
from shared.security.blind_index import BlindIndex
from shared.security.citizen_tokens import CitizenKeys, CitizenTokens


@dataclass(frozen=True, slots=True)
class Desk:
    """Made once, when the app is built."""

    rules: Rules
    index: BlindIndex
    keys: CitizenKeys
    tokens: CitizenTokens


async def desk_of(request: Request) -> Desk:
    """What the app that serves ``request`` has at its desk."""
    desk: Desk = request.app.state.desk
    return desk


async def _precondition(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="ETag of the version you read; optional. If it is sent, a resource that "
            "has changed since is left alone (412).",
        ),
    ] = None,
) -> Precondition:
    def require(version: int | None) -> None:
        if if_match is None:
            return
        if version is None:
            raise PreconditionFailed
        require_match(if_match, version)

    return require


DeskDep = Annotated[Desk, Depends(desk_of)]
PreconditionDep = Annotated[Precondition, Depends(_precondition)]
