"""Signed checkpoints of a chain, kept in another database, so that a chain whose end was cut off
or that was rewritten from some point on is found although it is consistent in itself.

Numbers run 1, 2, 3 … per chain without gaps: a missing one is seen.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import asyncpg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from shared.db import session

MIGRATIONS: Final = Path(__file__).parent / "audit_migrations"
"""For ``migrate(url, [("audit", MIGRATIONS)])`` on the audit database."""

_PEM: Final = re.compile(rb"-----BEGIN (PRIVATE|PUBLIC) KEY-----.+?-----END \1 KEY-----", re.DOTALL)
PublicKeys = Mapping[str, Ed25519PublicKey]


class AuditKeyError(ValueError):
    """The file of audit keys cannot be used; the text says why, never what it holds."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """ "Chain ``chain`` reached ``seq`` with ``hash`` at ``at``", the ``number``-th such word."""

    chain: str
    number: int
    seq: int
    hash: bytes
    at: datetime

    def message(self) -> bytes:
        """What is signed."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        parts = ["madoguchi audit checkpoint 1", self.chain, self.number, self.seq]
        return json.dumps([*parts, self.hash.hex(), at], ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with its signature and the name of the key."""

    checkpoint: Checkpoint
    key_id: str
    signature: bytes

    def holds(self, keys: PublicKeys) -> bool:
        """Whether one of ``keys`` signed exactly this."""
        key = keys.get(self.key_id)
        if key is None:
            return False
        try:
            key.verify(self.signature, self.checkpoint.message())
        except InvalidSignature:
            return False
        return True


class AuditSigner:
    """Signs checkpoints (Ed25519)."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = key_id(key.public_key())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The first private key of ``path``. Raises ``AuditKeyError``."""
        for key in _read_keys(path):
            if isinstance(key, Ed25519PrivateKey):
                return cls(key)
        raise AuditKeyError(f"{path.name} holds no Ed25519 private key")

    def sign(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        """``checkpoint`` with this key's signature."""
        return SignedCheckpoint(checkpoint, self.key_id, self._key.sign(checkpoint.message()))


def read_public_keys(path: Path) -> dict[str, Ed25519PublicKey]:
    """The public keys of all PEM blocks of ``path``, private or public, by name.

    Old keys stay in the file, so that what they signed can be verified. Raises ``AuditKeyError``.
    """
    found = [
        key.public_key() if isinstance(key, Ed25519PrivateKey) else key for key in _read_keys(path)
    ]
    return {key_id(key): key for key in found}


def key_id(key: Ed25519PublicKey) -> str:
    """The name of a key: the start of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


class CheckpointStore:
    """The checkpoints of one chain in the audit database at ``url``.

    Each call opens a connection and closes it: checkpoints are rare, and the room must go on
    when that database is away. Raises ``OSError`` or ``asyncpg.PostgresError``.
    """

    def __init__(self, url: str, chain: str) -> None:
        self._url = url
        self.chain = chain

    async def last(self) -> SignedCheckpoint | None:
        """The checkpoint with the greatest number."""
        found = await self._fetch("ORDER BY number DESC LIMIT 1")
        return found[0] if found else None

    async def all(self) -> list[SignedCheckpoint]:
        """Every checkpoint in the order of its number."""
        return await self._fetch("ORDER BY number")

    async def add(self, signed: SignedCheckpoint) -> None:
        """Store one more; its number must be new."""
        made = signed.checkpoint
        conn = await session(self._url, application="madoguchi-audit")
        try:
            await conn.execute(
                """INSERT INTO audit_checkpoint (chain, number, seq, hash, at, key_id, signature)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)""",
                self.chain,
                made.number,
                made.seq,
                made.hash,
                made.at,
                signed.key_id,
                signed.signature,
            )
        finally:
            await conn.close()

    async def _fetch(self, order: str) -> list[SignedCheckpoint]:
        conn = await session(self._url, application="madoguchi-audit")
        try:
            sql = "SELECT number, seq, hash, at, key_id, signature FROM audit_checkpoint"
            rows = await conn.fetch(f"{sql} WHERE chain = $1 {order}", self.chain)
            return [self._signed(row) for row in rows]
        finally:
            await conn.close()

    def _signed(self, row: asyncpg.Record) -> SignedCheckpoint:
        made = Checkpoint(self.chain, row["number"], row["seq"], row["hash"], row["at"])
        return SignedCheckpoint(made, row["key_id"], row["signature"])


def _read_keys(path: Path) -> list[Ed25519PrivateKey | Ed25519PublicKey]:
    try:
        blocks = [match[0] for match in _PEM.finditer(path.read_bytes())]
        keys = [
            load_pem_private_key(block, password=None)
            if b"PRIVATE" in block
            else load_pem_public_key(block)
            for block in blocks
        ]
    except (OSError, ValueError, TypeError) as error:
        raise AuditKeyError(f"{path.name} cannot be read: {type(error).__name__}") from None
    suitable = [key for key in keys if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey)]
    if not suitable or len(suitable) < len(keys):
        raise AuditKeyError(f"{path.name}: needs Ed25519 keys in PEM form, and nothing else")
    return suitable
