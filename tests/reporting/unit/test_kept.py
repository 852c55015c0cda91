"""What the public page keeps: read once for many, and not for long."""

import asyncio

import pytest

from services.reporting.api.kept import Kept


class Source:
    """Counts how often it is read."""

    def __init__(self) -> None:
        self.reads = 0

    async def read(self) -> int:
        """The number of this reading; slow enough for others to come meanwhile."""
        self.reads += 1
        await asyncio.sleep(0)
        return self.reads


async def test_many_who_ask_at_once_cause_one_reading() -> None:
    source, kept = Source(), Kept[str, int](clock=lambda: 0.0)
    assert await asyncio.gather(*(kept.get("R8", source.read) for _ in range(50))) == [1] * 50
    assert await kept.get("R7", source.read) == 2


async def test_it_is_read_again_when_its_time_has_passed() -> None:
    source, now = Source(), [0.0]
    kept = Kept[str, int](seconds=2, clock=lambda: now[0])
    assert await kept.get("R8", source.read) == 1
    now[0] = 1.9
    assert await kept.get("R8", source.read) == 1
    now[0] = 2.0
    assert await kept.get("R8", source.read) == 2


async def test_a_failure_is_not_kept() -> None:
    async def fail() -> int:
        raise OSError

    source, kept = Source(), Kept[str, int]()
    with pytest.raises(OSError):  # noqa: PT011
        await kept.get("R8", fail)
    assert await kept.get("R8", source.read) == 1
