"""Each room finds the keys it needs in its volume, and none that it does not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from deploy.docker import keys, start
from shared.security.citizen_tokens import CitizenKeys
from shared.settings import Doors, KernelSettings, key_ring


def contents(root: Path) -> dict[Path, bytes]:
    """Every file below ``root``."""
    return {path: path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """The volumes after a first start."""
    keys.distribute(tmp_path)
    return tmp_path


def test_a_second_start_changes_nothing(volumes: Path) -> None:
    before = contents(volumes)
    keys.distribute(volumes)
    assert contents(volumes) == before


def test_only_the_owner_can_read_a_key(volumes: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in contents(volumes)} == {0o600}


def test_rooms_share_the_notice_ring_and_nothing_else(volumes: Path, rooms: list[str]) -> None:
    given = {room: start.with_secrets({}, volumes / room) for room in rooms}
    notice = {room: found.get("MADOGUCHI_NOTICE_KEYS") for room, found in given.items()}
    assert notice.pop("reporting") is None
    assert len(set(notice.values())) == 1
    masters = {found[f"MADOGUCHI_{room.upper()}_MASTER_KEYS"] for room, found in given.items()}
    assert len(masters) == len(rooms)


def test_the_settings_read_what_the_volume_gives(
    volumes: Path, rooms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in rooms:
        for name, value in start.with_secrets({}, volumes / room).items():
            monkeypatch.setenv(name, value)
        prefix = f"MADOGUCHI_{room.upper()}_"
        doors = Doors(
            _env_prefix=prefix, database_url="x", api_port=1, consume_port=2, relay_port=3
        )
        assert list(key_ring(doors.master_keys, f"{prefix}MASTER_KEYS")) == ["k1"]
    assert len(key_ring(KernelSettings().notice_keys, "NOTICE_KEYS")["k1"]) == 32


def test_key_files_lie_where_compose_says(
    volumes: Path, rooms: list[str], compose: dict[str, Any]
) -> None:
    for room in rooms:
        told = compose["services"][f"{room}-api"]["environment"]
        named = {Path(told[name]).name for name in told if name.endswith("_KEY_FILE")}
        there = {path.name for path in (volumes / room).iterdir() if path.suffix == ".pem"}
        assert named == there
    assert CitizenKeys.read(volumes / "reservation" / "citizen-signing.pem").kid


def test_a_key_added_in_the_store_reaches_the_rooms(volumes: Path) -> None:
    ring = volumes / "store" / "notice-keys"
    added = f"k2:{'A' * 43}=,{ring.read_text('utf-8').strip()}"
    ring.write_text(added)
    keys.distribute(volumes)
    found = start.with_secrets({}, volumes / "issuance")["MADOGUCHI_NOTICE_KEYS"]
    assert list(key_ring(SecretStr(found), "NOTICE_KEYS")) == ["k2", "k1"]
