"""Each room installs and starts alone: without the other rooms, with nothing running beside it."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml

from deploy.docker import health, keys, start
from deploy.embedded.ports import free_port

from .conftest import ROOT, Installed

pytestmark = pytest.mark.journey

LOOK_AROUND = """
import json, pkgutil, sys
from importlib.resources import files
from importlib.util import find_spec
import services

room = sys.argv[1]
others = ("deploy", "simulation", "tests")
print(json.dumps({
    "rooms": sorted(module.name for module in pkgutil.iter_modules(services.__path__)),
    "others": [name for name in others if find_spec(name)],
    "file": find_spec(f"services.{room}").origin,
    "own": sorted(path.name for path in (files(f"services.{room}") / "migrations").iterdir()),
    "kernel": sorted(path.name for path in (files("shared") / "migrations").iterdir()),
}))
"""


def test_it_has_no_neighbours(alone: Installed, room: str) -> None:
    ran = alone.run("python", "-c", LOOK_AROUND, room)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["rooms"] == [room]
    assert found["others"] == []
    assert found["file"].startswith(str(alone.environment))
    assert any(name.endswith(".sql") for name in found["own"])
    assert "0001_kernel.sql" in found["kernel"]


def test_it_says_what_it_can_do(alone: Installed, room: str) -> None:
    ran = alone.run("python", "-m", f"services.{room}", "--help")
    assert ran.returncode == 0, ran.stderr
    assert all(process in ran.stdout for process in ("api", "consume", "relay", "migrate"))


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of every room, as the one-shot ``keys`` makes them."""
    root = tmp_path_factory.mktemp("keys")
    keys.distribute(root)
    return root


def contained(room: str, process: str, volume: Path) -> dict[str, str]:
    """What the container of docker-compose is told, with nobody at any of the addresses."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    told = compose["services"][f"{room}-{process}"]["environment"]
    nobody = f"127.0.0.1:{free_port()}"
    filled = {
        name: re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}", lambda found: found[1] or "", value)
        .replace("/run/madoguchi", str(volume))
        .replace("postgres:5432", nobody)
        .replace("kafka:9092", nobody)
        .replace("keycloak:8080", nobody)
        .replace("otel-collector:4318", nobody)
        for name, value in told.items()
    }
    port = f"MADOGUCHI_{room}_{process}_PORT".upper()
    here = {port: str(free_port()), "MADOGUCHI_HOST": "127.0.0.1"}
    return start.with_secrets(filled | here | {"MADOGUCHI_CITY_CODE": "141305"}, volume)


@pytest.mark.parametrize("process", ["api", "consume", "relay"])
def test_it_lives_with_nothing_else_running(
    alone: Installed, room: str, process: str, volumes: Path
) -> None:
    settings = contained(room, process, volumes / room)
    url = health.live_url([process], {"SERVICE": room, **settings})
    assert url is not None
    log = alone.folder.parent / f"{process}.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [alone.program("python"), "-m", f"services.{room}", process],
            cwd=alone.folder,
            env=alone.variables(**settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _until_live(running, url, log.read_text)
            assert _status(url.replace("/livez", "/readyz")) == 503
            running.send_signal(signal.SIGTERM)
            assert running.wait() == 0, log.read_text()
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()


def _until_live(running: subprocess.Popen[bytes], url: str, log: Callable[[], str]) -> None:
    """Wait for a 200; a process that ends before fails with its log."""
    while _status(url) != 200:
        assert running.poll() is None, log()
        time.sleep(0.1)


def _status(url: str) -> int | None:
    """The status of the answer, None without one."""
    try:
        return httpx.get(url, timeout=60).status_code
    except httpx.TransportError:
        return None
