"""Sign-in at the development issuer: authorization code with PKCE (RFC 7636, S256), nothing else.

Invariant: it makes no access token. Whoever signs in shows one that `madoguchi token` has signed,
and gets that one back for a code: so still nothing on the network obtains a token that its holder
had not. The ID token beside it is for the page alone: it has no roles and no room is its audience.
A code counts once, for a minute, for the page that asked, and only for who has its verifier.
"""

import hmac
import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import jwt
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.responses import Response as Answer
from starlette.routing import Route

from shared.errors import Unauthorized
from shared.security.citizen_tokens import CitizenKeys
from shared.security.jwks import FixedKeys
from shared.security.oidc import TokenVerifier, staff_issuer

CLIENT = "madoguchi-pages"
AUTHORIZE_PATH = "/authorize"
TOKEN_PATH = "/token"  # noqa: S105  an address
CODE_SECONDS = 60.0
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_ASKED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Development sign-in</title></head><body><main>
<h1>Development sign-in <span lang="ja">開発用サインイン</span></h1>{problem}
<form method="post" action="authorize">{hidden}
<p><label for="token">Token of <code>madoguchi token</code></label><br>
<input type="password" id="token" name="token" required autocomplete="off"></p>
<button type="submit">Sign in</button></form></main></body></html>"""


@dataclass(frozen=True, slots=True)
class _Granted:
    """What a code stands for."""

    token: str
    challenge: str
    nonce: str
    redirect_uri: str
    until: float


class Login:
    """The two endpoints, and the codes between them."""

    def __init__(
        self,
        keys: Path,
        issuer: str,
        audience: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._monotonic = monotonic
        self._codes: dict[str, _Granted] = {}

    def routes(self) -> list[Route]:
        """For the issuer's application."""
        return [
            Route(AUTHORIZE_PATH, self._ask),
            Route(AUTHORIZE_PATH, self._grant, methods=["POST"]),
            Route(TOKEN_PATH, self._exchange, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Answer:
        asked = request.query_params
        if fault := _fault(asked):
            return PlainTextResponse(fault, 400)
        return _page(asked)

    async def _grant(self, request: Request) -> Answer:
        form = await request.form()
        asked = {name: str(form.get(name, "")) for name in _ASKED}
        if fault := _fault(asked):
            return PlainTextResponse(fault, 400)
        token = str(form.get("token", "")).strip()
        try:
            await self._verifier().verify(token)
        except Unauthorized:
            return _page(asked, "This token does not hold. このトークンは使えません。")
        code = secrets.token_urlsafe(32)
        self._forget_old()
        self._codes[code] = _Granted(
            token,
            asked["code_challenge"],
            asked["nonce"],
            asked["redirect_uri"],
            self._monotonic() + CODE_SECONDS,
        )
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

    async def _exchange(self, request: Request) -> Answer:
        form = await request.form()
        # Taken before it is looked at: a code that was tried wrong is used up too.
        granted = self._codes.pop(str(form.get("code", "")), None)
        if granted is None or not self._is_good(form, granted):
            return JSONResponse({"error": "invalid_grant"}, 400, _NOT_KEPT)
        body = {
            "access_token": granted.token,
            "token_type": "Bearer",
            "id_token": self._id_token(granted),
        }
        return JSONResponse(body, headers=_NOT_KEPT)

    def _is_good(self, form: FormData, granted: _Granted) -> bool:
        verifier = str(form.get("code_verifier", "")).encode()
        shown = urlsafe_b64encode(sha256(verifier).digest()).rstrip(b"=").decode()
        return (
            form.get("grant_type") == "authorization_code"
            and form.get("client_id") == CLIENT
            and form.get("redirect_uri") == granted.redirect_uri
            and granted.until >= self._monotonic()
            and hmac.compare_digest(shown, granted.challenge)
        )

    def _id_token(self, granted: _Granted) -> str:
        """Who signed in, for the page that asked, with its nonce."""
        ring, now = CitizenKeys.read(self._keys), datetime.now(UTC)
        shown = jwt.decode(granted.token, options={"verify_signature": False})  # verified before
        claims = {
            "iss": self._issuer,
            "aud": CLIENT,
            "sub": shown["sub"],
            "iat": now,
            "exp": now + timedelta(seconds=CODE_SECONDS),
            "nonce": granted.nonce,
        }
        return jwt.encode(claims, ring.current, algorithm="ES256", headers={"kid": ring.kid})

    def _verifier(self) -> TokenVerifier:
        keys = FixedKeys(CitizenKeys.read(self._keys).document())
        return TokenVerifier([staff_issuer(self._issuer, keys)], audience=self._audience)

    def _forget_old(self) -> None:
        now = self._monotonic()
        self._codes = {code: one for code, one in self._codes.items() if one.until >= now}


def discovered(issuer: str) -> Mapping[str, object]:
    """What discovery says of it."""
    return {
        "authorization_endpoint": issuer + AUTHORIZE_PATH,
        "token_endpoint": issuer + TOKEN_PATH,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    }


def _fault(asked: Mapping[str, str]) -> str | None:
    if asked.get("response_type") != "code" or asked.get("client_id") != CLIENT:
        return "response_type has to be code, client_id madoguchi-pages"
    if asked.get("code_challenge_method") != "S256":
        return "code_challenge_method has to be S256"
    if not _CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        return "code_challenge is malformed"
    back = urlsplit(asked.get("redirect_uri", ""))
    if back.scheme != "http" or back.hostname not in _HERE or back.query or back.fragment:
        return "redirect_uri has to be an address of this machine"
    return None


def _page(asked: Mapping[str, str], problem: str = "") -> HTMLResponse:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(asked.get(name, ""))}">'
        for name in _ASKED
    )
    told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    html = _PAGE.format(hidden=hidden, problem=told)
    return HTMLResponse(html, 422 if problem else 200, _NOT_KEPT)


_NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
