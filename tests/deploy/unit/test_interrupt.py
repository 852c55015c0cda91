"""Ctrl-C ends work that looks away, and is there from the moment it is offered."""

import asyncio
import os
import signal
from contextlib import suppress

import pytest

from deploy.cli import interrupt
from deploy.cli.interrupt import until_interrupted


def _strike(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_as_soon_as_it_is_ready(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    await until_interrupted(asyncio.sleep(3600), ready=lambda: _strike(number))
    assert signal.getsignal(number) is before


async def test_work_that_swallows_being_cancelled_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupt, "_PATIENCE", 0.01)
    swallowed: list[int] = []

    async def stubborn() -> None:
        while len(swallowed) < 2:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            swallowed.append(1)
        await asyncio.sleep(3600)

    await until_interrupted(stubborn(), ready=_strike)
    assert len(swallowed) == 2


async def test_what_ends_by_itself_tells_how() -> None:
    async def fail() -> None:
        raise ValueError("its own")

    await until_interrupted(asyncio.sleep(0))
    with pytest.raises(ValueError, match="its own"):
        await until_interrupted(fail())
