"""Tells how often free seats were looked for, and how often in vain.

Counted in memory, because a search is worth no write; a process that is killed forgets what it has
counted since it last told (``SECONDS``). What was told is told once.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import date

from services.reservation.domain.searches import Searches, Way
from shared.contracts.reservation import AvailabilitySearched, SearchCount
from shared.ids import WardCode
from shared.messaging.failure import may_heal
from shared.security.principal import Principal
from shared.unit import Unit, Units

SECONDS = 60.0
"""How long counts are kept before they are told; real time."""
AT_A_TIME = 1_000
"""Counts in one event: a fifth of what it may hold, even where the ids of sites are long."""
log = logging.getLogger(__name__)


def told(unit: Unit, taken: Mapping[Way, tuple[int, int]]) -> None:
    """Events for each day and ward, no larger than an event may be."""
    groups: dict[tuple[date, WardCode | None], list[SearchCount]] = {}
    ordered = sorted(taken.items(), key=lambda item: tuple(str(part) for part in item[0]))
    for (day, ward, procedure, site_id), (searched, refused) in ordered:
        groups.setdefault((day, ward), []).append(
            SearchCount(procedure=procedure, site_id=site_id, searched=searched, refused=refused)
        )
    for (day, ward), counts in groups.items():
        for first in range(0, len(counts), AT_A_TIME):
            some = tuple(counts[first : first + AT_A_TIME])
            unit.emit(AvailabilitySearched(business_date=day, ward=ward, counts=some))


async def flush(units: Units, searches: Searches, room: str) -> None:
    """Tell what was counted; where that fails it counts on, and the error is raised."""
    taken = searches.take()
    if not taken:
        return
    try:
        async with units.begin(Principal.system(room)) as unit:
            told(unit, taken)
    except BaseException:
        searches.give_back(taken)
        raise


async def telling(units: Units, searches: Searches, room: str) -> None:
    """Tell again and again, and once more when this is cancelled."""
    try:
        while True:
            await asyncio.sleep(SECONDS)
            await _try(units, searches, room)
    finally:
        await _try(units, searches, room)


async def _try(units: Units, searches: Searches, room: str) -> None:
    try:
        await flush(units, searches, room)
    except Exception as error:
        if may_heal(error):
            log.warning("searches are told later: %s", type(error).__name__)
        else:
            log.exception("searches could not be told")
