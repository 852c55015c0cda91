"""A signal goes only to what we started; a pid alone proves nothing."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from deploy.embedded import processes
from deploy.embedded.errors import StartFailed
from deploy.embedded.processes import ProcessRecord

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(300)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(300)",
]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[ProcessRecord]:
    """A process of ours that does nothing."""
    record = processes.spawn("sleeper", SLEEP, tmp_path / "sleeper.log")
    yield record
    processes.kill(record)


def is_up(record: ProcessRecord) -> bool:
    return "up" in Path(record.log).read_text()


def test_a_started_process_is_recognised(sleeper: ProcessRecord) -> None:
    assert sleeper.running


def test_a_record_survives_its_file(sleeper: ProcessRecord, tmp_path: Path) -> None:
    sleeper.save(tmp_path / "run" / "sleeper.json")
    assert processes.running_record(tmp_path / "run" / "sleeper.json") == sleeper


def test_another_process_with_the_same_pid_is_not_ours(sleeper: ProcessRecord) -> None:
    stale = replace(sleeper, created=sleeper.created - 3600)
    assert not stale.running
    processes.stop(stale)
    processes.kill(stale)
    assert sleeper.running


def test_a_stale_file_is_removed(sleeper: ProcessRecord, tmp_path: Path) -> None:
    path = tmp_path / "stale.json"
    replace(sleeper, created=sleeper.created - 3600).save(path)
    assert processes.running_record(path) is None
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_an_unreadable_file_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    assert processes.running_record(path) is None


def test_a_process_ends_when_asked(sleeper: ProcessRecord) -> None:
    processes.stop(sleeper, gently=signal.SIGTERM, seconds=10)
    assert not sleeper.running


def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    record = processes.spawn("stubborn", STUBBORN, tmp_path / "stubborn.log")
    processes.wait_until(record, lambda: is_up(record), seconds=30)
    processes.stop(record, gently=signal.SIGTERM, seconds=0.2)
    assert not record.running


def test_a_process_that_ends_while_awaited_shows_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('my last words')"]
    record = processes.spawn("short", command, tmp_path / "short.log")
    with pytest.raises(StartFailed, match="my last words"):
        processes.wait_until(record, lambda: False, seconds=30)


def test_a_process_that_stays_silent_is_reported(sleeper: ProcessRecord) -> None:
    with pytest.raises(StartFailed, match="no answer within"):
        processes.wait_until(sleeper, lambda: False, seconds=0.1)


def test_a_process_outlives_the_one_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from deploy.embedded import processes;"
        f"r = processes.spawn('child', {SLEEP!r}, Path({str(tmp_path / 'child.log')!r}));"
        f"r.save(Path({str(tmp_path / 'child.json')!r}))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    record = processes.running_record(tmp_path / "child.json")
    assert record is not None
    processes.stop(record)
    assert not psutil.pid_exists(record.pid) or not record.running


def test_what_a_process_did_before_it_ended_counts(tmp_path: Path) -> None:
    record = processes.spawn("quick", [sys.executable, "-c", "print('up')"], tmp_path / "quick.log")

    def ready() -> bool:
        while record.running:  # it ends while it is being looked at
            pass
        return is_up(record)

    processes.wait_until(record, ready, seconds=30)
