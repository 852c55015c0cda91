"""Keys are made once, for our eyes only."""

import stat
from pathlib import Path

from pydantic import SecretStr

from deploy.embedded.keys import AUDIT, CITIZEN, ISSUER, KeyStore
from deploy.embedded.plan import ROOMS
from shared.security.checkpoints import AuditSigner
from shared.security.citizen_tokens import CitizenKeys
from shared.settings import key_ring


def made(tmp_path: Path) -> KeyStore:
    store = KeyStore(tmp_path / "keys")
    store.ensure()
    return store


def test_nobody_else_can_read_a_key(tmp_path: Path) -> None:
    store = made(tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in store.directory.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700


def test_a_key_is_never_made_again(tmp_path: Path) -> None:
    store = made(tmp_path)
    before = {path.name: path.read_bytes() for path in store.directory.iterdir()}
    store.ensure()
    assert {path.name: path.read_bytes() for path in store.directory.iterdir()} == before


def test_the_kernel_can_use_them(tmp_path: Path) -> None:
    store = made(tmp_path)
    rings = [store.notice_keys(), *(store.master_keys(room) for room in ROOMS)]
    assert all(len(key_ring(SecretStr(ring), "TEST")["k1"]) == 32 for ring in rings)
    assert len(set(rings)) == len(rings)
    CitizenKeys.read(store.path(CITIZEN))
    AuditSigner.read(store.path(AUDIT))


def test_a_rotated_issuer_still_publishes_the_old_key(tmp_path: Path) -> None:
    store = made(tmp_path)
    before = CitizenKeys.read(store.path(ISSUER))
    store.rotate_issuer()
    after = CitizenKeys.read(store.path(ISSUER))
    assert after.kid != before.kid
    assert before.document()["keys"][0] in after.document()["keys"]
    assert stat.S_IMODE(store.path(ISSUER).stat().st_mode) == 0o600
