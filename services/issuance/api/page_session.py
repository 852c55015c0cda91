"""The counter screen's session: the staff token in a cookie that no script can read.

The cookie counts for the pages under ``/counter`` alone, never for the API, and a form counts only
with a mark that is made from the token, so that no other site can send it.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import FormData, Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import BadRequest, Text

COOKIE = "madoguchi_counter"
_TOKEN = "madoguchi.page_token"  # noqa: S105  the name under which it is kept


class FormExpired(BadRequest):
    """The form was not made in this session."""

    slug = "form-expired"
    title = Text("This form is not valid any more", "この画面の有効期限が切れています")
    remedy = Text("Open the page again and repeat.", "画面を開き直して再度操作してください。")


class PageSession:
    """Lets the cookie stand for the Authorization header on the pages of the counter."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _path(scope).startswith("/counter/"):
            headers = Headers(scope=scope)
            token = _token(headers)
            if token and "authorization" not in headers:
                bearer = (b"authorization", f"Bearer {token}".encode("latin-1"))
                scope = {**scope, "headers": [*scope["headers"], bearer], _TOKEN: token}
                if _is_visit(scope, headers):
                    await self._or_sign_in(scope, receive, send)
                    return
            elif "authorization" not in headers and _is_visit(scope, headers):
                await RedirectResponse(_sign_in(scope), 303)(scope, receive, send)
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
            await RedirectResponse(_sign_in(scope), 303)(scope, receive, send)


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


def remember(request: Request, answer: Response, token: str) -> Response:
    """Keep the token in the browser until it is closed."""
    answer.set_cookie(
        COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer


def forget(answer: Response) -> Response:
    """End the session."""
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _token(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def _is_visit(scope: Scope, headers: Headers) -> bool:
    """Whether a browser comes to see a page, other than the one on which people sign in."""
    wants_page = "text/html" in headers.get("accept", "")
    return scope["method"] == "GET" and wants_page and _path(scope) != "/counter/sign-in"


def _sign_in(scope: Scope) -> str:
    """Relative, so that it works behind any prefix."""
    return "../" * (_path(scope).count("/") - 2) + "sign-in"
