"""The ring of signing keys: the first signs, all are published, nothing private leaves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from shared.security.citizen_tokens import CitizenKeys, CitizenTokens, SigningKeyError
from shared.security.jwks import read_key_set


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())


def test_a_file_of_several_keys_is_a_ring(tmp_path: Path) -> None:
    new, old = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    path = tmp_path / "keys.pem"
    path.write_bytes(pem(new) + b"\n# the old one\n" + pem(old))
    ring = CitizenKeys.read(path)
    document = ring.document()
    assert len(document["keys"]) == 2
    assert ring.kid == document["keys"][0]["kid"]
    assert all("d" not in entry for entry in document["keys"])
    assert set(read_key_set(document)) == {entry["kid"] for entry in document["keys"]}
    assert ring.current.private_numbers() == new.private_numbers()


def test_the_name_is_the_thumbprint() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    entry = CitizenKeys([key]).document()["keys"][0]
    assert entry["kid"] == CitizenKeys([key]).kid
    assert len(entry["kid"]) == 43
    assert CitizenKeys([ec.generate_private_key(ec.SECP256R1())]).kid != entry["kid"]


@pytest.mark.parametrize("text", [b"", b"nothing", pem(ed25519.Ed25519PrivateKey.generate())])
def test_unusable_files_are_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "keys.pem"
    path.write_bytes(text)
    with pytest.raises(SigningKeyError):
        CitizenKeys.read(path)


def test_other_curves_encrypted_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.pem"
    path.write_bytes(pem(ec.generate_private_key(ec.SECP384R1())))
    with pytest.raises(SigningKeyError, match="P-256"):
        CitizenKeys.read(path)
    key = ec.generate_private_key(ec.SECP256R1())
    locked = s.BestAvailableEncryption(b"word")
    path.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, locked))
    with pytest.raises(SigningKeyError):
        CitizenKeys.read(path)
    with pytest.raises(SigningKeyError):
        CitizenKeys.read(tmp_path / "none.pem")


def test_a_token_lasts_half_an_hour() -> None:
    at = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
    ring = CitizenKeys([ec.generate_private_key(ec.SECP256R1())])
    issued = CitizenTokens(ring, issuer="i", audience="a", real_time=lambda: at).issue("n", [])
    claims = jwt.decode(issued.token, options={"verify_signature": False})
    assert issued.expires_at == at + timedelta(minutes=30)
    assert claims["exp"] - claims["iat"] == 1800
    assert claims["roles"] == ["citizen"]
