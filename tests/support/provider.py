"""A provider of OpenID Connect in memory: what it answers can be made wrong in every way."""

import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://provider.example/realms/city"
INSIDE = "http://provider.inside:8080"
CLIENT = "pages"
AUDIENCE = "madoguchi"


@dataclass
class FakeProvider:
    """``id_claims`` and ``access_claims`` replace what its tokens say, ``id_key`` who signs."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id_key: ec.EllipticCurvePrivateKey | None = None
    id_claims: dict[str, Any] = field(default_factory=dict)
    access_claims: dict[str, Any] = field(default_factory=dict)
    gives_id_token: bool = True
    ends_sessions: bool = False
    granted: dict[str, httpx.QueryParams] = field(default_factory=dict)
    exchanges: int = 0

    def client(self) -> httpx.AsyncClient:
        """Whoever asks here reaches this provider, by its public name or from inside."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def grant(self, address: str) -> tuple[str, str]:
        """Code and state with which a browser that was sent to ``address`` comes back."""
        asked = httpx.URL(address).params
        code = f"code-{len(self.granted)}"
        self.granted[code] = asked
        return code, asked["state"]

    def signed(self, claims: dict[str, Any], key: ec.EllipticCurvePrivateKey | None = None) -> str:
        """A token with these claims in the provider's name."""
        now = int(time.time())
        base = {"iss": ISSUER, "sub": "planner-1", "iat": now, "exp": now + 60}
        return jwt.encode(base | claims, key or self.key, algorithm="ES256", headers={"kid": "1"})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/.well-known/openid-configuration"):
            return httpx.Response(200, json=self._discovery())
        if path.endswith("/jwks"):
            public = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))
            key = {**public, "kid": "1", "use": "sig", "alg": "ES256"}
            return httpx.Response(200, json={"keys": [key]})
        if path.endswith("/token"):
            return self._exchange(dict(parse_qsl(request.content.decode())))
        return httpx.Response(404)

    def _discovery(self) -> dict[str, str]:
        found = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
        }
        return found | ({"end_session_endpoint": f"{ISSUER}/end"} if self.ends_sessions else {})

    def _exchange(self, shown: dict[str, str]) -> httpx.Response:
        self.exchanges += 1
        asked = self.granted.pop(shown.get("code", ""), None)
        digest = sha256(shown.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or (asked["code_challenge"], asked["redirect_uri"]) != (
            challenge,
            shown.get("redirect_uri"),
        ):
            return httpx.Response(400, json={"error": "invalid_grant"})
        access = {"aud": AUDIENCE, "roles": ["planner"], "sites": ["*"]} | self.access_claims
        given = {"access_token": self.signed(access)}
        if self.gives_id_token:
            identity = {"aud": CLIENT, "nonce": asked["nonce"]} | self.id_claims
            given["id_token"] = self.signed(identity, self.id_key)
        return httpx.Response(200, json=given)
