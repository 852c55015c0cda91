"""The dashboard's entrance: signing in, and what is shown to who signed in without the right."""

from urllib.parse import parse_qsl, urlencode

from jinja2 import Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.reporting.api.board.board import PageName
from services.reporting.api.board.words import speaker
from shared.errors import Forbidden, Language, Problem
from shared.http.language import negotiate
from shared.http.page_session import Door, mark, told
from shared.http.page_sign_in import Asked, within

DOOR = Door(
    "/dashboard",
    "madoguchi_dashboard",
    open=("sign-in", "session", "login", "callback", "assets/"),
    returns=True,
)
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
}


class DashboardLook:
    """How the entrance looks; ``assets`` is the version of the files it loads."""

    def __init__(self, sign_in: Template, way: Template, refused: Template, assets: str) -> None:
        self._sign_in = sign_in
        self._way = way
        self._refused = refused
        self._assets = assets

    def entrance(
        self, request: Request, asked: Asked, problem: Problem | None, *, by_code: bool
    ) -> Response:
        """Leads to the city's provider; asks for a staff token where none is set."""
        language = _language(request, asked)
        back = asked.get("next", "")
        status = problem.status if problem else 200
        return self._drawn(
            self._sign_in,
            language,
            status,
            by_code=by_code,
            back=back,
            other_address=_with("sign-in", {"next": back} if back else {}, other(language)),
            title=speaker(language)("sign_in"),
            problem=problem.title.to(language) if problem else None,
        )

    def way(self, request: Request, url: str) -> HTMLResponse:
        """A page that leads there."""
        language = _language(request, {})
        return self._drawn(self._way, language, title=speaker(language)("sign_in"), url=url)

    def target(self, asked: Asked) -> str:
        """The page that was asked for, or that of today, in the language of the entrance."""
        page, _, query = within(asked.get("next") or PageName.TODAY).partition("?")
        language = asked.get("lang")
        chosen: Language | None = "ja" if language == "ja" else "en" if language == "en" else None
        return _with(page, dict(parse_qsl(query)), chosen)

    def refused(self, request: Request, problem: Problem) -> Response:
        """Says why there is no page: not theirs, not there, or a form that holds no more."""
        language = _language(request, {})
        return self._drawn(
            self._refused,
            language,
            problem.status,
            title=problem.title.to(language),
            told=told(problem, language),
            again=None if isinstance(problem, Forbidden) else PageName.TODAY,
            other_address=f"?{urlencode({'lang': other(language)})}",
            csrf=mark(request),
            up="../" * request.url.path.rpartition("/dashboard/")[2].count("/"),
        )

    def _drawn(
        self, template: Template, language: Language, status: int = 200, **shown: object
    ) -> HTMLResponse:
        html = template.render(
            lang=language,
            other=other(language),
            t=speaker(language),
            assets=self._assets,
            **shown,
        )
        return HTMLResponse(html, status, HEADERS)


def other(language: Language) -> Language:
    """The language that is not this one."""
    return "en" if language == "ja" else "ja"


def _language(request: Request, asked: Asked) -> Language:
    match request.query_params.get("lang") or asked.get("lang"):
        case "ja":
            return "ja"
        case "en":
            return "en"
        case _:
            return negotiate(request.headers.get("accept-language"))


def _with(page: str, query: dict[str, str], language: Language | None) -> str:
    if language is not None:
        query = query | {"lang": language}
    return f"{page}?{urlencode(query)}" if query else page
