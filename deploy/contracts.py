"""The written contracts under docs/contracts/ say what the code says, and only add to a release.

``write`` makes them from the rooms' tables, ``check`` tells what differs and what would break a
reader of the last release.
"""

import json
import tomllib
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy import event_table, release
from shared.contracts.asyncapi import Installation, RoomTables, document
from shared.contracts.base import Event
from shared.contracts.clock import ClockAdvanced
from shared.contracts.compatibility import breaks
from shared.contracts.schemas import all_schemas
from shared.messaging.subscriptions import Subscription
from shared.messaging.topics import CLOCK_TOPIC, EVENT_TOPICS, PARTITIONS

ROOMS = ("issuance", "preparation", "reporting", "reservation")
FOLDER = Path("docs/contracts")
SCHEMAS = FOLDER / "schemas"
EXAMPLES = Path("tests/contracts/golden")
REWRITE = "Run `madoguchi contracts write` and commit the result."


def write(root: Path) -> list[Path]:
    """Write every document under ``root`` and return the paths that changed."""
    wanted = documents(root)
    changed = [path for path, text in wanted.items() if _read(root / path) != text]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path], encoding="utf-8")
    gone = [path for path in _present(root) if path not in wanted]
    for path in gone:
        (root / path).unlink()
    return sorted(changed + gone)


def check(root: Path) -> list[str]:
    """What is wrong with the documents under ``root``: each with its remedy; empty when right.

    Raises ``release.GitError`` when the last release cannot be read.
    """
    wanted = documents(root)
    stale = [path for path, text in wanted.items() if _read(root / path) != text]
    stale += [path for path in _present(root) if path not in wanted]
    wrong = [f"{path} does not say what the code says. {REWRITE}" for path in sorted(stale)]
    tag = release.last_tag(root)
    return wrong + (
        [str(found) for found in breaks(_released(root, tag), all_schemas())] if tag else []
    )


def compared_with(root: Path) -> str:
    """A sentence that says which release ``check`` compares with."""
    tag = release.last_tag(root)
    return (
        f"Compared with release {tag}." if tag else "No release tag yet: nothing to compare with."
    )


def documents(root: Path) -> dict[Path, str]:
    """What the documents should say, by path relative to ``root``."""
    tables = rooms()
    asyncapi = document(_installation(root), tables)
    schemas = {SCHEMAS / f"{name}.json": _json(body) for name, body in all_schemas().items()}
    made = {
        FOLDER / "asyncapi.json": _json(asyncapi),
        FOLDER / "events.md": event_table.page(tables),
    }
    return {**made, **schemas}


def rooms() -> list[RoomTables]:
    """The tables of every room that has them, and of the clock that all of them follow."""
    found = [_tables(name) for name in ROOMS if find_spec(f"services.{name}.events")]
    clock = RoomTables("simulation", publishes=((ClockAdvanced, CLOCK_TOPIC),), hears=())
    return [*found, clock]


def _tables(room: str) -> RoomTables:
    events = import_module(f"services.{room}.events")
    publishes: Iterable[type[Event]] = events.PUBLISHES
    subscribes: Iterable[Subscription] = events.SUBSCRIBES
    return RoomTables(
        room,
        publishes=tuple((event, event.topic or f"{room}.events") for event in publishes),
        hears=(
            *((s.event_type, topic) for s in subscribes for topic in s.topics),
            (ClockAdvanced, CLOCK_TOPIC),  # every room follows it when its clock is replayed
        ),
    )


def _installation(root: Path) -> Installation:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Installation(
        title="Madoguchi",
        version=project["version"],
        description=project["description"],
        partitions={**dict.fromkeys(EVENT_TOPICS, PARTITIONS), CLOCK_TOPIC: 1},
        examples={path.stem: _load(path) for path in sorted((root / EXAMPLES).glob("*.json"))},
    )


def _released(root: Path, tag: str) -> dict[str, Any]:
    texts = release.texts(root, tag, SCHEMAS)
    return {path.stem: json.loads(text) for path, text in texts.items()}


def _present(root: Path) -> list[Path]:
    return [path.relative_to(root) for path in sorted((root / SCHEMAS).glob("*.json"))]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _json(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"
