"""The waiting-room board: one page in both languages, readable at 5 m, that follows the queue."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from services.issuance.api.board_hub import BoardHub
from services.issuance.api.own_sites import require_board
from services.issuance.api.pages import load
from services.issuance.domain.board import Board
from services.issuance.domain.ticket import Purpose
from shared.calendar import TOKYO
from shared.contracts.base import SiteRef
from shared.errors import Text
from shared.http.call import CallDep

SHOWN = 10
"""Parties listed; the script of the page has the same number."""

NAMES = {
    Purpose.CARD_ISSUANCE: Text("cards", "カード交付"),
    Purpose.CERTIFICATE_RENEWAL: Text("certificates", "電子証明書の手続"),
}
"""What may stand still, as a waiting room reads it; in the script too."""


def board_page() -> APIRouter:
    """The route of the page."""
    router = APIRouter(tags=["pages"])
    page = load("board.html", "board.css", "board.js")

    @router.get(
        "/board/{site_id}", response_class=HTMLResponse, summary="The board of a waiting room"
    )
    async def board(site_id: SiteRef, call: CallDep, request: Request) -> HTMLResponse:
        """Ticket numbers and counters alone; open to everybody."""
        require_board(request, site_id)
        hub: BoardHub = request.app.state.hub
        found = await hub.read(site_id)
        return page.answer(
            board=found,
            shown=SHOWN,
            stopped_ja="・".join(NAMES[one].ja for one in found.stopped),
            until=until(found),
            stopped_en=", ".join(NAMES[one].en for one in found.stopped),
        )

    return router


def until(board: Board) -> Text | None:
    """When all of it goes on, as far as that is known: the time, and the day where it is not the
    board's own; as the script of the page writes it.
    """
    ends = board.stopped_until
    if not board.stopped or any(one not in ends for one in board.stopped):
        return None
    last = max(ends.values()).astimezone(TOKYO)
    time = f"{last:%H:%M}"
    if last.date() == board.date:
        return Text(time, time)
    return Text(f"{last:%b} {last.day}, {time}", f"{last.month}月{last.day}日 {time}")
