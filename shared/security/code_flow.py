"""Sign-in of pages: authorization code with PKCE (RFC 7636, S256; RFC 9700) at the city's provider.

The verifier never leaves the browser's cookie and this room; the provider sees its hash first and
itself only together with the code. A public client: there is no secret to keep. Whom the answer is
about stands in an ID token for this client alone, with the nonce of the question (OpenID Connect
Core 1.0, section 3.1.3.7).
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

import httpx
import jwt

from shared.errors import ServiceUnavailable, Text, Unauthorized
from shared.security.jwks import RemoteKeys
from shared.security.oidc import TokenVerifier, staff_issuer

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in: what ties the answer to the question."""

    state: str
    verifier: str
    nonce: str

    @classmethod
    def new(cls) -> "Attempt":
        """Three secrets of 256 bits."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @property
    def challenge(self) -> str:
        """The hash of the verifier, as the provider is told it (S256)."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code was given for: an access token, and whom the ID token beside it names."""

    token: str
    subject: str
    """As ``Principal.subject``; the access token has to be about the same."""


class SignInRefused(Unauthorized):
    """The provider did not take the code, or the answer is not to this question."""

    slug = "sign-in-refused"
    title = Text("The sign-in did not succeed", "サインインできませんでした")
    remedy = Text("Sign in again.", "もう一度サインインしてください。")


class ProviderSilent(ServiceUnavailable):
    """The provider does not answer, or not as OpenID Connect has it."""

    slug = "sign-in-unavailable"
    title = Text("Nobody can sign in at the moment", "現在サインインできません")


class CodeFlow:
    """The flow with one provider.

    ``discovery_url``, ``token_url`` and ``jwks_url`` where the room has another way to it than the
    browser; without them it is asked as OpenID Connect Discovery has it. ``http`` stays the
    caller's, who closes it.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        issuer: str,
        client_id: str,
        *,
        discovery_url: str | None = None,
        token_url: str | None = None,
        jwks_url: str | None = None,
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._client_id = client_id
        self._discovery_url = discovery_url or (
            f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        )
        self._token_url = token_url
        keys = RemoteKeys(http, issuer, jwks_url=jwks_url)
        self._id_tokens = TokenVerifier([staff_issuer(issuer, keys)], audience=client_id)

    async def address(self, attempt: Attempt, redirect_uri: str) -> str:
        """Where the browser goes to sign in. Raises ``ProviderSilent``."""
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{await self._endpoint('authorization_endpoint')}?{urlencode(asked)}"

    async def token(self, attempt: Attempt, code: str, redirect_uri: str) -> Granted:
        """What the code is given for.

        Raises ``SignInRefused``, also where the ID token is missing, for another client or to
        another question, ``ProviderSilent``, and ``ServiceUnavailable`` without its keys.
        """
        if not code or not attempt.verifier:
            raise SignInRefused
        url = self._token_url or await self._endpoint("token_endpoint")
        shown = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": attempt.verifier,
        }
        try:
            answer = await self._http.post(url, data=shown, timeout=_PATIENCE)
            if answer.is_client_error:
                raise SignInRefused
            given = _document(answer)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise ProviderSilent(retry_after=10) from None
        token = given.get("access_token")
        if not isinstance(token, str):
            raise ProviderSilent(retry_after=10)
        return Granted(token, await self._subject(given.get("id_token"), attempt))

    async def end_address(self, back: str) -> str | None:
        """Where the browser ends the session at the provider, and from there goes ``back``.

        None where the provider names no such place (OpenID Connect RP-Initiated Logout 1.0) or
        does not answer: the session here ends all the same.
        """
        try:
            url = await self._endpoint("end_session_endpoint")
        except ProviderSilent:
            return None
        asked = {"client_id": self._client_id, "post_logout_redirect_uri": back}
        return f"{url}?{urlencode(asked)}"

    async def _subject(self, id_token: object, attempt: Attempt) -> str:
        if not isinstance(id_token, str):
            raise SignInRefused
        try:
            principal = await self._id_tokens.verify(id_token)
        except Unauthorized:
            raise SignInRefused from None
        claims = jwt.decode(id_token, options={"verify_signature": False})  # verified just now
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
            raise SignInRefused
        return principal.subject

    async def _endpoint(self, name: str) -> str:
        """An endpoint as the provider's discovery names it."""
        try:
            found = _document(await self._http.get(self._discovery_url, timeout=_PATIENCE))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise ProviderSilent(retry_after=10) from None
        endpoint = found.get(name)
        if found.get("issuer") != self._issuer or not isinstance(endpoint, str):
            raise ProviderSilent(retry_after=10)
        return endpoint


def _document(answer: httpx.Response) -> Mapping[str, object]:
    answer.raise_for_status()
    body = answer.json()
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body
