"""Personal columns are stored only encrypted, each subject's under a data key of its own, so that
destroying that key erases every column of the subject at once, wherever a copy may lie.

AES-256-GCM throughout. A ciphertext is bound to its subject and column, a wrapped key to its
subject: neither opens anywhere else. The data key is stored wrapped under a master key, which is a
setting and never in the database. An old copy of a wrapped key lives on in backups and in dead
rows until those are gone (``VACUUM``, the backups' own retention); erasure is complete then.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.db import Connection, Row

_NONCE: Final = 12
_KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"

_LOCK: Final = """
SELECT * FROM subject_key WHERE subject = ANY($1::text[]) ORDER BY subject FOR SHARE
"""
_READ: Final = "SELECT * FROM subject_key WHERE subject = ANY($1::text[])"

# Waits for who makes the same key; what that one made is left, and read afterwards.
_CREATE: Final = """
INSERT INTO subject_key (subject, master_key_id, wrapped)
SELECT subject, $2, wrapped FROM unnest($1::text[], $3::bytea[]) AS made (subject, wrapped)
ORDER BY subject
ON CONFLICT (subject) DO NOTHING
RETURNING subject
"""

_ERASE: Final = """
INSERT INTO subject_key (subject, erased_at)
SELECT subject, $2 FROM unnest($1::text[]) AS gone (subject) ORDER BY subject
ON CONFLICT (subject) DO UPDATE
    SET master_key_id = NULL, wrapped = NULL, erased_at = excluded.erased_at
    WHERE subject_key.erased_at IS NULL
RETURNING subject
"""

_OUTDATED: Final = """
SELECT * FROM subject_key WHERE master_key_id <> $1 AND erased_at IS NULL
ORDER BY subject LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_REWRAP: Final = """
UPDATE subject_key SET master_key_id = $2, wrapped = made.wrapped
FROM unnest($1::text[], $3::bytea[]) AS made (subject, wrapped)
WHERE subject_key.subject = made.subject
"""


class VaultError(Exception):
    """Something in the vault is not as it must be; the text names no content."""


class SubjectErasedError(VaultError):
    """Nothing is sealed for an erased subject again."""


class TamperedError(VaultError):
    """A ciphertext or wrapped key was changed, or stands where it does not belong."""


class UnknownMasterKeyError(VaultError):
    """A data key is wrapped under a master key that the ring lacks."""


class Cell(NamedTuple):
    """One encrypted place: ``column`` (``contact.email``) of ``subject`` (a case or party id)."""

    subject: str
    column: str


class Vault:
    """Seals and opens cells under ``masters``: a ring of 32-byte keys, the first is current."""

    def __init__(self, masters: Mapping[str, bytes]) -> None:
        if not masters or any(len(key) != _KEY_BYTES for key in masters.values()):
            raise ValueError("the master ring needs at least one key, each of 32 bytes")
        self._masters = {name: AESGCM(key) for name, key in masters.items()}
        self._current = next(iter(masters))

    async def seal(self, conn: Connection, texts: Mapping[Cell, str]) -> dict[Cell, bytes]:
        """Encrypt ``texts`` of any number of subjects, making the data keys that are missing; in
        the order of ``texts``.

        One statement, two where keys are made, three where another makes some of them at the
        same time. The keys stay locked until the caller's
        transaction ends, so that no erasure comes between.
        Raises ``SubjectErasedError`` and ``UnknownMasterKeyError``.
        """
        subjects = {cell.subject for cell in texts}
        rows = await conn.fetch(_LOCK, sorted(subjects)) if subjects else []
        keys = await self._create(conn, subjects - {row["subject"] for row in rows})
        keys |= self._unwrapped(rows)
        if missing := subjects - set(keys):
            raise SubjectErasedError(f"{len(missing)} of the subjects are erased")
        return {cell: _encrypt(keys[cell.subject], cell, text) for cell, text in texts.items()}

    async def open(self, conn: Connection, sealed: Mapping[Cell, bytes]) -> dict[Cell, str | None]:
        """Decrypt ``sealed`` in one statement; None where the subject is erased.

        Raises ``TamperedError`` and ``UnknownMasterKeyError``.
        """
        subjects = sorted({cell.subject for cell in sealed})
        rows = await conn.fetch(_READ, subjects) if subjects else []
        keys = self._unwrapped(rows)
        if len(rows) < len(subjects):
            raise TamperedError(f"{len(subjects) - len(rows)} of the subjects have no key")
        return {
            cell: _decrypt(keys[cell.subject], cell, data) if cell.subject in keys else None
            for cell, data in sealed.items()
        }

    async def rewrap(self, conn: Connection, *, limit: int = 1000) -> int:
        """Wrap up to ``limit`` data keys under the current master key; how many.

        Call until it returns 0, then the old master key may leave the ring. Ciphertexts stay.
        """
        rows = await conn.fetch(_OUTDATED, self._current, limit)
        keys = self._unwrapped(rows)
        wrapped = [self._wrap(subject, key) for subject, key in keys.items()]
        await conn.execute(_REWRAP, list(keys), self._current, wrapped)
        return len(rows)

    async def _create(self, conn: Connection, subjects: Collection[str]) -> dict[str, bytes]:
        """New keys, and of subjects that another gave one meanwhile that one."""
        if not subjects:
            return {}
        keys = {each: secrets.token_bytes(_KEY_BYTES) for each in sorted(subjects)}
        wrapped = [self._wrap(each, key) for each, key in keys.items()]
        made = await conn.fetch(_CREATE, list(keys), self._current, wrapped)
        if len(made) == len(keys):
            return keys
        own = {row["subject"] for row in made}
        rows = await conn.fetch(_LOCK, [each for each in keys if each not in own])
        return {each: keys[each] for each in own} | self._unwrapped(rows)

    def _unwrapped(self, rows: Iterable[Row]) -> dict[str, bytes]:
        return {row["subject"]: self._unwrap(row) for row in rows if row["erased_at"] is None}

    def _wrap(self, subject: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        bound = _bound("data key", subject, self._current)
        return nonce + self._masters[self._current].encrypt(nonce, key, bound)

    def _unwrap(self, row: Row) -> bytes:
        name, data = row["master_key_id"], row["wrapped"]
        master = self._masters.get(name)
        if master is None:
            raise UnknownMasterKeyError(f"the master key {name!r} is not in the ring")
        return _opened(master, data, _bound("data key", row["subject"], name))


async def erase(conn: Connection, subjects: Collection[str], *, at: datetime) -> list[str]:
    """Destroy the data keys of ``subjects``: what was sealed under them is unreadable for ever.

    A subject without a key is marked too, so that a late event cannot seal anything for it.
    Returns those that were not erased before. Needs no master key.
    """
    rows = await conn.fetch(_ERASE, sorted(set(subjects)), at)
    return [row["subject"] for row in rows]


def _encrypt(key: bytes, cell: Cell, text: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    bound = _bound("cell", cell.subject, cell.column)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, text.encode(), bound)


def _decrypt(key: bytes, cell: Cell, data: bytes) -> str:
    if data[:1] != _VERSION:
        raise TamperedError(f"{cell.column}: not a ciphertext of this vault")
    return _opened(AESGCM(key), data[1:], _bound("cell", cell.subject, cell.column)).decode()


def _opened(key: AESGCM, data: bytes, bound: bytes) -> bytes:
    try:
        return key.decrypt(data[:_NONCE], data[_NONCE:], bound)
    except (InvalidTag, ValueError):
        raise TamperedError("changed, or not from this subject and column") from None


def _bound(*parts: str) -> bytes:
    """Additional authenticated data; lengths keep ``("a", "bc")`` apart from ``("ab", "c")``."""
    bound = b""
    for part in parts:
        encoded = part.encode()
        bound += len(encoded).to_bytes(4, "big") + encoded
    return bound
