"""Whatever is done in whatever order, no seat is sold twice, none is lost, and nobody has two.

Each way to lose one is also built in, to see that the model would notice.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from services.reservation.handlers import moves
from services.reservation.store import bookings, cells, holds, returns
from tests.conftest import DatabaseMaker
from tests.reservation.machine import Seats, in_a_thread
from tests.support.sizes import proof_size

EVERY_CHECK = tuple(HealthCheck)


def check(machine: type[Seats]) -> None:
    """Many runs of many commands."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=proof_size(60, 1_000),
            stateful_step_count=proof_size(30, 60),
            deadline=None,
            suppress_health_check=EVERY_CHECK,
        ),
    )


def find_one(machine: type[Seats]) -> None:
    """The same runs each time, until one fails."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=EVERY_CHECK,
        ),
    )


@pytest.mark.proof
@pytest.mark.timeout(3600)
async def test_the_room_does_what_the_model_says(make_database: DatabaseMaker) -> None:
    url = await make_database("reservation")
    await asyncio.to_thread(in_a_thread, url, Seats, check)


async def nothing(*_: object, **__: object) -> None:
    """Forgets to do it."""


def forget(module: object, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A room that forgets to call one thing."""

    def break_(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, name, nothing)

    return break_


def sell_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds are given whether a seat is free or not."""
    guard = "<= least(cell.capacity, cell.target) - $5"
    assert guard in cells._CLAIM
    monkeypatch.setattr(cells, "_CLAIM", cells._CLAIM.replace(guard, "<= 1000 + $5"))


def hold_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seats of a hold stay away although it has run out."""
    original = returns.put_back

    async def put_back(*args: Any, **values: Any) -> None:
        if values["held_until"] is not None:
            values["due_at"] = values["held_until"].replace(year=2100)
        await original(*args, **values)

    monkeypatch.setattr(returns, "put_back", put_back)


@pytest.mark.parametrize(
    "break_",
    [
        forget(returns, "give_back"),
        forget(returns, "keep"),
        forget(returns, "let_go"),
        forget(cells, "end_holds"),
        forget(moves, "put_back"),
        forget(holds, "end"),
        forget(bookings, "insert"),
        sell_what_is_not_there,
        hold_for_ever,
    ],
    ids=[
        "cancelled seats are lost",
        "confirmed seats come back",
        "released seats stay held",
        "holds outlive their seats",
        "seats left behind are lost",
        "holds never end",
        "confirmed holds book nothing",
        "held without looking",
        "held for ever",
    ],
)
async def test_the_model_notices(
    make_database: DatabaseMaker,
    monkeypatch: pytest.MonkeyPatch,
    break_: Callable[[pytest.MonkeyPatch], None],
) -> None:
    break_(monkeypatch)
    url = await make_database("reservation")
    with pytest.raises((Exception, ExceptionGroup)):
        await asyncio.to_thread(in_a_thread, url, Seats, find_one)
