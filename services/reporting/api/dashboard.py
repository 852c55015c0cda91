"""The public page: the city's monthly totals, made on the server, nothing from elsewhere.

It tells city-wide figures only: a ward's or a site's month may be small enough to tell of people.
"""

import hashlib
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.reporting.api.filters import YearParam, year_of
from services.reporting.api.kept import Kept
from services.reporting.api.page import PageStyle, Shown, render
from services.reporting.domain.monthly import Counts, plan_rows
from services.reporting.store import reports
from shared.calendar import FiscalYear
from shared.errors import Language
from shared.http.call import Call, CallDep
from shared.http.etag import etag, is_known
from shared.http.language import negotiate

Figures = tuple[Counts, tuple[date, date] | None]
"""A year's completions, and the first and last month with any."""

LanguageParam = Annotated[
    Language | None, Query(description="ja or en; without it, Accept-Language decides.")
]


def dashboard() -> APIRouter:
    """The routes of the page."""
    router = APIRouter(tags=["dashboard"])
    style = PageStyle.load("dashboard")
    kept: Kept[FiscalYear, Figures] = Kept()

    @router.get("/", include_in_schema=False)
    async def start(request: Request) -> Response:
        # Relative, so that it works behind any prefix.
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"dashboard{query}", status_code=307)

    @router.get("/dashboard", response_class=HTMLResponse, summary="The public page")
    async def page(
        request: Request,
        call: CallDep,
        fiscal_year: YearParam = None,
        lang: LanguageParam = None,
    ) -> Response:
        """Monthly totals of the whole city for a fiscal year, as a page."""
        language = lang or negotiate(request.headers.get("accept-language"))
        clock = call.resources.units.clock
        year = year_of(fiscal_year, clock)
        counts, known = await kept.get(year, partial(_read, call, year))
        shown = Shown(year, plan_rows(year, counts), known, clock.now(), language)
        return _answer(request, render(shown, style), style)

    return router


async def _read(call: Call, year: FiscalYear) -> Figures:
    async with call.unit() as unit:
        counts = await reports.counts(unit.conn, reports.Span(year.first, year.last))
        return counts, await reports.known_months(unit.conn)


def _answer(request: Request, html: str, style: PageStyle) -> Response:
    version = int.from_bytes(hashlib.sha256(html.encode()).digest()[:8])
    headers = {
        "ETag": etag(version),
        "Cache-Control": "public, max-age=10",
        "Vary": "Accept-Language",
        "Content-Security-Policy": style.policy,
    }
    if is_known(request.headers.get("if-none-match"), version):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(html, headers=headers)
