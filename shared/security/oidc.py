"""Bearer tokens (OpenID Connect): a principal is made only from a token whose signature, issuer,
audience and times hold. Only asymmetric algorithms exist here, and the key decides which.

An issuer grants no more than its roles, whatever its tokens say: staff never become citizens, nor
citizens staff. ``system`` is for programs, so it counts only in a token of the client credentials
flow, which names its client (``client_id``, RFC 9068) and no other role.
"""

import json
import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import httpx
import jwt

from shared.errors import ServiceUnavailable, Text, Unauthorized
from shared.ids import CaseId, SiteId
from shared.security.jwks import Keys, KeysUnavailableError, RemoteKeys, VerificationKey
from shared.security.principal import STAFF_ROLES, Principal, Role
from shared.settings import KernelSettings

_LEEWAY_SECONDS: Final = 30
_LONGEST_TOKEN: Final = 16_384
_REQUIRED: Final = ["exp", "iat", "iss", "aud", "sub"]
_CITIZEN: Final = frozenset({Role.CITIZEN})
_REMEMBERED: Final = 10_000
"""Tokens that are known by their digest; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody whose tokens are believed, up to ``grants``.

    ``kind`` becomes the first part of a principal's subject, so that two issuers with the same
    ``sub`` never mean the same person.
    """

    kind: str
    url: str
    keys: Keys
    grants: frozenset[Role]


class TokenVerifier:
    """Verifies tokens of the allowed issuers and makes principals of them."""

    def __init__(self, issuers: Iterable[Issuer], *, audience: str) -> None:
        self._issuers = {issuer.url: issuer for issuer in issuers}
        self._audience = audience
        self._held: OrderedDict[bytes, _Held] = OrderedDict()

    async def authenticate(self, authorization: str | None) -> Principal:
        """The principal behind an Authorization header; anonymous where there is none.

        Raises ``Unauthorized`` and ``ServiceUnavailable`` as ``verify`` does.
        """
        if authorization is None:
            return Principal.anonymous()
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refused("The Authorization header is not of the form: Bearer <token>.")
        return await self.verify(token.strip())

    async def require_keys(self) -> None:
        """Return when staff can be recognised.

        Raises ``KeysUnavailableError`` when their issuer has never given keys, or not for long.
        """
        for issuer in self._issuers.values():
            if issuer.grants == STAFF_ROLES:
                await issuer.keys.find("")

    async def verify(self, token: str) -> Principal:
        """The principal that ``token`` stands for.

        Raises ``Unauthorized`` if the token does not hold, ``ServiceUnavailable`` if the issuer's
        keys have never been, or have long not been, available.
        """
        if len(token) > _LONGEST_TOKEN:
            raise _refused("The token is too long.")
        digest = sha256(token.encode()).digest()
        try:
            if (held := self._held.get(digest)) is not None and await held.holds():
                return held.principal
            issuer, kid = self._addressed(token)
            key = await issuer.keys.find(kid)
            if key is None:
                raise _refused("The token is signed with a key its issuer does not publish.")
            claims = self._decode(token, issuer, key)
            principal = _principal(issuer, claims)
            self._keep(digest, _Held(principal, issuer, kid, key, int(claims["exp"])))
            return principal
        except jwt.ExpiredSignatureError:
            raise _refused("The token has expired.", "トークンの有効期限が切れています。") from None
        except jwt.PyJWTError as error:
            raise _refused(f"The token does not hold: {type(error).__name__}.") from None
        except KeysUnavailableError:
            raise _KeysMissing(retry_after=10) from None

    def _keep(self, digest: bytes, held: "_Held") -> None:
        self._held[digest] = held
        if len(self._held) > _REMEMBERED:
            self._held.popitem(last=False)

    def _addressed(self, token: str) -> tuple[Issuer, str]:
        """Whom the token claims to be from. Unverified: it only chooses among allowed issuers."""
        header, claims = _unverified(token)
        name, kid = claims.get("iss"), header.get("kid")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise _refused("The token is from an issuer that is not accepted here.")
        if not isinstance(kid, str):
            raise _refused("The token does not name its key (kid).")
        return issuer, kid

    def _decode(self, token: str, issuer: Issuer, key: VerificationKey) -> Mapping[str, Any]:
        return jwt.decode(
            token,
            key.key,
            algorithms=sorted(key.algorithms),
            audience=self._audience,
            issuer=issuer.url,
            leeway=_LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )


@dataclass(frozen=True, slots=True)
class _Held:
    """What a token stood for when it was verified, and what has to be so for it to hold still.

    People send the same token many times; its signature says the same each time.
    """

    principal: Principal
    issuer: Issuer
    kid: str
    key: VerificationKey
    expires_at: int

    async def holds(self) -> bool:
        """Whether it has not expired, and its issuer still publishes the very key."""
        if time.time() >= self.expires_at + _LEEWAY_SECONDS:
            return False
        return await self.issuer.keys.find(self.kid) == self.key


class _KeysMissing(ServiceUnavailable):
    """Nobody can be recognised for the moment."""

    title = Text("Logins cannot be checked at the moment", "現在ログインを確認できません")


def staff_issuer(url: str, keys: Keys) -> Issuer:
    """The city's identity provider: every role but ``citizen`` and ``public``."""
    return Issuer(kind="staff", url=url, keys=keys, grants=STAFF_ROLES)


def citizen_issuer(url: str, keys: Keys) -> Issuer:
    """Reservation's own tokens for citizens: ``citizen`` and nothing else."""
    return Issuer(kind="citizen", url=url, keys=keys, grants=_CITIZEN)


def token_verifier(
    settings: KernelSettings, http: httpx.AsyncClient, *, citizen_keys: Keys | None = None
) -> TokenVerifier:
    """The verifier a room uses. Reservation gives its own ``citizen_keys``; others fetch them.

    ``http`` stays the caller's, who closes it.
    """
    staff, citizens = settings.oidc_issuer, settings.citizen_issuer
    fetched = RemoteKeys(http, citizens, jwks_url=settings.citizen_jwks_url)
    issuers = [
        staff_issuer(staff, RemoteKeys(http, staff, jwks_url=settings.oidc_jwks_url)),
        citizen_issuer(citizens, citizen_keys or fetched),
    ]
    return TokenVerifier(issuers, audience=settings.oidc_audience)


def _unverified(token: str) -> Sequence[Mapping[str, Any]]:
    """Header and claims as they stand in the token; the library would decode all of it twice."""
    try:
        parts = [json.loads(_bytes(part)) for part in token.split(".")[:2]]
    except RecursionError:
        raise _refused("The token is nested too deeply.") from None
    except ValueError:
        raise _refused("The token does not hold: it cannot be read.") from None
    if len(parts) < 2 or not all(isinstance(part, dict) for part in parts):
        raise _refused("The token does not hold: it cannot be read.")
    return parts


def _bytes(part: str) -> bytes:
    return urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))


def _principal(issuer: Issuer, claims: Mapping[str, Any]) -> Principal:
    roles = _roles(issuer, claims)
    is_citizen = Role.CITIZEN in roles
    return Principal(
        subject=f"{issuer.kind}:{claims['sub']}",
        roles=roles,
        sites=frozenset() if is_citizen else frozenset(map(SiteId, _texts(claims, "sites"))),
        cases=frozenset(_cases(claims)) if is_citizen else frozenset(),
    )


def _roles(issuer: Issuer, claims: Mapping[str, Any]) -> frozenset[Role]:
    known = set(Role)
    named = frozenset(Role(name) for name in _texts(claims, "roles") if name in known)
    granted = named & issuer.grants
    is_program = isinstance(claims.get("client_id"), str)
    if Role.SYSTEM in granted and (len(granted) > 1 or not is_program):
        granted -= {Role.SYSTEM}
    return granted


def _cases(claims: Mapping[str, Any]) -> list[CaseId]:
    try:
        return [CaseId(UUID(text)) for text in _texts(claims, "cases")]
    except ValueError:
        raise _refused("The claim cases holds something that is no case id.") from None


def _texts(claims: Mapping[str, Any], name: str) -> Sequence[str]:
    value = claims.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _refused(f"The claim {name} is not a list of texts.")
    return value


def _refused(en: str, ja: str = "トークンを確認できません。") -> Unauthorized:
    return Unauthorized(Text(en, ja), token_sent=True)
