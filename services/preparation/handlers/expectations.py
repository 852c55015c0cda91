"""From when can I come? The forecast for cards on their way, counted once for all who ask.

However many citizens ask, a process counts once per ``SECONDS``: real time, for this is about load,
not about what is true. It is an expectation, and is told as one.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date
from time import monotonic
from typing import TypeAlias

from services.preparation.domain.forecast import forecast
from services.preparation.handlers import outlook
from services.preparation.tools import Tools
from shared.calendar import business_date
from shared.ids import WardCode
from shared.unit import Unit

SECONDS = 600.0
WEEKS = 8

Expected: TypeAlias = Mapping[tuple[WardCode, date], date | None]
"""By ward and day of receipt, from when all of these citizens can come."""


class Expectations:
    """The forecast of a process; ``clock`` counts real seconds."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._counting = asyncio.Lock()
        self._kept: tuple[float, date, Expected] | None = None

    async def get(self, unit: Unit, tools: Tools) -> Expected:
        """What was counted last, not longer ago than ``seconds`` and on this business date."""
        async with self._counting:
            now, today = self._clock(), business_date(unit.now)
            kept = self._kept
            if kept is None or kept[1] != today or now - kept[0] >= self._seconds:
                kept = (now, today, await _counted(unit, tools))
                self._kept = kept
            return kept[2]


async def _counted(unit: Unit, tools: Tools) -> Expected:
    begun = await outlook.start(unit, tools.calendar, tools.settings, WEEKS)
    found: dict[tuple[WardCode, date], date | None] = {}
    for one in forecast(begun.situation, begun.working):
        key = (one.ward, one.received_on)
        before = found.get(key, date.min)
        found[key] = None if before is None or one.on is None else max(before, one.on)
    return found
