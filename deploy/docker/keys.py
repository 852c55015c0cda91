"""Make the keys of a containerised installation, and give each room its own and no other.

``python -m deploy.docker.keys /keys``: ``/keys/store`` keeps every key and is mounted nowhere else;
``/keys/<room>`` is the volume that the room's containers read. A key once made is never replaced
here. To rotate, add a key in the store, run this again and restart the rooms.
"""

import os
import sys
from pathlib import Path

from deploy.embedded import keys
from deploy.embedded.environment import CITIZENS_ISSUED_BY, READS_NOTICES
from deploy.embedded.keys import KeyStore
from deploy.embedded.plan import ROOMS


def files(store: KeyStore, room: str) -> dict[str, str]:
    """What lies in the room's volume: a file named like a setting holds its value."""
    own = {
        f"MADOGUCHI_{room.upper()}_MASTER_KEYS": store.master_keys(room),
        keys.AUDIT: store.path(keys.AUDIT).read_text("utf-8"),
    }
    if room in READS_NOTICES:
        own["MADOGUCHI_NOTICE_KEYS"] = store.notice_keys()
    if room == CITIZENS_ISSUED_BY:
        own[keys.CITIZEN] = store.path(keys.CITIZEN).read_text("utf-8")
    return own


def distribute(root: Path) -> None:
    """Make what is missing under ``root/store`` and write each room's files."""
    store = KeyStore(root / "store")
    store.ensure()
    for room in ROOMS:
        (root / room).mkdir(exist_ok=True, mode=0o700)
        for name, text in files(store, room).items():
            _replace(root / room / name, text)


def _replace(path: Path, text: str) -> None:
    """Write the file whole, readable by its owner only; a reader sees the old or the new one."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    aside.replace(path)


def main() -> None:
    """The command. Raises ``OSError`` when the volumes cannot be written."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "/keys")
    distribute(root)
    print(f"keys of {len(ROOMS)} rooms are in {root}")


if __name__ == "__main__":
    main()
