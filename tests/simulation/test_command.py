"""`madoguchi replay`: what cannot be replayed is refused before anything is started."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.embedded.errors import OperatorError
from shared.contracts.base import Procedure
from shared.errors import Problem
from simulation.replay.ledger import OtherReplay, open_ledger
from simulation.replay.result import CellResult, Result


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["replay", *arguments])
    error = result.exception
    assert isinstance(error, OperatorError | Problem), result.output
    return str(error)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2025-13"), "--from 2025-13"),
        (("--scale", "2"), "--scale 2"),
        (("--scale", "1/0"), "--scale 1/0"),
        (("--scale", "0"), "--scale 0"),
        (("--from", "2025-07", "--to", "2025-06"), "--to"),
        (("--from", "2031-01", "--to", "2031-02"), "2031-01"),
        (("--demand", "/nowhere.csv"), "/nowhere.csv"),
    ],
)
def test_wrong_arguments_are_refused_at_once(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(*arguments, "--data", str(tmp_path / "house"))
    assert not (tmp_path / "house").exists()


def test_a_folder_of_another_replay_is_left_alone(tmp_path: Path) -> None:
    journal = tmp_path / "replay.jsonl"
    open_ledger(journal, {"months": "2025-04 to 2025-05", "scale": "1"})
    before = journal.read_text()
    said = refused("--from", "2025-07", "--to", "2025-07", "--data", str(tmp_path))
    assert "2025-04 to 2025-05" in said
    assert journal.read_text() == before


def test_a_journal_goes_on_after_the_last_day_that_was_over(tmp_path: Path) -> None:
    path, arguments = tmp_path / "replay.jsonl", {"scale": "1"}
    first = open_ledger(path, arguments)
    for number in range(3):
        first.note("cases", f"C{number}", f"case {number}")
        first.note("bookings", f"C{number}", f"booking {number}")
    first.over("C0")
    first.sums.published = 7
    first.close_day(date(2025, 7, 1))
    first.note("cases", "C9", "of a day that is not over")
    with path.open("a") as file:
        file.write('{"day": "2025-07-02", "cases"')  # cut off
    again = open_ledger(path, arguments)
    assert again.through == date(2025, 7, 1)
    assert again.cases == {"C1": "case 1", "C2": "case 2"}
    assert again.bookings == {"C1": "booking 1", "C2": "booking 2"}
    assert again.sums.published == 7
    assert again.key("a", 1) == first.key("a", 1) != first.key("a", 2)
    again.close_day(date(2025, 7, 2))
    assert open_ledger(path, arguments).through == date(2025, 7, 2)
    with pytest.raises(OtherReplay):
        open_ledger(path, {"scale": "2"})


def test_the_outcome_is_written_as_promised() -> None:
    month, service = date(2025, 7, 1), Procedure.CARD_ISSUANCE
    result = Result(
        (CellResult(month, service, 10, 8, 2), CellResult(date(2025, 8, 1), service, 5, 7, 0)),
        cases=16,
        events_published=200,
        events_handled=500,
        seconds=1.25,
        plan="hash",
        phases={},
    )
    shown = json.loads(json.dumps(result.shown()))
    assert shown["cells"][0] == {
        "month": "2025-07",
        "service": "card_issuance",
        "demanded": 10,
        "completed": 8,
        "carried": 2,
    }
    assert shown.keys() == {"cells", "cases", "events_published", "events_handled", "seconds"}
    assert not result.differing()
    lost = Result((CellResult(month, service, 10, 8, 1),), 16, 200, 500, 1.25, "hash", {})
    assert lost.differing()
    assert lost.state_hash != result.state_hash
