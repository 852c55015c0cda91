"""Taking note of an alert on the page of today: the same command as the API's, by the same rule."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.reporting.access import NOTED
from services.reporting.api.board.board import Board, PageName
from services.reporting.handlers import alert_history
from services.reporting.store.alerts import AlertId
from shared.errors import Language
from shared.http.call import CallDep
from shared.http.page_session import require_mark, require_own_origin
from shared.ids import SiteId
from shared.security.principal import Principal


def may_take_note(principal: Principal) -> Callable[[SiteId | None], bool]:
    """Of the alerts of which sites (none: of the whole city) this reader may take note."""
    has_role = not principal.roles.isdisjoint(NOTED.roles)
    return lambda site_id: has_role and alert_history.is_theirs(principal, site_id)


def add_note(router: APIRouter, board: Board) -> None:
    """The address to which the buttons of alerts send their forms."""

    @router.post("/alerts/{alert_id}/acknowledge", include_in_schema=False)
    async def acknowledge(
        alert_id: AlertId,
        request: Request,
        call: CallDep,
        lang: Annotated[Language | None, Query()] = None,
    ) -> Response:
        require_own_origin(request)
        require_mark(request, await request.form())
        async with call.unit() as unit:
            await alert_history.acknowledge(unit, alert_id)
        await board.forget(PageName.TODAY)
        query = f"?{urlencode({'lang': lang})}" if lang else ""
        return RedirectResponse(f"../../{PageName.TODAY}{query}#alerts", 303)
