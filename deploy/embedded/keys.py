"""Secret keys of an embedded installation, made at its first start and never shown.

Invariant: a key file is written once, with mode 0600, and never overwritten: data encrypted and
tokens signed under it must stay readable. The first key of a ring or file is the current one.
"""

import base64
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.plan import ROOMS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NOTICE = "notice-keys"
CITIZEN = "citizen-signing.pem"
ISSUER = "issuer-signing.pem"
AUDIT = "audit-signing.pem"


class KeyStore:
    """The key files of one installation."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def ensure(self) -> None:
        """Make every key that is missing."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for room in ROOMS:
            self._make(_master(room), _ring)
        self._make(NOTICE, _ring)
        self._make(CITIZEN, p256_pem)
        self._make(ISSUER, p256_pem)
        self._make(AUDIT, _ed25519_pem)

    def master_keys(self, room: str) -> str:
        """The room's ring for data keys, as its setting wants it."""
        return (self.directory / _master(room)).read_text().strip()

    def notice_keys(self) -> str:
        """The ring that the rooms share for notice numbers."""
        return (self.directory / NOTICE).read_text().strip()

    def path(self, name: str) -> Path:
        """Where a key file lies."""
        return self.directory / name

    def rotate_issuer(self) -> None:
        """Sign with a new key from now on; the former ones stay published."""
        path = self.path(ISSUER)
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        _write_secret(part, p256_pem() + path.read_text())
        part.replace(path)

    def _make(self, name: str, secret: Callable[[], str]) -> None:
        if not (path := self.directory / name).exists():
            with suppress(FileExistsError):  # another start was first; its key counts
                _write_secret(path, secret())


def p256_pem() -> str:
    """A new private key on P-256 (ES256), as PEM."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - slow to import

    return _pem(ec.generate_private_key(ec.SECP256R1()))


def _ed25519_pem() -> str:
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    return _pem(ed25519.Ed25519PrivateKey.generate())


def _pem(key: "EllipticCurvePrivateKey | Ed25519PrivateKey") -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _ring() -> str:
    """`id:base64`, 32 random bytes."""
    return f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _master(room: str) -> str:
    return f"{room}-master-keys"


def _write_secret(path: Path, text: str) -> None:
    """Create the file whole or not at all, and readable by nobody else at any time."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    try:
        os.link(aside, path)  # unlike a rename, it refuses to replace
    finally:
        aside.unlink()
