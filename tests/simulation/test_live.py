"""The demo's city: a plan that begins after today, whatever day it is."""

from datetime import date

import pytest

from simulation.replay.live import plan_after


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
