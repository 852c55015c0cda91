"""Signing in to pages of staff: by authorization code with PKCE where a client of the provider is
set, otherwise with a token given once.

What ties the answer to the question lies in a cookie that no script can read, for ten minutes. The
way to the provider and back goes by pages and not by redirects: a form's policy allows no redirect
elsewhere, and a strict cookie is not sent on a way that began elsewhere. Whoever has signed in goes
to a page of the same door and nowhere else.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Protocol
from urllib.parse import urlsplit

import httpx
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from shared.errors import BadRequest, Language, NotFound, Problem, Text, Unauthorized, Unprocessable
from shared.http.call import CallDep
from shared.http.page_session import (
    LONGEST,
    Door,
    forget,
    is_below,
    remember,
    require_mark,
    require_own_origin,
)
from shared.http.page_settings import PageSettings
from shared.security.code_flow import Attempt, CodeFlow, SignInRefused
from shared.settings import KernelSettings

TEN_MINUTES = 600

Asked = Mapping[str, str]
"""Fields of the form, or of the query, as the entrance shows them again."""


class LeadsElsewhere(BadRequest):
    """The page to go to after signing in is none of this door."""

    slug = "leads-elsewhere"
    title = Text("This address leads elsewhere", "このアドレスは別の場所を指しています")
    remedy = Text("Sign in here and choose the page.", "ここでサインインして画面を選んでください。")


class TokenRefused(Unprocessable):
    """The token that was given does not hold."""

    slug = "token-refused"
    title = Text(
        "This token does not hold here. Get a new one and try again.",
        "このトークンは使えません。新しいトークンを取得して再度お試しください。",
    )


class Look(Protocol):
    """How a room draws its entrance."""

    def entrance(
        self, request: Request, asked: Asked, problem: Problem | None, *, by_code: bool
    ) -> Response:
        """The page that asks; with the status of ``problem`` and what it says."""
        ...

    def way(self, request: Request, url: str) -> HTMLResponse:
        """A page that leads to ``url`` at once."""
        ...

    def target(self, asked: Asked) -> str:
        """The page to go to after signing in, below the door; ``LeadsElsewhere`` if it is not."""
        ...


@dataclass(frozen=True, slots=True)
class Provider:
    """The city's provider, and where it sends browsers back to."""

    flow: CodeFlow
    url: str
    http: httpx.AsyncClient

    @classmethod
    def of(cls, own: PageSettings, kernel: KernelSettings) -> "Provider | None":
        """None where no client is set. Who made it closes ``http``."""
        if own.page_client_id is None or own.page_url is None:
            return None
        http = httpx.AsyncClient()
        flow = CodeFlow(
            http,
            kernel.oidc_issuer,
            own.page_client_id,
            discovery_url=own.page_discovery_url,
            token_url=own.page_token_url,
            jwks_url=kernel.oidc_jwks_url,
        )
        return cls(flow, own.page_url, http)

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS, whatever a proxy makes of it."""
        return self.url.startswith("https:")

    def is_at(self, request: Request) -> bool:
        """Whether the browser is where the provider will send it back to."""
        return request.headers.get("host", "").lower() == urlsplit(self.url).netloc.lower()


class PageSignIn:
    """The entrance of one door."""

    def __init__(self, door: Door, look: Look, provider: Provider | None) -> None:
        self._door = door
        self._look = look
        self._provider = provider
        self._cookie = f"{door.cookie}_login"

    def add_to(self, router: APIRouter, summary: str) -> None:
        """Add the routes, below the door's prefix."""
        router.add_api_route(
            "/sign-in",
            self.sign_in,
            methods=["GET"],
            summary=summary,
            response_class=HTMLResponse,
        )
        router.add_api_route("/login", self.login, methods=["POST"], include_in_schema=False)
        router.add_api_route("/callback", self.callback, methods=["GET"], include_in_schema=False)
        router.add_api_route("/session", self.begin, methods=["POST"], include_in_schema=False)

    async def sign_in(
        self,
        request: Request,
        call: CallDep,
        lang: Annotated[
            Language | None, Query(description="ja or en; without it, as the browser asks.")
        ] = None,
        back: Annotated[
            str, Query(alias="next", max_length=LONGEST, description="The page to go to then.")
        ] = "",
    ) -> Response:
        """Leads to the city's provider, or asks for a staff token where none is set."""
        asked: Asked = {**request.query_params}
        try:
            within(back or "-")
        except LeadsElsewhere as problem:
            return self._shown(request, asked, problem)
        return self._shown(request, asked)

    async def login(self, request: Request, call: CallDep) -> Response:
        """The way to the provider."""
        require_own_origin(request)
        provider, asked = self._by_code(), await _asked(request)
        if not provider.is_at(request):
            # The cookie set here would not be sent there.
            return self._look.way(request, self._address("sign-in"))
        attempt = Attempt.new()
        try:
            target = within(self._look.target(asked))
            url = await provider.flow.address(attempt, self._address("callback"))
        except Problem as problem:
            return self._shown(request, asked, problem)
        answer = self._look.way(request, url)
        answer.set_cookie(
            self._cookie,
            f"{attempt.state}.{attempt.verifier}.{attempt.nonce}.{target}",
            max_age=TEN_MINUTES,
            httponly=True,
            samesite="lax",
            secure=provider.is_secure or request.url.scheme == "https",
        )
        return answer

    async def callback(
        self,
        request: Request,
        call: CallDep,
        code: Annotated[str, Query(max_length=LONGEST)] = "",
        state: Annotated[str, Query(max_length=LONGEST)] = "",
    ) -> Response:
        """Back from the provider."""
        provider = self._by_code()
        try:
            attempt, target = self._begun(request, state)
            granted = await provider.flow.token(attempt, code, self._address("callback"))
            principal = await call.resources.authenticate(f"Bearer {granted.token}")
            if principal.subject != granted.subject:
                raise SignInRefused
        except Unauthorized:
            answer = self._shown(request, {}, SignInRefused())
        except Problem as problem:
            answer = self._shown(request, {}, problem)
        else:
            way = self._look.way(request, target)
            secure = provider.is_secure
            answer = remember(request, way, granted.token, self._door, secure=secure)
        answer.delete_cookie(self._cookie, httponly=True, samesite="lax")
        return answer

    async def begin(self, request: Request, call: CallDep) -> Response:
        """With a token given once; not where a provider is set."""
        require_own_origin(request)
        if self._provider is not None:
            raise NotFound
        asked = await _asked(request)
        token = asked.get("token", "").strip()
        try:
            target = within(self._look.target(asked))
            await call.resources.authenticate(f"Bearer {token}")
        except Unauthorized:
            return self._shown(request, asked, TokenRefused())
        except LeadsElsewhere as problem:
            return self._shown(request, asked, problem)
        return remember(request, RedirectResponse(target, 303), token, self._door)

    async def leave(self, request: Request, up: str = "") -> Response:
        """End the session here and at the provider; ``up`` leads to the door.

        Raises ``FormExpired`` for a form of another site or session.
        """
        require_own_origin(request)
        require_mark(request, await request.form())
        provider, url = self._provider, None
        if provider is not None:
            url = await provider.flow.end_address(self._address("sign-in"))
        answer: Response = RedirectResponse(f"{up}sign-in", 303)
        if url is not None:
            answer = self._look.way(request, url)
        return forget(answer, self._door)

    def _shown(self, request: Request, asked: Asked, problem: Problem | None = None) -> Response:
        by_code = self._provider is not None
        if isinstance(problem, LeadsElsewhere):
            asked = {}
        return self._look.entrance(request, asked, problem, by_code=by_code)

    def _begun(self, request: Request, state: str) -> tuple[Attempt, str]:
        """The attempt that this is the answer to. Raises ``SignInRefused`` for any other."""
        kept = request.cookies.get(self._cookie, "").split(".", 3)
        if len(kept) != 4 or not state or not hmac.compare_digest(kept[0].encode(), state.encode()):
            raise SignInRefused
        # A neighbour's site may plant cookies: what lies in this one is looked at again.
        return Attempt(kept[0], kept[1], kept[2]), within(kept[3])

    def _by_code(self) -> Provider:
        if self._provider is None:
            raise NotFound
        return self._provider

    def _address(self, name: str) -> str:
        """A page of the door as settings say where it is."""
        return f"{self._by_code().url}{self._door.prefix}/{name}"


def within(target: str) -> str:
    """``target`` if it is a page below a door; raises ``LeadsElsewhere`` otherwise."""
    if not is_below(target):
        raise LeadsElsewhere
    return target


async def _asked(request: Request) -> Asked:
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}
