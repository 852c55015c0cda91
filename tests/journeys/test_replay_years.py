"""The plan's FY R5 and R6 at 1 %, in one go; and a replay that starts its house by itself.

Beside `test_replay`, which has R7, so that two workers share the three years; at full size that one
replays all three in one go, and this file has nothing to add.
"""

import asyncio
import json
import tempfile
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from deploy.cli.replay import House
from deploy.embedded.stack import Stack
from simulation.replay.city import HURRIED
from simulation.replay.ledger import open_ledger
from simulation.replay.run import replay
from tests.journeys.commanded import command
from tests.journeys.conftest import own_ports
from tests.journeys.replayed import planned, require_come_out
from tests.simulation.other_city import write_city

pytestmark = [pytest.mark.journey, pytest.mark.timeout(3600)]

DEMAND = """\
month,service,basis,count
2025-07,card_issuance,actual,3
2025-07,certificate_renewal,actual,4
"""
DAILY = """\
stepwise = 0.5
walk_in = 0.3
import_before = 1
inspect_before = 1
check_before = 1
preset_before = 1
shelve_before = 0
held_for = 1
notice_to_booking = [1, 1]
booking_to_visit = [1, 2]
rounds = ["11:00:00"]
"""


async def test_both_years_come_out_cell_by_cell(replayed: Stack, tmp_path: Path) -> None:
    planner = planned("2023-04", "2025-03", "1/100", HURRIED)
    ledger = open_ledger(tmp_path / "replay.jsonl", {})
    result = await replay(House.of(replayed), planner, ledger, lambda _: None)
    await require_come_out(replayed, result, planner)


async def test_a_fresh_replay_starts_what_it_needs_acts_daily_and_stops_it(tmp_path: Path) -> None:
    """As typed, with nothing running; few cases, for every day on which something is done costs."""
    files, ports = write_city(tmp_path, ["2025-07", "2025-08"]), own_ports()
    files.demand.write_text(DEMAND)
    out, daily = tmp_path / "out.json", tmp_path / "daily.toml"
    daily.write_text(DAILY)
    # A socket's path is short.
    with tempfile.TemporaryDirectory(prefix="madoguchi-") as home:
        ended, said = await command(
            *("replay", "--fresh", "--data", home, "--json", str(out), *files.arguments),
            *("--behaviour", str(daily)),
            environment=ports,
        )
        assert ended == 0, said
        days = _days(home)
    told = json.loads(out.read_text())
    assert [cell["completed"] for cell in told["cells"]] == [3, 4]
    assert told["cases"] >= 7
    assert sum((later - day).days == 1 for day, later in pairwise(days)) > 3
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(ports["MADOGUCHI_RESERVATION_API_PORT"]))


def _days(home: str) -> list[date]:
    """What the journal of the only replay below ``home`` says is over."""
    (fresh,) = Path(home).iterdir()
    lines = map(json.loads, (fresh / "replay.jsonl").read_text().splitlines())
    return [date.fromisoformat(line["day"]) for line in lines if "day" in line]
