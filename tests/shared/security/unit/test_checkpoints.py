"""A checkpoint is believed only as it was signed; key files are read or refused by name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.security.checkpoints import (
    AuditKeyError,
    AuditSigner,
    Checkpoint,
    key_id,
    read_public_keys,
)

NEW, OLD = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
MADE = Checkpoint("/1/r", 1, 10, b"h" * 32, datetime(2026, 1, 5, tzinfo=UTC))


def private_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "change",
    [
        {"chain": "/1/s"},
        {"number": 2},
        {"seq": 11},
        {"hash": b"i" * 32},
        {"at": MADE.at + timedelta(microseconds=1)},
    ],
    ids=str,
)
def test_every_part_is_signed(change: dict[str, Any]) -> None:
    signed = AuditSigner(NEW).sign(MADE)
    keys = {key_id(NEW.public_key()): NEW.public_key()}
    assert signed.holds(keys)
    assert not replace(signed, checkpoint=replace(MADE, **change)).holds(keys)
    assert not signed.holds({})
    assert not replace(signed, signature=bytes(64)).holds(keys)


def test_a_file_keeps_old_keys_for_verifying(tmp_path: Path) -> None:
    path = tmp_path / "audit.pem"
    path.write_bytes(public_pem(OLD) + private_pem(NEW))
    assert AuditSigner.read(path).key_id == key_id(NEW.public_key())
    keys = read_public_keys(path)
    assert set(keys) == {key_id(NEW.public_key()), key_id(OLD.public_key())}
    assert AuditSigner(OLD).sign(MADE).holds(keys)


def test_unusable_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.pem"
    with pytest.raises(AuditKeyError):
        AuditSigner.read(path)
    for text in (b"", b"word", private_pem(ec.generate_private_key(ec.SECP256R1()))):
        path.write_bytes(text)
        with pytest.raises(AuditKeyError, match=r"audit\.pem"):
            read_public_keys(path)
    path.write_bytes(public_pem(NEW))
    with pytest.raises(AuditKeyError, match="no Ed25519 private key"):
        AuditSigner.read(path)
