"""Kafka's jars: fetched once into a shared cache, and proved to be the pinned ones.

Invariant: a jar is on the class path only after its SHA-256 matched `kafka_jars.txt`; a broken
or interrupted download never becomes visible.
"""

import fcntl
import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.embedded.errors import OperatorError
from deploy.embedded.progress import Progress, quiet

PINS = Path(__file__).with_name("kafka_jars.txt")
ATTEMPTS = 4
PARALLEL = 6


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned artifact of a Maven repository."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """The file's name in the cache and in the repository."""
        return f"{self.artifact}-{self.version}.jar"


class WrongJar(OperatorError):  # noqa: N818 - reads as the fact it states
    """A downloaded jar is not the one that was pinned."""

    def __init__(self, jar: Jar) -> None:
        super().__init__(
            f"{jar.filename} does not match its pinned SHA-256. "
            "Check the network's proxy or mirror, then start again.",
            f"{jar.filename} の SHA-256 が登録値と一致しません。"
            "プロキシやミラーを確認して、もう一度起動してください。",
        )


class JarUnreachable(OperatorError):  # noqa: N818 - reads as the fact it states
    """A jar could not be downloaded."""

    def __init__(self, jar: Jar, reason: Exception) -> None:
        super().__init__(
            f"{jar.filename} could not be downloaded ({reason}). Check the network and start "
            "again; what was fetched so far is kept. Or use a Kafka of your own through "
            "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS.",
            f"{jar.filename} を取得できませんでした({reason})。ネットワークを確認して再実行して"
            "ください(取得済みの分は残ります)。既存の Kafka は "
            "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS で指定できます。",
        )


def pinned(pins: Path = PINS) -> tuple[Jar, ...]:
    """The jars of the class path, in order."""
    lines = [line for line in pins.read_text().splitlines() if not line.startswith("#")]
    return tuple(_jar(line) for line in lines)


def _jar(line: str) -> Jar:
    coordinate, sha256 = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


def ensure_jars(cache: Path, progress: Progress = quiet, pins: Path = PINS) -> list[Path]:
    """Paths of all pinned jars, fetching those that the cache lacks.

    Two processes may call this at once: the second waits for the first and fetches nothing.

    Raises:
        JarUnreachable: the repository gave no answer after several attempts.
        WrongJar: a file differs from its pinned digest.
    """
    jars = pinned(pins)
    directory = cache.absolute() / "jars"
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / jar.filename for jar in jars]
    # A file gets its final name only after the check, so being there is enough.
    if not all(path.exists() for path in paths):
        with _only_one(directory / ".lock"):
            missing = [jar for jar in jars if not (directory / jar.filename).exists()]
            _fetch_all(missing, directory, progress)
    return paths


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch_all(jars: list[Jar], directory: Path, progress: Progress) -> None:
    staging = directory / ".staging"
    shutil.rmtree(staging, ignore_errors=True)  # what an interrupted run left is not trusted
    done = 0
    counting = threading.Lock()

    def fetch(jar: Jar) -> None:
        nonlocal done
        _fetch(jar, staging, directory)
        with counting:
            done += 1
            progress("Kafka jars", done=done, total=len(jars))

    progress("Kafka jars", done=0, total=len(jars))
    with ThreadPoolExecutor(PARALLEL) as pool:
        try:
            list(pool.map(fetch, jars))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # the rest would be fetched for nothing
            raise
    shutil.rmtree(staging, ignore_errors=True)


def _fetch(jar: Jar, staging: Path, directory: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            downloaded = _download(jar, staging / f"{jar.artifact}-{attempt}")
            break
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
            if attempt == ATTEMPTS:
                raise JarUnreachable(jar, error) from error
            time.sleep(attempt)
    if hashlib.sha256(downloaded.read_bytes()).hexdigest() != jar.sha256:
        raise WrongJar(jar)
    downloaded.replace(directory / jar.filename)


def _download(jar: Jar, staging: Path) -> Path:
    path: Path = (
        maven(staging).project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    )
    return path


def maven(cache: Path) -> Any:
    """jgo's view of Maven Central with its own Python resolver, writing to `cache`."""
    # Imported late: jgo takes a third of a second, and a warm start never needs it.
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415

    return MavenContext(resolver=PythonResolver(), repo_cache=cache, timeout=30)
