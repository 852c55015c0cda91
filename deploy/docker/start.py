"""Start one process of the room in this image: ``start.py api|consume|relay|migrate``.

Secrets arrive as files, so that they show neither in ``docker inspect`` nor in a compose file: each
file of the key directory that is named like a setting (``MADOGUCHI_…``) becomes that setting,
unless the environment already has it. The process then replaces this one and gets its signals.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

KEYS = Path("/run/madoguchi")


def with_secrets(environment: Mapping[str, str], directory: Path) -> dict[str, str]:
    """``environment`` and the settings kept as files in ``directory``; a missing one adds none."""
    found = sorted(directory.glob("MADOGUCHI_*")) if directory.is_dir() else []
    return {file.name: file.read_text("utf-8").strip() for file in found} | dict(environment)


def command(environment: Mapping[str, str], arguments: list[str]) -> list[str]:
    """The room's own process. Raises ``SystemExit`` when the image names no room."""
    room = environment.get("SERVICE")
    if not room:
        raise SystemExit("SERVICE is not set: build the image with --build-arg SERVICE=<room>")
    return [sys.executable, "-m", f"services.{room}", *arguments]


def main() -> None:
    """Replace this process by the room's."""
    process = command(os.environ, sys.argv[1:])
    os.execve(process[0], process, with_secrets(os.environ, KEYS))  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main()
