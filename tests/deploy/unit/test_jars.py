"""Only pinned bytes reach the class path, and two resolvers do the work once."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.embedded import jars
from deploy.embedded.jars import Jar, JarUnreachable, WrongJar, ensure_jars, pinned
from deploy.embedded.progress import Interrupted, Interruptible

NAMES = ("first", "second", "third")


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """A list of three small jars whose bytes are their names."""
    lines = [
        f"org.example:{name}:1.0 {hashlib.sha256(name.encode()).hexdigest()}" for name in NAMES
    ]
    path = tmp_path / "pins.txt"
    path.write_text("\n".join(["# a comment", *lines]) + "\n")
    return path


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names in the order they were downloaded, from a repository that holds the right bytes."""
    seen: list[str] = []

    def download(jar: Jar, staging: Path) -> Path:
        seen.append(jar.artifact)
        staging.mkdir(parents=True)
        (staging / jar.filename).write_text(jar.artifact)
        return staging / jar.filename

    monkeypatch.setattr(jars, "_download", download)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return seen


def test_the_pinned_class_path_is_kafka_with_a_log() -> None:
    names = [jar.artifact for jar in pinned()]
    assert names[0] == "kafka_2.13"
    assert "log4j-slf4j-impl" in names
    assert len(names) == len(set(names))
    assert {jar.version for jar in pinned() if jar.group == "org.apache.kafka"} == {"4.4.0"}


def test_everything_is_fetched_once(tmp_path: Path, pins: Path, downloads: list[str]) -> None:
    paths = ensure_jars(tmp_path / "cache", pins=pins)
    assert [path.read_text() for path in paths] == list(NAMES)
    ensure_jars(tmp_path / "cache", pins=pins)
    assert sorted(downloads) == sorted(NAMES)


def test_two_resolvers_at_once_fetch_once(tmp_path: Path, pins: Path, downloads: list[str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ensure_jars(tmp_path / "cache", pins=pins), range(4)))
    assert sorted(downloads) == sorted(NAMES)


def test_other_bytes_are_refused(
    tmp_path: Path, pins: Path, downloads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(jar: Jar, staging: Path) -> Path:
        staging.mkdir(parents=True)
        (staging / jar.filename).write_text("something else")
        return staging / jar.filename

    monkeypatch.setattr(jars, "_download", wrong)
    with pytest.raises(WrongJar, match="SHA-256"):
        ensure_jars(tmp_path / "cache", pins=pins)
    assert not list((tmp_path / "cache" / "jars").glob("*.jar"))


def test_a_silent_repository_is_asked_again_and_then_reported(
    tmp_path: Path, pins: Path, downloads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def silent(jar: Jar, staging: Path) -> Path:
        asked.append(jar.artifact)
        raise OSError("no route")

    monkeypatch.setattr(jars, "_download", silent)
    with pytest.raises(JarUnreachable, match="MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS"):
        ensure_jars(tmp_path / "cache", pins=pins)
    assert asked.count("first") == jars.ATTEMPTS


def test_what_was_fetched_before_a_failure_is_kept(
    tmp_path: Path, pins: Path, downloads: list[str]
) -> None:
    (tmp_path / "cache" / "jars").mkdir(parents=True)
    (tmp_path / "cache" / "jars" / "first-1.0.jar").write_text("first")
    ensure_jars(tmp_path / "cache", pins=pins)
    assert sorted(downloads) == ["second", "third"]


def test_a_download_nobody_waits_for_ends(tmp_path: Path, pins: Path, downloads: list[str]) -> None:
    told: list[str] = []

    def note(message: str, *, done: int = 0, total: int = 0) -> None:
        told.append(message)
        progress.interrupt()

    progress = Interruptible(note)
    with pytest.raises(Interrupted):
        ensure_jars(tmp_path / "cache", progress, pins=pins)
    assert told == ["Kafka jars"]
