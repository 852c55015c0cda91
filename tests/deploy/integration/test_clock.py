"""`clock` moves replayed time alone, and says what it needs."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.embedded.plan import Plan
from deploy.embedded.ports import free_port

REPLAY = {"MADOGUCHI_CLOCK": "replay"}


def clock(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if "MADOGUCHI" not in name}
    return subprocess.run(
        [sys.executable, "-c", "from deploy.cli.main import main; main()", "clock", *arguments],
        env={**clean, "LC_ALL": "C.UTF-8", "MADOGUCHI_HOME": str(data), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_real_time_is_not_moved(tmp_path: Path) -> None:
    done = clock(tmp_path, "advance", "2026-04-07T09:00")
    assert done.returncode == 1
    assert "machine's clock" in done.stderr
    assert "MADOGUCHI_CLOCK=replay" in done.stderr


def test_the_clock_of_what_runs_counts_before_the_environment(tmp_path: Path) -> None:
    Plan.read(tmp_path, {"MADOGUCHI_CLOCK": "system"}).remember()
    done = clock(tmp_path, "show", **REPLAY)
    assert done.returncode == 1
    assert "machine's clock" in done.stderr


def test_what_is_no_time_is_refused_with_an_example(tmp_path: Path) -> None:
    done = clock(tmp_path, "advance", "tomorrow", **REPLAY)
    assert done.returncode == 1
    assert "2026-04-07T09:00" in done.stderr


def test_a_missing_broker_is_named(tmp_path: Path) -> None:
    nobody = {"MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    done = clock(tmp_path, "show", **REPLAY, **nobody)
    assert done.returncode == 1
    assert "MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS" in done.stderr
    assert "Traceback" not in done.stderr
