"""Each room installs and starts alone: without the other rooms, with nothing running beside it."""

import json
import signal
import subprocess
import time
from collections.abc import Callable

import httpx
import pytest

from deploy.embedded.ports import free_port

from .conftest import Installed

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


@pytest.mark.parametrize("process", ["api", "consume", "relay"])
def test_it_lives_with_nothing_else_running(alone: Installed, room: str, process: str) -> None:
    prefix = f"MADOGUCHI_{room.upper()}_"
    ports = {name: str(free_port()) for name in ("API", "CONSUME", "RELAY")}
    nobody = free_port()
    settings = {
        **{f"{prefix}{name}_PORT": port for name, port in ports.items()},
        f"{prefix}DATABASE_URL": f"postgresql://nobody@127.0.0.1:{nobody}/nothing",
        "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{nobody}",
        "MADOGUCHI_OIDC_ISSUER": f"http://127.0.0.1:{nobody}",
    }
    base = f"http://127.0.0.1:{ports[process.upper()]}"
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
            _until_live(running, f"{base}/livez", log.read_text)
            assert _status(f"{base}/readyz") == 503
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
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return None
