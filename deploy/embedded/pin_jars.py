"""Resolve Kafka's dependencies afresh and rewrite `kafka_jars.txt`.

Run `python -m deploy.embedded.pin_jars` after changing a version below, and commit the result.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from deploy.embedded.jars import PINS, maven

KAFKA = ("org.apache.kafka", "kafka_2.13", "4.4.0")
# Kafka's manifest leaves the logging binding to the distribution; without it there is no log.
LOGGING = ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.5")


def pin(pins: Path = PINS) -> None:
    """Resolve, download, digest and write the list."""
    with tempfile.TemporaryDirectory() as cache:
        lines = [_line(artifact) for artifact in _resolve(Path(cache))]
    header = "# Kafka's class path, made by `python -m deploy.embedded.pin_jars`"
    pins.write_text("\n".join([header, *lines]) + "\n")


def _resolve(cache: Path) -> list[Any]:
    from jgo.maven import Dependency  # noqa: PLC0415 - slow to import, and needed only here

    context = maven(cache)
    wanted = [
        # "raw": its parent's list of managed versions must not override Kafka's.
        Dependency(_artifact(context, *coordinate), scope="compile", raw=coordinate != KAFKA)
        for coordinate in (KAFKA, LOGGING)
    ]
    inputs, transitive = context.resolver.resolve(wanted)
    needed = [item for item in transitive if item.scope in {"compile", "runtime"}]
    artifacts = {item.artifact.key: item.artifact for item in [*inputs, *needed]}
    return list(artifacts.values())


def _artifact(context: Any, group: str, name: str, version: str) -> Any:
    return context.project(group, name).at_version(version).artifact()


def _line(artifact: Any) -> str:
    digest = hashlib.sha256(Path(artifact.resolve()).read_bytes()).hexdigest()
    return f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} {digest}"


if __name__ == "__main__":
    pin()
