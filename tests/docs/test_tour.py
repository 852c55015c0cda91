"""The tours are run as they are written, and must print what the pages show."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from deploy.embedded.plan import DEFAULT_PORTS, Plan
from deploy.embedded.ports import free_ports
from deploy.embedded.stack import Stack
from tests.conftest import JARS
from tests.docs.pages import ROOT, Step, steps

TOOLS = ("curl", "jq")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
PATIENCE = 60.0
_DONE = "--- done ---"
_SHORTENED = re.compile(r"(^…\n|…)", re.MULTILINE)
_ANY = {"…\n": r"(?:.*\n)?", "…": ".*"}
_WRITES = re.compile(r"(^|\s)(-X|-d|--data-binary|make|rm) ", re.MULTILINE)

pytestmark = [
    pytest.mark.journey,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(MISSING), reason=f"the tours need {', '.join(MISSING)}"),
]


@dataclass(frozen=True)
class Place:
    """Where a tour is run: a folder and ports of its own instead of those on the page."""

    folder: Path
    ports: dict[str, int]

    def here(self, text: str) -> str:
        """The text of a page with the folder and ports of this run."""
        for name, port in DEFAULT_PORTS.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.ports[name]}")
        text = text.replace(". .venv/bin/activate", f"PATH={Path(sys.executable).parent}:$PATH")
        # `make` would set up what runs this test already.
        text = re.sub(r"\bmake (up|down)\b", r"madoguchi \1", text)
        return text.replace(".madoguchi/tour", str(self.folder))

    @property
    def environment(self) -> dict[str, str]:
        """What the shell is started with."""
        clean = {name: value for name, value in os.environ.items() if "MADOGUCHI" not in name}
        ours = {f"MADOGUCHI_{name}": str(port) for name, port in self.ports.items()}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        home = {"MADOGUCHI_HOME": str(self.folder), "MADOGUCHI_CACHE": str(JARS)}
        return {**clean, **ours, **home, "PATH": path, "LC_ALL": "C.UTF-8"}


class Shell:
    """One shell for a whole page, as a reader has it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, commands: str) -> str:
        """Run commands; what they print, on either stream."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{commands}\necho '{_DONE}'\n")
        self._shell.stdin.flush()
        said: list[str] = []
        for line in self._shell.stdout:
            if line.strip() == _DONE:
                break
            said.append(line)
        return "".join(said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.communicate()


@pytest.fixture
def place() -> Iterator[Place]:
    """Stopped and taken away afterwards, wherever the tour ended."""
    # Not pytest's own: the next run closes that one to other users, and PostgreSQL may be one.
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as folder:
        ports = dict(zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)), strict=True))
        place = Place(Path(folder) / "tour", ports)
        yield place
        Stack(Plan.read(place.folder, place.environment)).down()


@pytest.mark.parametrize("page", ["docs/tour.md", "README.md"])
def test_the_page_is_true(page: str, place: Place) -> None:
    told = steps(ROOT / page)
    assert told
    with Shell(place.environment) as shell:
        for step in told:
            _follow(shell, step, place)


def _follow(shell: Shell, step: Step, place: Place) -> None:
    commands = place.here(step.commands)
    printed = shell.run(commands)
    if step.prints is None:
        return
    shown = place.here(step.prints)
    end = time.monotonic() + PATIENCE
    # News travels between rooms in its own time; a reader looks again too.
    while not _is(shown, printed) and not _WRITES.search(commands) and time.monotonic() < end:
        time.sleep(0.5)
        printed = shell.run(commands)
    assert _is(shown, printed), (
        f"line {step.line}: the page shows\n{shown}\nbut this came\n{printed}"
    )


def _is(shown: str, printed: str) -> bool:
    """Whether the page's text is what was printed; … stands for anything, and as a line of its
    own for any lines or none.
    """
    parts = _SHORTENED.split(f"{shown.strip()}\n")
    pattern = "".join(_ANY.get(part, re.escape(part)) for part in parts)
    plain = "".join(f"{line.rstrip()}\n" for line in printed.strip().splitlines())
    return re.fullmatch(pattern, plain, re.DOTALL) is not None
