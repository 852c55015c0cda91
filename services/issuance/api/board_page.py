"""The waiting-room board: one page in both languages, readable at 5 m, that follows the queue."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from services.issuance.api.board_hub import BoardHub
from services.issuance.api.pages import load
from shared.contracts.base import SiteRef
from shared.http.call import CallDep

SHOWN = 10
"""Parties listed; the script of the page has the same number."""


def board_page() -> APIRouter:
    """The route of the page."""
    router = APIRouter(tags=["pages"])
    page = load("board.html", "board.css", "board.js")

    @router.get(
        "/board/{site_id}", response_class=HTMLResponse, summary="The board of a waiting room"
    )
    async def board(site_id: SiteRef, call: CallDep, request: Request) -> HTMLResponse:
        """Ticket numbers and counters alone; open to everybody."""
        hub: BoardHub = request.app.state.hub
        return page.answer(board=await hub.read(site_id), shown=SHOWN)

    return router
