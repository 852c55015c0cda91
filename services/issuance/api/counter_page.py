"""The counter screen: a page per counter whose buttons are forms, so that it works by keyboard and
without a script. A step that is refused says why on the page, and changes nothing.
"""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.issuance.api.bodies import CounterName
from services.issuance.api.counter_actions import press
from services.issuance.api.desk import DeskDep
from services.issuance.api.page_language import LANGUAGE, Lang, language_of
from services.issuance.api.page_session import mark, require_mark
from services.issuance.api.pages import Page, load
from services.issuance.api.pressed import Pressed
from services.issuance.api.screen_view import shown_on_screen
from services.issuance.api.sheet_page import add_sheet
from services.issuance.api.views import VisitView
from services.issuance.api.words import speaker
from services.issuance.domain.counter import CounterState
from services.issuance.domain.ticket import Purpose
from services.issuance.handlers.board import read_board
from services.issuance.handlers.screen import Screen, read_screen
from shared.contracts.base import SiteRef
from shared.contracts.issuance import DeferReason
from shared.errors import Language, Problem
from shared.http.call import Call, CallDep
from shared.http.page_sign_in import PageSignIn

Name = Annotated[CounterName, Path(description="As the counter's sign says.")]


def counter_page(entrance: PageSignIn) -> APIRouter:
    """The routes of the screen."""
    router = APIRouter(prefix="/counter", tags=["pages"])
    page = load("counter.html", "counter.css", "counter.js")
    entrance.add_to(router, "Sign in to a counter")

    @router.get("/{site_id}/{counter}", summary="The screen of a counter", response_class=Response)
    async def screen(
        *,
        site_id: SiteRef,
        counter: Name,
        request: Request,
        call: CallDep,
        desk: DeskDep,
        lang: Lang = None,
    ) -> Response:
        """Whom it serves, what is to be done next, and who waits."""
        language = lang or language_of(request)
        read = await _read(call, site_id, counter, desk)
        answer = _shown(page, request, read, language, switch_from=desk.switch_from)
        if lang:
            answer.set_cookie(LANGUAGE, lang, samesite="strict")
        return answer

    @router.post("/{site_id}/{counter}/sign-out", include_in_schema=False)
    async def sign_out(
        site_id: SiteRef, counter: Name, request: Request, call: CallDep
    ) -> Response:
        return await entrance.leave(request, "../../")

    @router.post("/{site_id}/{counter}/{action}", include_in_schema=False)
    async def act(
        *,
        site_id: SiteRef,
        counter: Name,
        action: str,
        request: Request,
        call: CallDep,
        desk: DeskDep,
    ) -> Response:
        form = await request.form()
        require_mark(request, form)
        try:
            async with call.unit() as unit:
                await press(unit, action, Pressed(site_id, counter, form, desk))
        except Problem as problem:
            if problem.status in (401, 403, 404):
                raise
            read = await _read(call, site_id, counter, desk)
            language = language_of(request)
            since = desk.switch_from
            return _shown(page, request, read, language, problem, switch_from=since, up="../")
        return RedirectResponse(f"../{counter}", 303)

    add_sheet(router)
    return router


async def _read(call: Call, site_id: SiteRef, counter: CounterName, desk: DeskDep) -> Screen:
    async with call.unit() as unit:
        board = await read_board(unit.conn, site_id, unit.now, desk.outlook)
        return await read_screen(unit, site_id, counter, board, desk.national)


def _shown(
    page: Page,
    request: Request,
    screen: Screen,
    language: Language,
    problem: Problem | None = None,
    *,
    switch_from: date | None,
    up: str = "",
) -> Response:
    """``up`` leads from the page's address to that of the screen."""
    name = screen.name
    refusal = problem and {
        "title": problem.title.to(language),
        "remedy": problem.remedy.to(language),
    }
    return page.answer(
        problem.status if problem else 200,
        lang=language,
        other="en" if language == "ja" else "ja",
        t=speaker(language),
        csrf=mark(request),
        base=f"{up}{name}",
        here=f"{up}{name}",
        up=f"{up}../../",
        site_id=screen.site_id,
        name=name,
        state=screen.counter.state if screen.counter else CounterState.CLOSED,
        purposes=screen.counter.purposes if screen.counter else tuple(Purpose),
        all_purposes=tuple(Purpose),
        visit=VisitView.of(screen.visit) if screen.visit else None,
        need=screen.need,
        others=screen.others,
        waiting=screen.board.waiting,
        reasons=tuple(DeferReason),
        problem=refusal,
        **shown_on_screen(screen, language, switch_from),
    )
