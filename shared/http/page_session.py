"""A session of staff on pages: their token in a cookie that no script can read.

The cookie counts for the pages of its ``Door`` alone, never for the API, and a form counts only
with a mark that is made from the token, so that no other site can send it.
"""

import hmac
import re
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData, Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import BadRequest, Forbidden, Language, NotFound, Problem, Text
from shared.http.problems import on_problem

_BELOW = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_=&-]*)?", re.ASCII)
LONGEST = 2000
"""Characters of an address that somebody is led to."""
_TOKEN = "madoguchi.page_token"  # noqa: S105  the name under which it is kept


@dataclass(frozen=True, slots=True)
class Door:
    """Pages under ``prefix``, the cookie that opens them, and those that are open to everybody.

    Who has no cookie is led to ``<prefix>/sign-in``. For what is open the cookie does not count: a
    token that holds no more is in nobody's way there. A name that ends in ``/`` opens all below it.
    With ``returns`` who signs in comes back to the page that was asked for.
    """

    prefix: str
    cookie: str
    open: Collection[str] = ("sign-in", "session", "login", "callback")
    returns: bool = False

    def holds(self, path: str) -> bool:
        """Whether ``path`` is one of these pages and needs its cookie."""
        return path.startswith(f"{self.prefix}/") and not self._is_open(path)

    def _is_open(self, path: str) -> bool:
        below = path.removeprefix(f"{self.prefix}/")
        prefixes = tuple(name for name in self.open if name.endswith("/"))
        return below in self.open or below.startswith(prefixes)


class FormExpired(BadRequest):
    """The form was not made in this session."""

    slug = "form-expired"
    title = Text("This form is not valid any more", "この画面の有効期限が切れています")
    remedy = Text("Open the page again and repeat.", "画面を開き直して再度操作してください。")


SHOWN: tuple[type[Problem], ...] = (Forbidden, FormExpired, NotFound)
"""What people on pages meet in daily use, and so read on a page."""


class PageSession:
    """Lets the cookie stand for the Authorization header on the pages of its door."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._door.holds(_path(scope)):
            headers = Headers(scope=scope)
            token = _token(headers, self._door.cookie)
            if token and "authorization" not in headers:
                bearer = (b"authorization", f"Bearer {token}".encode("latin-1"))
                scope = {**scope, "headers": [*scope["headers"], bearer], _TOKEN: token}
                if _is_from_a_page(headers):
                    await self._or_sign_in(scope, receive, send)
                    return
            elif "authorization" not in headers and _is_from_a_page(headers):
                await RedirectResponse(self._sign_in(scope), 303)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _or_sign_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The page, or the way to sign in where the token holds no more."""
        is_over = False

        async def watch(message: Message) -> None:
            nonlocal is_over
            is_over = is_over or message.get("status") == 401
            if not is_over:
                await send(message)

        await self._app(scope, receive, watch)
        if is_over:
            await RedirectResponse(self._sign_in(scope), 303)(scope, receive, send)

    def _sign_in(self, scope: Scope) -> str:
        """Relative, so that it works behind any prefix."""
        below = _path(scope).removeprefix(f"{self._door.prefix}/")
        address = "../" * below.count("/") + "sign-in"
        if not self._door.returns or scope["method"] != "GET":
            return address
        query = scope["query_string"].decode("latin-1")
        asked = f"{below}?{query}" if query else below
        return f"{address}?{urlencode({'next': asked})}" if is_below(asked) else address


def is_below(target: str) -> bool:
    """Whether ``target`` is a page below a door.

    What may stand there is listed, not what may not: no host, no scheme, no way up.
    """
    return len(target) <= LONGEST and _BELOW.fullmatch(target) is not None


def mark(request: Request) -> str:
    """What a form of this session carries; empty where a caller brings a token of its own."""
    token: str | None = request.scope.get(_TOKEN)
    return hmac.new(token.encode(), b"form", "sha256").hexdigest() if token else ""


def require_mark(request: Request, form: FormData) -> None:
    """Raise ``FormExpired`` unless the form was made in this session."""
    if not hmac.compare_digest(mark(request).encode(), str(form.get("csrf", "")).encode()):
        raise FormExpired


def require_own_origin(request: Request) -> None:
    """Raise ``FormExpired`` for a form that another site sent."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise FormExpired


def remember(
    request: Request, answer: Response, token: str, door: Door, *, secure: bool = False
) -> Response:
    """Keep the token in the browser until it is closed; ``secure`` where browsers come by TLS."""
    secure = secure or request.url.scheme == "https"
    answer.set_cookie(door.cookie, token, httponly=True, samesite="strict", secure=secure)
    return answer


def refusals(
    door: Door, page: Callable[[Request, Problem], Response]
) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    """An app's handler of the problems in ``SHOWN``: people on pages of this door, its entrance
    included, see ``page``."""

    async def on_refusal(request: Request, error: Exception) -> Response:
        below = _path(request.scope).startswith(f"{door.prefix}/")
        is_page = below and _is_from_a_page(request.headers)
        if isinstance(error, Problem) and is_page:
            return page(request, error)
        return await on_problem(request, error)

    return on_refusal


def told(problem: Problem, language: Language) -> list[str]:
    """What a page says below the problem's title, line by line."""
    lines = (problem.detail.to(language), problem.remedy.to(language))
    return [line for line in lines if line != problem.title.to(language)]


def forget(answer: Response, door: Door) -> Response:
    """End the session."""
    answer.delete_cookie(door.cookie, httponly=True, samesite="strict")
    return answer


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _token(headers: Headers, cookie: str) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie)
    except CookieError:
        return None
    return found.value if found else None


def _is_from_a_page(headers: Headers) -> bool:
    """Whether a browser shows what is answered: a page, or what follows a form."""
    return "text/html" in headers.get("accept", "")
