"""The small programs inside the image: start with secrets from files, and say whether alive."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy.docker import health, start


def test_secrets_become_settings(tmp_path: Path) -> None:
    (tmp_path / "MADOGUCHI_MASTER_KEYS").write_text("k1:abc\n")
    (tmp_path / "audit-signing.pem").write_text("not a setting")
    environment = start.with_secrets({"PATH": "/bin"}, tmp_path)
    assert environment == {"PATH": "/bin", "MADOGUCHI_MASTER_KEYS": "k1:abc"}


def test_the_environment_wins_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "MADOGUCHI_MASTER_KEYS").write_text("file")
    environment = start.with_secrets({"MADOGUCHI_MASTER_KEYS": "given"}, tmp_path)
    assert environment["MADOGUCHI_MASTER_KEYS"] == "given"


def test_no_key_directory_is_no_error(tmp_path: Path) -> None:
    assert start.with_secrets({"A": "b"}, tmp_path / "none") == {"A": "b"}


def test_the_room_of_the_image_is_started() -> None:
    started = start.command({"SERVICE": "reservation"}, ["relay"])
    assert started == [sys.executable, "-m", "services.reservation", "relay"]


def test_an_image_without_a_room_says_so() -> None:
    with pytest.raises(SystemExit, match="SERVICE"):
        start.command({}, ["api"])


@pytest.mark.parametrize(("process", "port"), [("api", 8102), ("consume", 8112), ("relay", 8122)])
def test_health_asks_the_process_of_the_container(process: str, port: int) -> None:
    environment = {
        "SERVICE": "reservation",
        f"MADOGUCHI_RESERVATION_{process.upper()}_PORT": str(port),
    }
    url = health.live_url(["python", "-m", "services.reservation", process], environment)
    assert url == f"http://127.0.0.1:{port}/livez"


def test_a_migration_is_not_asked() -> None:
    assert health.live_url(["python", "-m", "services.reservation", "migrate"], {}) is None


def test_a_missing_port_is_named() -> None:
    with pytest.raises(KeyError, match="MADOGUCHI_RESERVATION_API_PORT"):
        health.live_url(["api"], {"SERVICE": "reservation"})


class Answer(BaseHTTPRequestHandler):
    """Answers every path but /livez with 503."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/livez" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
        """Say nothing."""


@pytest.fixture
def live_port() -> Iterator[int]:
    """A port on which something lives."""
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_living_process_is_well(live_port: int) -> None:
    assert health.ask(f"http://127.0.0.1:{live_port}/livez") is None


def test_a_process_that_fails_is_not(live_port: int) -> None:
    assert "503" in str(health.ask(f"http://127.0.0.1:{live_port}/other"))


def test_nothing_there_is_not_well(live_port: int, root: Path) -> None:
    refused = health.ask("http://127.0.0.1:1/livez")
    assert refused is not None


@pytest.mark.parametrize("script", ["start.py", "health.py", "environment.py"])
def test_it_runs_with_the_standard_library_alone(root: Path, script: str) -> None:
    compiled = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({script!r})"],
        cwd=root / "deploy/docker",
        capture_output=True,
        text=True,
        check=False,
    )
    assert compiled.returncode == 0, compiled.stderr
