"""Settings are refused by name before anything starts; no value is quoted: it may be a secret."""

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from shared.settings import KernelSettings, doors, key_ring, unusable

KEY = base64.b64encode(bytes(32)).decode()


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine takes part."""
    monkeypatch.chdir(tmp_path)


def _read(monkeypatch: pytest.MonkeyPatch, **values: str) -> KernelSettings:
    for name, value in values.items():
        monkeypatch.setenv(f"MADOGUCHI_{name}", value)
    return KernelSettings()


# Kawasaki, six of its wards, Sapporo, Naha: published municipal codes.
@pytest.mark.parametrize(
    "code",
    ["141305", "141313", "141321", "141330", "141348", "141356", "141364", "011002", "472018"],
)
def test_a_published_municipal_code_is_taken(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    assert _read(monkeypatch, CITY_CODE=code).source("reservation") == f"/{code}/reservation"


@pytest.mark.parametrize("code", ["141306", "14130", "1413050", "abcdef", "14130\uff15"])
def test_another_code_is_refused(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _read(monkeypatch, CITY_CODE=code)
    assert unusable(refused.value).startswith("MADOGUCHI_CITY_CODE: ")


@pytest.mark.parametrize("text", ["1,10,60", "1, 10, 60", "[1, 10, 60]"])
def test_lists_are_written_with_commas_or_as_json(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    assert _read(monkeypatch, RETRY_SECONDS=text).retry_seconds == (1, 10, 60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETRY_SECONDS", "1,soon"),
        ("RETRY_SECONDS", "-1"),
        ("RETRY_SECONDS", "[1"),
        ("LOG_LEVEL", "LOUD"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092,"),
        ("KAFKA_CA_FILE", "/nowhere/ca.pem"),
        ("TOPIC_PREFIX", "Test Prefix"),
        ("OUTBOX_RETENTION_HOURS", "121"),
    ],
)
def test_what_cannot_be_used_is_named_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        _read(monkeypatch, **{name: value})
    assert unusable(refused.value).startswith(f"MADOGUCHI_{name}")
    assert value not in str(refused.value).split("http", 1)[0].replace(name.lower(), "")


def test_sasl_without_a_password_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as refused:
        _read(monkeypatch, KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_SASL_USERNAME="room")
    assert "MADOGUCHI_KAFKA_SASL_PASSWORD" in unusable(refused.value)


def test_a_certificate_without_its_key_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "certificate.pem").touch()
    with pytest.raises(ValidationError) as refused:
        _read(monkeypatch, KAFKA_CERTIFICATE_FILE=str(tmp_path / "certificate.pem"))
    assert "MADOGUCHI_KAFKA_KEY_FILE" in unusable(refused.value)


def test_a_level_in_small_letters_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _read(monkeypatch, LOG_LEVEL="debug").log_level == "DEBUG"


def test_a_missing_door_shows_no_key_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADOGUCHI_TESTING_MASTER_KEYS", f"k1:{KEY}")
    with pytest.raises(ValidationError) as refused:
        doors("testing")
    assert KEY[:8] not in str(refused.value)
    told = unusable(refused.value, "MADOGUCHI_TESTING_")
    assert "MADOGUCHI_TESTING_DATABASE_URL: Field required" in told


def test_what_is_printed_of_doors_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADOGUCHI_TESTING_DATABASE_URL", "postgresql://room:hidden@db/room")
    for port in ("API", "CONSUME", "RELAY"):
        monkeypatch.setenv(f"MADOGUCHI_TESTING_{port}_PORT", "8101")
    assert "hidden" not in repr(doors("testing"))


def test_a_key_ring_keeps_its_order() -> None:
    ring = key_ring(SecretStr(f"new:{KEY}, old:{KEY}"), "MASTER_KEYS")
    assert list(ring) == ["new", "old"]
    assert set(ring.values()) == {bytes(32)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "set a key ring"),
        ("", "set a key ring"),
        ("k1", "entry 1 must be"),
        (f":{KEY}", "entry 1 must be"),
        (f"k1:{KEY},k2:c2hvcnQ=", "entry 2 must be"),
        ("k1:not base64", "entry 1 must be"),
        (f"k1:{KEY},k1:{KEY}", "entry 2 repeats the id k1"),
    ],
)
def test_a_malformed_key_ring_is_named_without_its_keys(text: str | None, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        key_ring(SecretStr(text) if text is not None else None, "MASTER_KEYS")
    assert str(refused.value).startswith("MADOGUCHI_MASTER_KEYS: ")
    assert KEY not in str(refused.value)
