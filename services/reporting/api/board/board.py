"""The pages as one thing: read once for all who look at about that time, and drawn."""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from services.reporting.api.board import booking, demand, equity, preparation, system, today
from services.reporting.api.board.ask import Ask, Reader
from services.reporting.api.board.view import View
from services.reporting.api.filters import today as business_day
from services.reporting.api.kept import Kept
from services.reporting.gateways.processes import Processes
from shared.calendar import BusinessCalendar, FiscalYear
from shared.errors import Language
from shared.security.principal import Principal
from shared.unit import Units


class PageName(StrEnum):
    """The pages, in the order of their menu."""

    TODAY = "today"
    DEMAND = "demand"
    BOOKING = "booking"
    PREPARATION = "preparation"
    EQUITY = "equity"
    SYSTEM = "system"


READERS: Mapping[PageName, Reader] = {
    PageName.TODAY: today.read,
    PageName.DEMAND: demand.read,
    PageName.BOOKING: booking.read,
    PageName.PREPARATION: preparation.read,
    PageName.EQUITY: equity.read,
    PageName.SYSTEM: system.read,
}
SECONDS: Mapping[PageName, float] = {
    # What is counted over all cases of a year is counted less often.
    **dict.fromkeys(PageName, 2.0),
    PageName.DEMAND: 10.0,
    PageName.PREPARATION: 10.0,
    PageName.EQUITY: 10.0,
}
"""How old a page may be."""

Key = tuple[FiscalYear, Language]


class Board:
    """Pages of one process."""

    def __init__(
        self, units: Units, calendar: BusinessCalendar, processes: Processes, *, band: float
    ) -> None:
        self._units = units
        self._band = band
        self._calendar = calendar
        self._processes = processes
        self._kept: Mapping[PageName, Kept[Key, View]] = {
            name: Kept(seconds) for name, seconds in SECONDS.items()
        }

    async def view(
        self, name: PageName, year: FiscalYear, language: Language, principal: Principal
    ) -> View:
        """The page as it is now, or was a moment ago: its figures are the same for everybody."""
        read = partial(self._read, name, year, language, principal)
        return await self._kept[name].get((year, language), read)

    async def forget(self, name: PageName) -> None:
        """Let the page be read anew: who changed something looks at it next."""
        await self._kept[name].forget()

    async def _read(
        self, name: PageName, year: FiscalYear, language: Language, principal: Principal
    ) -> View:
        # Asked before the unit begins: no transaction waits for another process.
        health = await self._processes.look() if name is PageName.SYSTEM else ()
        async with self._units.begin(principal) as unit:
            day = business_day(self._units.clock)
            ask = Ask(unit, self._calendar, day, year, language, self._band, health)
            return await READERS[name](ask)


async def drawn(view: View, language: Language) -> Mapping[str, Mapping[str, Any]]:
    """The specification of each section's chart, by the section's id."""
    return await asyncio.to_thread(_specs, view, language)


def _specs(view: View, language: Language) -> Mapping[str, Mapping[str, Any]]:
    # Altair takes seconds to import: a process that serves no page does without.
    from services.reporting.api.board.charts import spec_of  # noqa: PLC0415

    return {each.id: spec_of(each.drawn, language) for each in view.sections if each.drawn}
