"""`madoguchi replay` around the replay itself: folder, what it starts and stops, exit code, bar."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import replay as command
from deploy.cli import replay_bar
from deploy.cli.main import app
from deploy.cli.replay_bar import ReplayBar
from shared.contracts.base import Procedure
from simulation.replay.result import CellResult, Result
from simulation.replay.run import Standing

DONE = Result(
    (CellResult(date(2025, 7, 1), Procedure.CARD_ISSUANCE, 10, 7, 3),), 11, 200, 500, 1.0, "h", {}
)


@dataclass
class Stack:
    """An installation of which ``idle`` parts do not run yet."""

    idle: Sequence[str]
    stopped: list[str] = field(default_factory=list)

    def up(self, _: object) -> Sequence[str]:
        """Start what does not run."""
        return self.idle

    def stop(self, names: Sequence[str], _: object) -> None:
        """Stop these."""
        self.stopped += names


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Stands for every installation; the replay in it ends with ``DONE``."""
    stack = Stack(["kafka", "issuance-api"])
    monkeypatch.setattr(command, "stack", lambda *_, **__: stack)
    monkeypatch.setattr(command, "_run", lambda *_: DONE)
    return stack


def run(folder: Path, *arguments: str) -> Any:
    month = ("--from", "2025-07", "--to", "2025-07", "--scale", "1/1000")
    return CliRunner().invoke(app, ["replay", "--data", str(folder), *month, *arguments])


def test_fresh_begins_in_a_folder_of_its_own(tmp_path: Path, house: Stack) -> None:
    assert run(tmp_path, "--fresh").exit_code == 0
    (folder,) = tmp_path.iterdir()
    assert (folder / "replay.jsonl").exists()
    assert run(tmp_path).exit_code == 0
    assert (tmp_path / "replay.jsonl").exists()


def test_what_it_started_it_stops_and_nothing_else(
    tmp_path: Path, house: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path)
    assert house.stopped == ["kafka", "issuance-api"]
    house.stopped.clear()
    house.idle = []
    run(tmp_path)
    assert house.stopped == []

    def fail(*_: object) -> Result:
        raise RuntimeError

    house.idle = ["issuance-api"]
    monkeypatch.setattr(command, "_run", fail)
    assert isinstance(run(tmp_path).exception, RuntimeError)
    assert house.stopped == ["issuance-api"]


def test_what_is_carried_is_said_and_what_is_lost_fails(
    tmp_path: Path, house: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run(tmp_path)
    assert said.exit_code == 0
    assert "no seats for 3" in " ".join(said.output.split())
    lost = replace(DONE, cells=(replace(DONE.cells[0], carried=2),))
    monkeypatch.setattr(command, "_run", lambda *_: lost)
    assert run(tmp_path).exit_code == 1


def test_the_bar_tells_rate_lag_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(replay_bar, "_LINE_SECONDS", -1.0)
    clock = iter((10.0, 20.0))
    monkeypatch.setattr("deploy.cli.replay_bar.time.monotonic", lambda: next(clock, 30.0))
    with ReplayBar() as bar:
        bar(Standing(date(2025, 6, 20), 0, 100, 7))
        bar(Standing(date(2025, 7, 1), 20, 100, 7))
    said = " ".join(capsys.readouterr().err.split())
    assert "2025-06-20: 0 of 100 cases, 0/s, lag 7, warming up" in said
    assert "20 of 100 cases, 2/s, lag 7, 40 s left" in said
    with ReplayBar() as bar:
        bar(Standing(date(2026, 12, 1), 20, None, 7))
    said = " ".join(capsys.readouterr().err.split())
    assert "2026-12-01: 20 cases, lag 7" in said
