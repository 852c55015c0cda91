"""A year's demand through sixteen processes: the table comes out cell by cell, every case is
accounted for, and what reporting shows is what the other rooms' databases say.

The plan's FY R7 at 1 %; at full size FY R5 to R7 in one go, as `make proofs` runs it, for
`test_replay_years` has R5 and R6 at this size. The replay is interrupted on the way and goes on.
After it another city, that has too few seats, through the command.
"""

import asyncio
import json
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
from tests.journeys.commanded import command
from tests.journeys.replayed import (
    cases_of,
    planned,
    require_come_out,
    require_in_the_rooms,
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
    await require_come_out(replayed, result, planner)


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
    await require_in_the_rooms(replayed, cases)
