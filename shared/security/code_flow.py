"""Sign-in of pages: authorization code with PKCE (RFC 7636, S256; RFC 9700) at the city's provider.

The verifier never leaves the browser's cookie and this room; the provider sees its hash first and
itself only together with the code. A public client: there is no secret to keep.
"""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

import httpx

from shared.errors import ServiceUnavailable, Text, Unauthorized

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in: what ties the answer to the question."""

    state: str
    verifier: str

    @classmethod
    def new(cls) -> "Attempt":
        """Two secrets of 256 bits."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32))

    @property
    def challenge(self) -> str:
        """The hash of the verifier, as the provider is told it (S256)."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


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
    """The flow with one provider; ``token_url`` where the room has another way to it."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        issuer: str,
        client_id: str,
        *,
        token_url: str | None = None,
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._client_id = client_id
        self._token_url = token_url

    async def address(self, attempt: Attempt, redirect_uri: str) -> str:
        """Where the browser goes to sign in. Raises ``ProviderSilent``."""
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "state": attempt.state,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{await self._endpoint('authorization_endpoint')}?{urlencode(asked)}"

    async def token(self, attempt: Attempt, code: str, redirect_uri: str) -> str:
        """The access token for a code. Raises ``SignInRefused`` and ``ProviderSilent``."""
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
            token = _document(answer).get("access_token")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise ProviderSilent(retry_after=10) from None
        if not isinstance(token, str):
            raise ProviderSilent(retry_after=10)
        return token

    async def _endpoint(self, name: str) -> str:
        """An endpoint as the provider's discovery names it."""
        try:
            url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            found = _document(await self._http.get(url, timeout=_PATIENCE))
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
