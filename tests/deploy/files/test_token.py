"""A token as this realm gives it is believed by a room set up as docker-compose does."""

import json
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm

from shared.security.oidc import token_verifier
from shared.security.principal import Role
from shared.settings import KernelSettings

REALM = "http://localhost:8180/realms/madoguchi"


async def test_the_issuer_is_named_from_outside_and_asked_from_inside(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = compose["services"]["preparation-api"]["environment"]
    for name in ("MADOGUCHI_OIDC_ISSUER", "MADOGUCHI_OIDC_JWKS_URL", "MADOGUCHI_OIDC_AUDIENCE"):
        monkeypatch.setenv(name, told[name])
    key = generate_private_key(SECP256R1())
    public = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    jwks = {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "ES256"}]}
    asked = []

    def keycloak(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json=jwks)

    now = int(time.time())
    claims = {
        "iss": REALM,
        "aud": "madoguchi",
        "sub": "f1f7",
        "typ": "Bearer",
        "azp": "madoguchi-pages",
        "iat": now,
        "exp": now + 600,
        "roles": ["clerk"],
        "sites": ["kawasaki-ward-office"],
    }
    token = jwt.encode(claims, key, algorithm="ES256", headers={"kid": "k1"})
    async with httpx.AsyncClient(transport=httpx.MockTransport(keycloak)) as http:
        verifier = token_verifier(KernelSettings(), http)
        principal = await verifier.authenticate(f"Bearer {token}")
    assert principal.roles == {Role.CLERK}
    assert principal.sites == {"kawasaki-ward-office"}
    assert asked == ["keycloak"]


def test_keycloak_says_the_name_that_rooms_expect(compose: dict[str, Any]) -> None:
    keycloak = compose["services"]["keycloak"]
    told = compose["services"]["preparation-api"]["environment"]
    assert f"{keycloak['environment']['KC_HOSTNAME']}/realms/madoguchi" == REALM
    assert told["MADOGUCHI_OIDC_ISSUER"] == REALM
    assert keycloak["ports"] == ["127.0.0.1:8180:8080"]
    assert told["MADOGUCHI_OIDC_JWKS_URL"].startswith("http://keycloak:8080/realms/madoguchi/")
