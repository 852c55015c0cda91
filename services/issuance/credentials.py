"""How a satellite proves to headquarters who it is: a token of the city's provider, fetched with
its client credentials (RFC 6749, section 4.4), and anew before it ends or where it is refused.

Tokens last minutes and a line may be down for days, so one that was set by hand is for trying out.
"""

from collections.abc import Callable, Generator
from time import monotonic

import httpx

KEPT_SHARE = 0.8
"""A token is used for this part of its life."""
UNSAID_SECONDS = 30.0
"""Where the provider does not say how long a token lives."""


class NoTokenError(httpx.RequestError):
    """The provider gives no token, or cannot be reached; says nothing of what was sent."""


class FixedToken(httpx.Auth):
    """One token, for as long as it lives."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Show it."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class ClientCredentials(httpx.Auth):
    """A token of the client's own, kept while it lives."""

    requires_response_body = True

    def __init__(
        self, token_url: str, client_id: str, secret: str, seconds: Callable[[], float] = monotonic
    ) -> None:
        self._token_url = token_url
        self._basic = httpx.BasicAuth(client_id, secret)
        self._seconds = seconds
        self._token: str | None = None
        self._until = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Show the token; where it is refused, a new one once. Raises ``NoTokenError``."""
        was_kept = self._token is not None and self._seconds() < self._until
        if not was_kept:
            yield from self._fetched(request)
        answer = yield self._shown(request)
        if answer.status_code == 401 and was_kept:
            yield from self._fetched(request)
            yield self._shown(request)

    def _shown(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _fetched(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        asked = httpx.Request("POST", self._token_url, data={"grant_type": "client_credentials"})
        answer = yield next(self._basic.auth_flow(asked))
        try:
            body = answer.raise_for_status().json()
            token = str(body["access_token"])
            seconds = float(body.get("expires_in") or UNSAID_SECONDS)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
            raise NoTokenError("the provider gives no token", request=request) from None
        self._token = token
        self._until = self._seconds() + KEPT_SHARE * seconds
