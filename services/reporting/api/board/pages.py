"""Routes of the dashboard: its pages, their live news, and their files.

Pages with operational detail are for staff who steer; the token lies in a cookie that no script can
read and that counts for these pages alone. The policy lets a page load and ask nothing but what
this process serves.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Query
from fastapi import Path as PathParam
from jinja2 import Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from services.reporting.api.board.assets import VEGA, Assets
from services.reporting.api.board.board import Board, PageName, drawn
from services.reporting.api.board.dates import day_name
from services.reporting.api.board.entrance import HEADERS, DashboardLook, other
from services.reporting.api.board.live import Live
from services.reporting.api.board.note import add_note, may_take_note
from services.reporting.api.board.view import View
from services.reporting.api.board.words import PAGES, speaker
from services.reporting.api.filters import YearParam, year_of
from services.reporting.api.page import templates
from shared.calendar import TOKYO, FiscalYear
from shared.errors import Language, NotFound
from shared.http.app import Lifespan
from shared.http.call import CallDep
from shared.http.language import negotiate
from shared.http.page_session import mark
from shared.http.page_sign_in import PageSignIn

log = logging.getLogger(__name__)
_YEAR = "public, max-age=31536000, immutable"

LanguageParam = Annotated[
    Language | None, Query(description="ja or en; without it, Accept-Language decides.")
]
PageParam = Annotated[PageName, PathParam(description="Which page.")]


@dataclass(frozen=True, slots=True)
class Templates:
    """The pages, their entrance, and the files they load."""

    board: Template
    look: DashboardLook
    assets: Assets

    @classmethod
    def load(cls) -> "Templates":
        """Raises ``OSError`` when the room is installed without its files."""
        assets, get = Assets(), templates().get_template
        look = DashboardLook(
            get("board_sign_in.html"),
            get("board_way.html"),
            get("board_refused.html"),
            assets.version,
        )
        return cls(get("board.html"), look, assets)


def making_ready(templates: Templates) -> Lifespan:
    """Puts the chart library together while the process starts, so that no reader waits for it."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        making = asyncio.create_task(_make_ready(templates))
        try:
            yield
        finally:
            making.cancel()
            with suppress(asyncio.CancelledError):
                await making

    return lifespan


async def _make_ready(templates: Templates) -> None:
    try:
        await templates.assets.get(VEGA)
        await drawn(View((), ()), "ja")
    except Exception:
        # Tables are shown without it, and the next reader asks for it again.
        log.exception("the chart library could not be put together")


def pages(board: Board, live: Live, templates: Templates, entrance: PageSignIn) -> APIRouter:
    """The routes; those with a name of their own come before those of any page."""
    router = APIRouter(prefix="/dashboard", tags=["dashboard"])
    entrance.add_to(router, "Sign in to the dashboard")

    @router.post("/sign-out", include_in_schema=False)
    async def sign_out(request: Request, call: CallDep) -> Response:
        return await entrance.leave(request)

    add_note(router, board)

    @router.get("/assets/{name}", include_in_schema=False)
    async def asset(name: str, request: Request) -> Response:
        found = await templates.assets.get(name)
        if found is None:
            raise NotFound
        packed = "gzip" in request.headers.get("accept-encoding", "")
        headers = {"Cache-Control": _YEAR, "Vary": "Accept-Encoding"}
        headers |= {"Content-Encoding": "gzip"} if packed else {}
        body = found.packed if packed else found.plain
        return Response(body, headers=headers, media_type=found.media_type)

    @router.get("/{page}", response_class=HTMLResponse, summary="A page of the dashboard")
    async def page(
        page: PageParam,
        request: Request,
        call: CallDep,
        fiscal_year: YearParam = None,
        lang: LanguageParam = None,
    ) -> Response:
        """Figures as tables and charts, kept up to date while it is open."""
        language = lang or negotiate(request.headers.get("accept-language"))
        clock = call.resources.units.clock
        year = year_of(fiscal_year, clock)
        view = await board.view(page, year, language, call.principal)
        shown = _shown(page, year, fiscal_year, language, clock.now())
        html = templates.board.render(
            **shown,
            view=view,
            charts=await drawn(view, language),
            csrf=mark(request),
            may=may_take_note(call.principal),
            assets=templates.assets.version,
        )
        return HTMLResponse(html, headers=HEADERS)

    @router.get(
        "/{page}/live",
        response_class=StreamingResponse,
        summary="Tells when a page says something new",
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def news(
        page: PageParam,
        call: CallDep,
        version: Annotated[str, Query(max_length=64, description="What the page shows.")],
        fiscal_year: YearParam = None,
        lang: LanguageParam = "en",
    ) -> StreamingResponse:
        """Events `changed` with the new version. A comment comes where nothing changes."""
        year = year_of(fiscal_year, call.resources.units.clock)

        async def read() -> View:
            return await board.view(page, year, lang or "en", call.principal)

        return StreamingResponse(
            live.stream(read, version),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


def _shown(
    page: PageName, year: FiscalYear, wanted: int | None, language: Language, now: datetime
) -> Mapping[str, Any]:
    """What surrounds a page's figures."""
    t, local = speaker(language), now.astimezone(TOKYO)
    query = {"lang": language} | ({"fiscal_year": str(wanted)} if wanted else {})
    title, lead = (text.to(language) for text in PAGES[page])
    if page is PageName.DEMAND:
        western, name = year.first.year, year.name(language)
        beside = f"（{western}年度）" if language == "ja" else f" (from April {western})"
        title = f"{title} – {name}{beside}"
    return {
        "lang": language,
        "other": other(language),
        "other_address": f"{page}?{urlencode(query | {'lang': other(language)})}",
        "t": t,
        "page": page,
        "title": title,
        "lead": lead,
        "query": urlencode(query),
        "pages": [
            {
                "address": f"{name}?{urlencode(query)}",
                "title": PAGES[name][0].to(language),
                "here": name is page,
            }
            for name in PageName
        ],
        "now": f"{day_name(local.date(), language)} {local:%H:%M}",
        "now_iso": local.isoformat(timespec="minutes"),
        "years": _years(year, page, language),
    }


def _years(year: FiscalYear, page: PageName, language: Language) -> list[Mapping[str, str]]:
    """Links to the years around, on the page that is about a year."""
    if page is not PageName.DEMAND:
        return []
    around = [FiscalYear(year.reiwa + step) for step in (-1, 1) if year.reiwa + step >= 1]
    return [
        {
            "address": f"{page}?{urlencode({'lang': language, 'fiscal_year': each.first.year})}",
            "title": each.name(language),
        }
        for each in around
    ]
