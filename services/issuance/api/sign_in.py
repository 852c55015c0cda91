"""Signing in to a counter: the entrance asks for a site and a counter besides."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.issuance.api.page_language import language_of
from services.issuance.api.page_session import mark
from services.issuance.api.pages import Page, load
from services.issuance.api.words import speaker
from shared.errors import Forbidden, Language, Problem
from shared.http.page_session import told
from shared.http.page_sign_in import Asked


class CounterLook:
    """How the entrance of the counters looks."""

    def __init__(self) -> None:
        """Raises ``OSError`` when the room is installed without its files."""
        self._entrance = load("sign_in.html", "counter.css")
        self._way = load("way.html", "counter.css")
        self._refused = load("refused.html", "counter.css")

    def entrance(
        self, request: Request, asked: Asked, problem: Problem | None, *, by_code: bool
    ) -> Response:
        """Asks for a site and a counter, and where no provider is set for a staff token."""
        language = _language(request)
        return self._entrance.answer(
            problem.status if problem else 200,
            lang=language,
            t=speaker(language),
            by_code=by_code,
            site_id=asked.get("site_id", ""),
            counter=asked.get("counter", ""),
            problem=problem.title.to(language) if problem else None,
        )

    def way(self, request: Request, url: str) -> HTMLResponse:
        """A page that leads there."""
        return _drawn(self._way, request, url=url)

    def target(self, asked: Asked) -> str:
        """The screen of the counter."""
        return f"{_part(asked, 'site_id')}/{_part(asked, 'counter')}"

    def refused(self, request: Request, problem: Problem) -> Response:
        """Says why there is no screen: not theirs, not there, or a form that holds no more."""
        language = _language(request)
        up = "../" * request.url.path.partition("/counter/")[2].count("/")
        place = request.path_params
        screen = f"{up}{place.get('site_id', '-')}/{place.get('counter', '-')}"
        back = screen if place else f"{up}sign-in"
        return _drawn(
            self._refused,
            request,
            status=problem.status,
            title=problem.title.to(language),
            told=told(problem, language),
            csrf=mark(request),
            again=back if request.method == "POST" and not isinstance(problem, Forbidden) else None,
            sign_out=f"{screen}/sign-out",
        )


def _drawn(page: Page, request: Request, status: int = 200, **shown: object) -> HTMLResponse:
    language = _language(request)
    return page.answer(status, lang=language, t=speaker(language), **shown)


def _language(request: Request) -> Language:
    match request.query_params.get("lang"):
        case "ja":
            return "ja"
        case "en":
            return "en"
        case _:
            return language_of(request)


def _part(asked: Asked, name: str) -> str:
    """A part of an address: what is no id there leads to no page."""
    text = asked.get(name) or "-"
    return text if text.replace("-", "").isalnum() and text.isascii() else "-"
