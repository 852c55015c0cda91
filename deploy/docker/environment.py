"""Write ``.env`` for docker-compose: ``.env.example`` with a random value on every empty line.

An existing ``.env`` is left alone, because the databases in the volumes know its passwords.
Standard library only: it runs before anything is installed.
"""

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BYTES = 24


def filled(example: str, random_value: Callable[[], str]) -> str:
    """``example`` with ``random_value()`` put behind every ``NAME=`` that has no value."""
    lines = (
        line + random_value() if line.endswith("=") and not line.startswith("#") else line
        for line in example.splitlines()
    )
    return "\n".join(lines) + "\n"


def write(root: Path) -> str:
    """Write ``root/.env``, readable by its owner only, and return what to tell the user.

    Raises ``FileExistsError`` when there is one.
    """
    target = root / ".env"
    # URL-safe characters: the values stand in database URLs.
    text = filled((root / ".env.example").read_text("utf-8"), lambda: secrets.token_urlsafe(BYTES))
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return f"{target} written with new passwords. Next: docker compose up --detach --build"


def main() -> int:
    """0 when written, 1 when there already is one."""
    try:
        print(write(ROOT))
    except FileExistsError:
        print(".env is there already and stays as it is; remove it to start anew.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
