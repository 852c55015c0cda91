"""Short tokens that reservation gives to citizens who logged in with their notice.

The first key of the ring signs; the public keys of all are published, so that tokens signed before
a rotation hold until they end. Real time counts here, never replayed time.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.utils import base64url_encode

from shared.ids import CaseId, new_id
from shared.security.principal import Role

_PEM: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*-----", re.DOTALL)
LIFETIME: Final = timedelta(minutes=30)


class SigningKeyError(ValueError):
    """The file of signing keys cannot be used; the text says why, never what it holds."""


class CitizenKeys:
    """A ring of P-256 keys; the first signs."""

    def __init__(self, keys: Sequence[EllipticCurvePrivateKey]) -> None:
        if not keys:
            raise SigningKeyError("no private key: put at least one PEM block into the file")
        if any(not isinstance(key.curve, SECP256R1) for key in keys):
            raise SigningKeyError("citizens' tokens are ES256: every key must be on curve P-256")
        self.current = keys[0]
        self._entries = [_public_entry(key) for key in keys]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The PEM blocks of ``path`` in order.

        Raises ``SigningKeyError`` for a missing, empty, encrypted or unsuitable file.
        """
        try:
            blocks = _PEM.findall(path.read_bytes())
            keys = [load_pem_private_key(block, password=None) for block in blocks]
        except (OSError, ValueError, TypeError) as error:
            raise SigningKeyError(f"{path.name} cannot be read: {type(error).__name__}") from None
        suitable = [key for key in keys if isinstance(key, EllipticCurvePrivateKey)]
        if len(suitable) < len(keys):
            raise SigningKeyError("citizens' tokens are ES256: every key must be on curve P-256")
        return cls(suitable)

    @property
    def kid(self) -> str:
        """The name of the signing key: its thumbprint (RFC 7638)."""
        return self._entries[0]["kid"]

    def document(self) -> dict[str, Any]:
        """The JWKS (RFC 7517) to publish: public keys only."""
        return {"keys": [dict(entry) for entry in self._entries]}


@dataclass(frozen=True, slots=True)
class CitizenToken:
    """A token and the instant it ends."""

    token: str
    expires_at: datetime


class CitizenTokens:
    """Issues tokens in the name of ``issuer`` for ``audience``."""

    def __init__(
        self,
        keys: CitizenKeys,
        *,
        issuer: str,
        audience: str,
        lifetime: timedelta = LIFETIME,
        real_time: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime
        self._real_time = real_time

    def issue(self, subject: str, cases: Collection[CaseId]) -> CitizenToken:
        """A token for the citizen ``subject`` (a reference, no personal data) and their cases."""
        now = self._real_time()
        expires_at = now + self._lifetime
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "iat": now,
            "exp": expires_at,
            "jti": str(new_id()),
            "roles": [Role.CITIZEN.value],
            "cases": sorted(str(case_id) for case_id in cases),
        }
        token = jwt.encode(
            claims, self._keys.current, algorithm="ES256", headers={"kid": self._keys.kid}
        )
        return CitizenToken(token, expires_at.replace(microsecond=0))


def _public_entry(key: EllipticCurvePrivateKey) -> dict[str, str]:
    point = key.public_key().public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _coordinate(point.x), "y": _coordinate(point.y)}
    return {**members, "use": "sig", "alg": "ES256", "kid": _thumbprint(members)}


def _coordinate(number: int) -> str:
    return base64url_encode(number.to_bytes(32, "big")).decode()


def _thumbprint(members: dict[str, str]) -> str:
    """RFC 7638: SHA-256 over the required members in lexicographic order, without spaces."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(json.dumps(members, sort_keys=True, separators=(",", ":")).encode())
    return base64url_encode(digest.finalize()).decode()
