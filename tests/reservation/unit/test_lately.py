"""Questions asked lately are asked again: the latest few, for a minute, whatever fails."""

import asyncio

import pytest

from services.reservation.handlers import lately
from services.reservation.handlers.lately import Lately


async def nothing() -> None:
    """An answer that is known."""


async def test_the_latest_are_kept_for_a_minute() -> None:
    now = [0.0]
    asked = Lately(nothing, lambda: now[0])
    for number in range(lately.MOST + 5):
        asked.note(number, nothing)
    assert await asked.refresh() == lately.MOST
    now[0] = lately.FOR_SECONDS - 1
    asked.note(lately.MOST, nothing)
    assert await asked.refresh() == lately.MOST
    now[0] += 2
    assert await asked.refresh() == 1
    now[0] += lately.FOR_SECONDS
    assert await asked.refresh() == 0


async def test_all_questions_share_one_look_and_none_takes_none() -> None:
    looks = [0]

    async def look() -> None:
        looks[0] += 1

    asked = Lately(look)
    await asked.refresh()
    assert looks == [0]
    asked.note("one", nothing)
    asked.note("another", nothing)
    await asked.refresh()
    assert looks == [1]


@pytest.mark.parametrize("failure", [ConnectionRefusedError, ValueError])
async def test_whatever_fails_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    monkeypatch.setattr(lately, "AFTER_TROUBLE", 0)
    monkeypatch.setattr(lately, "EVERY", 0)
    tries, recovered = [0], asyncio.Event()

    async def again() -> None:
        tries[0] += 1
        if tries[0] < 3:
            raise failure
        recovered.set()

    asked = Lately(nothing)
    asked.note("a question", again)
    keeping = asyncio.create_task(asked.keep())
    await recovered.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert tries[0] >= 3
