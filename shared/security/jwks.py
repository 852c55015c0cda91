"""Keys that verify tokens: fetched from the issuer, kept, and renewed when it rotates them.

However many bad tokens come, the issuer is asked at most once per ``min_interval``; while it does
not answer, the keys known last go on being used for ``keep_for``.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_log = logging.getLogger(__name__)

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_MIN_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key and the only algorithms it may verify."""

    key: PublicKey
    algorithms: frozenset[str]


class KeysUnavailableError(Exception):
    """No usable key set: the issuer has not answered, or not for longer than keys are kept."""


class Keys(Protocol):
    """Where the public keys of one issuer come from."""

    async def find(self, kid: str) -> VerificationKey | None:
        """The key named ``kid``, None if the issuer has none.

        Raises ``KeysUnavailableError``.
        """
        ...


class FixedKeys:
    """Keys known beforehand: a room's own."""

    def __init__(self, document: Mapping[str, object]) -> None:
        self._keys = read_key_set(document)

    async def find(self, kid: str) -> VerificationKey | None:
        """The key named ``kid``."""
        return self._keys.get(kid)


class RemoteKeys:
    """A JWKS behind a URL, found by OpenID Connect discovery unless ``jwks_url`` is given.

    Times are in seconds. ``fresh_for``: no request within; ``min_interval``: least time between
    two requests; ``keep_for``: how long after the last answer keys still count.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        issuer: str,
        *,
        jwks_url: str | None = None,
        fresh_for: float = 600.0,
        min_interval: float = 10.0,
        keep_for: float = 86_400.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._fresh_for = fresh_for
        self._min_interval = min_interval
        self._keep_for = keep_for
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._keys: dict[str, VerificationKey] = {}
        self._answered_at: float | None = None
        self._asked_at: float | None = None

    async def find(self, kid: str) -> VerificationKey | None:
        """The key named ``kid``; asks the issuer if the keys are old or the name is new."""
        if kid in self._keys and (self._is_fresh() or self._lock.locked()):
            # While somebody else asks, a known key serves: a slow issuer holds up one caller.
            return self._known(kid)
        async with self._lock:
            if not (kid in self._keys and self._is_fresh()) and self._may_ask():
                await self._ask()
        return self._known(kid)

    def _known(self, kid: str) -> VerificationKey | None:
        if self._answered_at is None or self._age(self._answered_at) > self._keep_for:
            raise KeysUnavailableError(f"{self._issuer} has given no keys")
        return self._keys.get(kid)

    def _is_fresh(self) -> bool:
        return self._answered_at is not None and self._age(self._answered_at) < self._fresh_for

    def _may_ask(self) -> bool:
        """Sooner where there is nothing to go on with: at a start the issuer may just be late."""
        wait = self._min_interval if self._answered_at is not None else min(1.0, self._min_interval)
        return self._asked_at is None or self._age(self._asked_at) >= wait

    def _age(self, since: float) -> float:
        return self._monotonic() - since

    async def _ask(self) -> None:
        self._asked_at = self._monotonic()
        try:
            self._keys = read_key_set(await self._get(await self._location()))
            self._answered_at = self._monotonic()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            _log.warning("keys of %s not renewed: %s", self._issuer, type(error).__name__)

    async def _location(self) -> str:
        if self._jwks_url is not None:
            return self._jwks_url
        base = self._issuer.rstrip("/")
        document = await self._get(f"{base}/.well-known/openid-configuration")
        url = document.get("jwks_uri")
        if document.get("issuer") != self._issuer or not isinstance(url, str):
            raise ValueError("the discovery document is not this issuer's")
        if self._issuer.startswith("https://") and not url.startswith("https://"):
            raise ValueError("keys of an https issuer must come by https")
        return url

    async def _get(self, url: str) -> Mapping[str, object]:
        answer = await self._http.get(url, timeout=3.0, follow_redirects=False)
        answer.raise_for_status()
        document = answer.json()
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        return document


def read_key_set(document: Mapping[str, object]) -> dict[str, VerificationKey]:
    """The usable keys of a JWKS (RFC 7517) by ``kid``.

    Left out: symmetric, weak or unknown keys, keys for encryption, keys without a name.
    Raises ``ValueError`` if the document is not a JWKS.
    """
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise ValueError("not a JWKS: no list of keys")
    found: dict[str, VerificationKey] = {}
    for entry in entries:
        if isinstance(entry, dict) and isinstance(kid := entry.get("kid"), str):
            key = _read_key(entry)
            if key is not None:
                found.setdefault(kid, key)
    return found


def _read_key(entry: dict[str, object]) -> VerificationKey | None:
    if entry.get("use", "sig") != "sig" or entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        key = jwt.PyJWK({name: value for name, value in entry.items() if name != "alg"}).key
    except (jwt.PyJWKError, jwt.InvalidKeyError):
        return None
    algorithms = _algorithms(key)
    if "alg" in entry:
        algorithms &= {str(entry["alg"])}
    return VerificationKey(key, algorithms) if algorithms else None


def _algorithms(key: object) -> frozenset[str]:
    """What a key of this kind may verify; nothing for a private, weak or unwanted one."""
    if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
        return frozenset({"RS256", "PS256"})
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return frozenset({"ES256"})
    if isinstance(key, Ed25519PublicKey):
        return frozenset({"EdDSA"})
    return frozenset()
