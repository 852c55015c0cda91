"""A principal is made only from a token that holds in every respect."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.utils import base64url_encode

from shared.errors import ServiceUnavailable, Unauthorized
from shared.ids import CaseId, SiteId
from shared.security.citizen_tokens import CitizenKeys, CitizenTokens
from shared.security.jwks import FixedKeys, RemoteKeys, VerificationKey, read_key_set
from shared.security.oidc import TokenVerifier, citizen_issuer, staff_issuer, token_verifier
from shared.security.principal import Principal, Role
from shared.settings import KernelSettings

STAFF, CITIZENS, AUDIENCE = "https://idp.example", "https://city.example/citizens", "madoguchi"
ES = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()
OTHER = ec.generate_private_key(ec.SECP256R1())
RING = CitizenKeys([ec.generate_private_key(ec.SECP256R1())])

Signer = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def entry(key: Signer, kid: str, **more: str) -> dict[str, Any]:
    match key:
        case ec.EllipticCurvePrivateKey():
            public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case rsa.RSAPrivateKey():
            public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ed25519.Ed25519PrivateKey():
            public = jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": kid, **more}


KEY_SET: dict[str, Any] = {
    "keys": [entry(ES, "es"), entry(RSA, "rsa"), entry(ED, "ed"), entry(RSA, "rs", alg="RS256")]
}


def claims(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    made = {
        "iss": STAFF,
        "aud": AUDIENCE,
        "sub": "u1",
        "iat": now,
        "exp": now + timedelta(minutes=5),
        "roles": ["clerk"],
        "sites": ["here"],
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def token(key: Signer = ES, kid: str | None = "es", alg: str = "ES256", **changes: Any) -> str:
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(claims(**changes), key, algorithm=alg, headers=headers)


def verifier() -> TokenVerifier:
    issuers = [
        staff_issuer(STAFF, FixedKeys(KEY_SET)),
        citizen_issuer(CITIZENS, FixedKeys(RING.document())),
    ]
    return TokenVerifier(issuers, audience=AUDIENCE)


async def refused(bad: str) -> None:
    with pytest.raises(Unauthorized) as raised:
        await verifier().verify(bad)
    assert 'error="invalid_token"' in raised.value.headers["WWW-Authenticate"]
    assert bad not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "kid", "alg"),
    [(ES, "es", "ES256"), (RSA, "rsa", "RS256"), (RSA, "rsa", "PS256"), (ED, "ed", "EdDSA")],
)
async def test_every_accepted_algorithm(key: Signer, kid: str, alg: str) -> None:
    principal = await verifier().verify(token(key, kid, alg))
    assert principal == Principal(
        "staff:u1", frozenset({Role.CLERK}), frozenset({SiteId("here")}), frozenset()
    )


@pytest.mark.parametrize(
    ("key", "kid", "alg"),
    [
        (OTHER, "es", "ES256"),
        (ES, "unknown", "ES256"),
        (ES, None, "ES256"),
        (RSA, "rsa", "RS512"),
        (RSA, "rs", "PS256"),
        (RSA, "es", "RS256"),
        (ES, "rsa", "ES256"),
    ],
    ids=["forged", "unknown kid", "no kid", "RS512", "other alg than the key's", "kid 1", "kid 2"],
)
async def test_the_key_decides_the_algorithm(key: Signer, kid: str | None, alg: str) -> None:
    await refused(token(key, kid, alg))


async def test_none_is_refused() -> None:
    for alg in ("none", "None", "NONE"):
        header = base64url_encode(json.dumps({"alg": alg, "kid": "es"}).encode()).decode()
        body = token().split(".")[1]
        await refused(f"{header}.{body}.")


@pytest.mark.parametrize(("key", "kid"), [(ES, "es"), (RSA, "rsa")])
async def test_hs256_with_the_public_key_is_refused(key: Signer, kid: str) -> None:
    """The classic confusion: the public key, known to all, taken as a shared secret."""
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = base64url_encode(json.dumps({"alg": "HS256", "kid": kid}).encode())
    signed = header + b"." + token().split(".")[1].encode()
    mac = base64url_encode(hmac.new(public, signed, hashlib.sha256).digest())
    await refused((signed + b"." + mac).decode())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": CITIZENS},
        {"sub": None},
        {"exp": None},
        {"iat": None},
        {"exp": timedelta(minutes=-2)},
        {"nbf": timedelta(days=1)},
        {"iat": timedelta(days=1)},
        {"roles": "clerk"},
        {"roles": [1]},
        {"sites": "*"},
    ],
    ids=str,
)
async def test_each_claim_must_hold(changes: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    said: dict[str, Any] = {
        k: now + v if isinstance(v, timedelta) else v for k, v in changes.items()
    }
    await refused(token(**said))


@pytest.mark.parametrize(
    "bad",
    ["", "x", "a.b.c", "." * 5, "x" * 20_000, "é.é.é"],
    ids=["empty", "word", "short", "dots", "long", "not ascii"],
)
async def test_rubbish_is_refused(bad: str) -> None:
    with pytest.raises(Unauthorized):
        await verifier().verify(bad)


async def test_deep_nesting_is_refused() -> None:
    deep = base64url_encode(b"[" * 9000).decode()
    await refused(f"{token().split('.')[0]}.{deep}.AAAA")


async def test_small_differences_of_clocks_are_forgiven() -> None:
    ended = token(exp=datetime.now(UTC) - timedelta(seconds=5))
    assert (await verifier().verify(ended)).subject == "staff:u1"


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        ({"roles": ["clerk", "emperor"]}, {Role.CLERK}),
        ({"roles": ["citizen", "public"]}, set()),
        ({"roles": None}, set()),
        ({"roles": ["clerk", "system"], "client_id": "c"}, {Role.CLERK}),
        ({"roles": ["system"]}, set()),
        ({"roles": ["system"], "client_id": "c"}, {Role.SYSTEM}),
    ],
    ids=str,
)
async def test_staff_tokens_grant_staff_roles_only(
    changes: dict[str, Any], roles: set[Role]
) -> None:
    principal = await verifier().verify(token(**changes, cases=[str(uuid4())]))
    assert principal.roles == roles
    assert principal.cases == frozenset()
    assert not principal.is_anonymous


async def test_citizens_get_their_cases_and_nothing_else() -> None:
    cases = {CaseId(uuid4()), CaseId(uuid4())}
    issued = CitizenTokens(RING, issuer=CITIZENS, audience=AUDIENCE).issue("n1", cases)
    principal = await verifier().authenticate(f"Bearer {issued.token}")
    assert principal == Principal("citizen:n1", frozenset({Role.CITIZEN}), cases=frozenset(cases))


async def test_a_citizens_key_cannot_make_staff() -> None:
    rich = claims(iss=CITIZENS, roles=["citizen", "supervisor", "system"], sites=["*"], cases=[])
    made = jwt.encode(rich, RING.current, algorithm="ES256", headers={"kid": RING.kid})
    principal = await verifier().verify(made)
    assert principal.roles == {Role.CITIZEN}
    assert principal.sites == frozenset()
    as_staff = jwt.encode(claims(), RING.current, algorithm="ES256", headers={"kid": RING.kid})
    await refused(as_staff)


async def test_headers() -> None:
    assert (await verifier().authenticate(None)).is_anonymous
    assert (await verifier().authenticate(f"bearer  {token()}")).subject == "staff:u1"
    for bad in ("", "Basic abc", "Bearer", "Bearer "):
        with pytest.raises(Unauthorized):
            await verifier().authenticate(bad)


def test_unsuitable_keys_are_left_out() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  that is the point
    curve = ec.generate_private_key(ec.SECP384R1())
    secret = {"kty": "oct", "kid": "oct", "k": "AAAA"}
    nameless = {name: value for name, value in entry(ES, "x").items() if name != "kid"}
    private = {**entry(ES, "private"), "d": base64url_encode(b"\x01" * 32).decode()}
    broken = {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "", "y": ""}
    found = read_key_set(
        {
            "keys": [
                entry(small, "small"),
                entry(curve, "curve"),
                entry(ES, "enc", use="enc"),
                entry(ES, "hs", alg="HS256"),
                secret,
                nameless,
                private,
                broken,
                "word",
                entry(ES, "good", use="sig"),
            ]
        }
    )
    assert set(found) == {"good"}


class Idp:
    """An issuer behind a transport: counts what it is asked and can be broken."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [entry(ES, "es")]
        self.asked = 0
        self.up = True
        self.now = 1000.0
        self.discovery: Mapping[str, str] = {"issuer": STAFF, "jwks_uri": f"{STAFF}/keys"}
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if not self.up:
            raise httpx.ConnectError("down")
        if request.url.path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.discovery)
        self.asked += 1
        return httpx.Response(200, json={"keys": self.keys})

    def verifier(self) -> TokenVerifier:
        keys = RemoteKeys(self.http, STAFF, monotonic=lambda: self.now)
        return TokenVerifier([staff_issuer(STAFF, keys)], audience=AUDIENCE)


async def test_keys_are_fetched_once_and_kept() -> None:
    idp = Idp()
    remote = idp.verifier()
    for _ in range(5):
        await remote.verify(token())
    assert idp.asked == 1
    idp.now += 601
    await remote.verify(token())
    assert idp.asked == 2


async def test_a_rotated_key_is_found_and_the_old_one_dies() -> None:
    idp = Idp()
    remote = idp.verifier()
    await remote.verify(token())
    idp.keys = [entry(OTHER, "new")]
    idp.now += 11
    assert (await remote.verify(token(OTHER, "new"))).subject == "staff:u1"
    with pytest.raises(Unauthorized):
        await remote.verify(token())


async def test_a_flood_of_unknown_kids_does_not_reach_the_issuer() -> None:
    idp = Idp()
    remote = idp.verifier()
    await remote.verify(token())
    for number in range(200):
        idp.now += 0.1
        with pytest.raises(Unauthorized):
            await remote.verify(token(OTHER, f"made-up-{number}"))
        await remote.verify(token())
    assert idp.asked <= 1 + 20 / 10


async def test_an_outage_keeps_the_old_keys_for_a_while() -> None:
    idp = Idp()
    remote = idp.verifier()
    await remote.verify(token())
    idp.up = False
    idp.now += 3600
    await remote.verify(token())
    idp.now += 86_400
    with pytest.raises(ServiceUnavailable):
        await remote.verify(token())
    idp.up = True
    idp.now += 11
    await remote.verify(token())


async def test_an_issuer_that_starts_late_is_asked_again_soon() -> None:
    idp = Idp()
    idp.up = False
    remote = idp.verifier()
    with pytest.raises(ServiceUnavailable):
        await remote.verify(token())
    idp.up = True
    idp.now += 1
    await remote.verify(token())


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example", "jwks_uri": f"{STAFF}/keys"},
        {"issuer": STAFF},
        {"issuer": STAFF, "jwks_uri": "http://idp.example/keys"},
    ],
    ids=["another issuer", "no keys", "plain http"],
)
async def test_discovery_must_be_the_issuers_own(discovery: dict[str, str]) -> None:
    idp = Idp()
    idp.discovery = discovery
    with pytest.raises(ServiceUnavailable):
        await idp.verifier().verify(token())
    assert idp.asked == 0


async def test_only_allowed_issuers_are_asked() -> None:
    idp = Idp()
    with pytest.raises(Unauthorized):
        await idp.verifier().verify(token(iss="https://evil.example"))
    assert idp.asked == 0


async def test_the_settings_make_a_verifier() -> None:
    settings = KernelSettings(
        oidc_issuer=STAFF, citizen_issuer=CITIZENS, citizen_jwks_url="http://x"
    )
    idp = Idp()
    made = token_verifier(settings, idp.http, citizen_keys=FixedKeys(RING.document()))
    issued = CitizenTokens(RING, issuer=CITIZENS, audience=AUDIENCE).issue("n1", [])
    assert (await made.verify(issued.token)).subject == "citizen:n1"
    assert (await made.verify(token())).subject == "staff:u1"


class Published:
    """Keys that are withdrawn at will."""

    def __init__(self) -> None:
        self.keys = read_key_set(KEY_SET)

    async def find(self, kid: str) -> VerificationKey | None:
        return self.keys.get(kid)


async def test_a_token_known_already_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    checked, good = verifier(), token()
    first = await checked.verify(good)
    monkeypatch.setattr(jwt, "decode", None)
    assert await checked.verify(good) is first
    with pytest.raises(TypeError):
        await checked.verify(token(sub="u2"))


async def test_a_token_known_already_ends_at_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = verifier()
    good = token(exp=datetime.now(UTC) + timedelta(seconds=2))
    await checked.verify(good)
    later = time.time() + 40
    monkeypatch.setattr("shared.security.oidc.time.time", lambda: later)
    monkeypatch.setattr(jwt, "decode", _expired)
    with pytest.raises(Unauthorized):
        await checked.verify(good)


@pytest.mark.parametrize("other", [None, OTHER])
async def test_a_token_known_already_dies_with_its_key(
    other: ec.EllipticCurvePrivateKey | None,
) -> None:
    published, good = Published(), token()
    checked = TokenVerifier([staff_issuer(STAFF, published)], audience=AUDIENCE)
    await checked.verify(good)
    published.keys = {} if other is None else read_key_set({"keys": [entry(other, "es")]})
    with pytest.raises(Unauthorized):
        await checked.verify(good)


async def test_a_token_changed_in_one_place_is_another() -> None:
    checked, good = verifier(), token()
    await checked.verify(good)
    head, body, signature = good.split(".")
    for bad in (f"{head}.{body}.{signature[:-2]}AA", f"{head}.{body[:-2]}AA.{signature}"):
        with pytest.raises(Unauthorized):
            await checked.verify(bad)


def _expired(*_: object, **__: object) -> None:
    raise jwt.ExpiredSignatureError
