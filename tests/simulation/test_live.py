"""The demo city: a plan that begins after today, whatever day it is; a forecast of its size."""

from datetime import date
from pathlib import Path

import httpx
import pytest

from shared.settings import KernelSettings
from simulation.clock import SimulatedClock
from simulation.replay.crew import Crew
from simulation.replay.demand import read_demand
from simulation.replay.ledger import open_ledger
from simulation.replay.live import announce, plan_after
from simulation.replay.pulse import Pulse
from simulation.wire import Wire
from tests.simulation.standing_in import Rooms


@pytest.mark.parametrize(
    "today", [date(2025, 4, 1), date(2026, 11, 30), date(2026, 12, 28), date(2027, 1, 31)]
)
def test_the_warm_up_lies_ahead_and_every_day_has_visits(today: date) -> None:
    planner = plan_after(today)
    assert today < planner.begins(planner.months[0])
    first = next(planner.plans())
    assert 50 < len(first.cases) < 500
    assert all(case.stepwise for case in first.cases)
    assert not sum(first.carried.values())


async def test_reporting_is_given_a_forecast_of_what_comes(tmp_path: Path) -> None:
    """The plan's own speaks of the whole city, beside which a small one would look empty."""
    planner, file = plan_after(date(2026, 11, 30)), tmp_path / "forecast.csv"

    def take(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/forecasts:import"
        assert request.url.params["name"] == "A small city, 1%"
        file.write_bytes(request.content)
        return httpx.Response(200, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(take)) as http:
        doors, ledger = Rooms(), open_ledger(None, {})
        clock, pulse = SimulatedClock(KernelSettings()), Pulse(Wire(), {})
        crew = Crew(doors, planner.city, planner.behaviour, http, clock, pulse, ledger)
        await announce(crew, planner.demand)
    assert read_demand(file) == planner.demand
