"""A whole month of the plan, 41,392 procedures, day by day: in `make proofs` alone, for it takes
some minutes. What it proves small, `test_replay` does.
"""

from pathlib import Path

import pytest

from deploy.cli.replay import House
from deploy.embedded.stack import Stack
from simulation.replay.ledger import open_ledger
from simulation.replay.run import replay
from tests.journeys.replayed import planned, require_come_out

pytestmark = [
    pytest.mark.journey,
    pytest.mark.proof,
    pytest.mark.timeout(3600),
    pytest.mark.whole,
]


async def test_a_whole_month_comes_out_cell_by_cell(replayed: Stack, tmp_path: Path) -> None:
    planner = planned("2025-07", "2025-07", "1")
    ledger = open_ledger(tmp_path / "replay.jsonl", {})
    result = await replay(House.of(replayed), planner, ledger, lambda _: None)
    await require_come_out(replayed, result, planner)
