"""A year's demand through sixteen processes: the table comes out cell by cell, every case is
accounted for, and what reporting shows is what the other rooms' databases say.

The plan's FY R7 at 1 %; at full size FY R5 to R7 in one go, as `make proofs` runs it. The replay is
interrupted on the way and goes on. After it another city, that has too few seats, through the
command.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from deploy.cli.replay import House
from deploy.embedded.stack import Stack
from simulation.replay.city import HURRIED, read_city
from simulation.replay.demand import read_demand
from simulation.replay.ledger import OtherReplay, open_ledger
from simulation.replay.plan import Planner
from simulation.replay.run import Standing, replay
from simulation.replay.settings import read_behaviour
from tests.journeys.replayed import (
    cases_of,
    fates,
    planned,
    require_accounted_for,
    require_as_demanded,
    require_as_planned,
    require_projections_recounted,
)
from tests.simulation.other_city import write_city
from tests.support.sizes import proof_size

pytestmark = [pytest.mark.journey, pytest.mark.proof, pytest.mark.timeout(3600)]

BEGINS = f"{proof_size(2025, 2023)}-04"


async def interrupted(house: House, planner: Planner, journal: Path) -> None:
    """Run until visits have begun, and stop in the middle of a day."""
    reached = asyncio.Event()

    def watch(standing: Standing) -> None:
        if standing.completed:
            reached.set()

    run = asyncio.create_task(replay(house, planner, open_ledger(journal, {"n": "1"}), watch))
    await asyncio.wait([run, stop := asyncio.create_task(reached.wait())],
                       return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
    stop.cancel()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_the_table_comes_out_cell_by_cell(replayed: Stack, tmp_path: Path) -> None:
    doors, journal = House.of(replayed), tmp_path / "replay.jsonl"
    planner = planned(BEGINS, "2026-03", "1/100", HURRIED)
    await interrupted(doors, planner, journal)
    with pytest.raises(OtherReplay):
        open_ledger(journal, {"n": "2"})
    result = await replay(doors, planner, open_ledger(journal, {"n": "1"}), lambda _: None)
    require_as_demanded(result, planner)
    cases = cases_of(planned(BEGINS, "2026-03", "1/100", HURRIED))
    assert result.cases == len(cases)
    await require_accounted_for(replayed, fates(cases))
    await require_as_planned(replayed, cases)
    await require_projections_recounted(replayed)


async def test_another_city_with_too_few_seats_serves_what_it_can(
    replayed: Stack, tmp_path: Path
) -> None:
    """After the months of the other test, in the same house: time never goes back."""
    files = write_city(tmp_path, ["2026-07", "2026-08"])
    out, plan = tmp_path / "out.json", replayed.plan
    ended, said = await command(
        *("replay", "--data", str(plan.home.root), "--json", str(out), *files.arguments),
        *("--behaviour", str(HURRIED)),
        environment=dict(plan.environment),
    )
    assert ended == 0, said
    assert "have no seats for" in said
    told = json.loads(out.read_text())
    assert told.keys() == {"cells", "cases", "events_published", "events_handled", "seconds"}
    waiting = {"card_issuance": 0, "certificate_renewal": 0}
    for cell in told["cells"]:
        assert cell.keys() == {"month", "service", "demanded", "completed", "carried"}
        came = cell["demanded"] + waiting[cell["service"]]
        assert came == cell["completed"] + cell["carried"]
        waiting[cell["service"]] = cell["carried"]
    assert [cell["carried"] > 0 for cell in told["cells"]].count(True) > 1
    assert sum(cell["completed"] for cell in told["cells"]) > 50
    planner = Planner.of(
        read_demand(files.demand),
        read_city(files.wards, files.sites),
        read_behaviour(HURRIED),
    )
    kawasaki = cases_of(planned(BEGINS, "2026-03", "1/100", HURRIED))
    cases = [*kawasaki, *cases_of(planner)]
    assert told["cases"] == len(cases) - len(kawasaki)
    await require_accounted_for(replayed, fates(cases))
    await require_as_planned(replayed, cases)
    await require_projections_recounted(replayed)


async def command(*arguments: str, environment: dict[str, str]) -> tuple[int, str]:
    """`madoguchi` with these arguments: its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("madoguchi")), *arguments),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, " ".join(said.decode().split())
