"""The demo as a visitor runs it: it ends well, and takes everything it started with it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.plan import DEFAULT_PORTS, Plan
from deploy.embedded.ports import free_ports
from deploy.embedded.stack import Stack
from tests.conftest import JARS

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
COMMAND = [sys.executable, "-c", "from deploy.cli.main import main; main()", "demo"]


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    """The environment of one demo folder."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as folder:
        ports = zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)), strict=True)
        settings = {f"MADOGUCHI_{name}": str(port) for name, port in ports}
        settings |= {"MADOGUCHI_HOME": folder, "MADOGUCHI_CACHE": str(JARS)}
        yield settings
        Stack(Plan.read(Path(folder), settings)).down()


def environment(settings: dict[str, str], **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if "MADOGUCHI" not in name}
    return {**clean, "LC_ALL": "C.UTF-8", **settings, **more}


def running(settings: dict[str, str]) -> list[str]:
    parts = Stack(Plan.read(Path(settings["MADOGUCHI_HOME"]), settings)).parts
    return [part for part in parts.names if parts.running(part)]


def test_once_shows_the_month_and_ends_well(settings: dict[str, str]) -> None:
    done = subprocess.run(
        COMMAND,
        env=environment(settings, MADOGUCHI_DEMO="once"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "川崎区" in done.stdout
    assert "/docs" in done.stderr
    assert running(settings) == []


def test_ctrl_c_takes_everything_along(settings: dict[str, str]) -> None:
    with subprocess.Popen(
        COMMAND,
        env=environment(settings),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as demo:
        assert demo.stderr is not None
        told = []
        for line in demo.stderr:
            told.append(line)
            if "Ctrl-C" in line:
                break
        assert len(running(settings)) == 15, "".join(told)
        demo.send_signal(signal.SIGINT)
        demo.communicate()
    assert demo.returncode == 0
    assert running(settings) == []
