"""The board of a waiting room as server-sent events: open to everybody, for it tells of nobody."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, FastAPI, Query
from starlette.requests import Request
from starlette.responses import StreamingResponse

from services.issuance.api.board_hub import BoardHub
from services.issuance.api.own_sites import require_board
from services.issuance.api.ticket_views import BoardView
from services.issuance.domain.board import Board
from services.issuance.handlers.board import Outlook, read_board
from shared.contracts.base import SiteRef
from shared.http.call import CallDep
from shared.ids import SiteId
from shared.room import Resources

router = APIRouter(tags=["board"])
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "model": BoardView,
        "description": "Events `board`, now and at every change; the data is the whole board.",
        "content": {"text/event-stream": {}},
    }
}


@router.get(
    "/v1/board",
    summary="What is called, and who waits how long",
    response_class=StreamingResponse,
    responses=_STREAM,
)
async def board(
    call: CallDep,
    request: Request,
    site_id: Annotated[SiteRef, Query(description="The site.")],
) -> StreamingResponse:
    """Ticket numbers and counters alone. A comment comes every 15 s where nothing changes."""
    require_board(request, site_id)
    hub: BoardHub = request.app.state.hub
    hub.require_place()
    return StreamingResponse(
        hub.stream(site_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def hub(resources: Resources, outlook: Outlook, limit: int) -> BoardHub:
    """The boards of one process."""

    async def read(site_id: SiteId) -> Board:
        async with resources.database.reader() as conn:
            return await read_board(conn, site_id, resources.clock.now(), outlook)

    url, name = resources.doors.database_url, f"madoguchi-{resources.room}-board"
    return BoardHub(url, name, read, limit)


def lifespan(
    hub: BoardHub, http: httpx.AsyncClient | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Ends the boards, and the client that signs in, with the app."""

    @asynccontextmanager
    async def around(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await hub.close()
            if http is not None:
                await http.aclose()

    return around
