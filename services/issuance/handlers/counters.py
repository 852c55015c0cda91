"""Counters: open, pause, close. Their rows are taken before any visit's.

A counter can pause or close while a party is at it: it finishes, and nobody else is called.
"""

from collections.abc import Sequence
from datetime import date

from services.issuance.domain.counter import Counter, CounterState, CounterUnknown
from services.issuance.domain.day import DaySignedOff
from services.issuance.domain.ticket import Purpose
from services.issuance.store import counters, days
from shared.calendar import business_date
from shared.ids import SiteId
from shared.unit import Unit


async def open_counter(
    unit: Unit, site_id: SiteId, counter: str, purposes: Sequence[Purpose] | None
) -> Counter:
    """Open a counter for ``purposes``; without any, for what it did before.

    Raises ``DaySignedOff``, and ``CounterUnknown`` where it never did anything.
    """
    await _require_day(unit, site_id, business_date(unit.now))
    known = await counters.lock(unit.conn, site_id, counter)
    wanted = _wanted(known, purposes)
    if known and known.state is CounterState.OPEN and known.purposes == wanted:
        return known
    await counters.open_(unit.conn, site_id, counter, wanted, unit.now)
    _record(unit, "counter.open", site_id, counter)
    return await read(unit, site_id, counter)


async def become(unit: Unit, site_id: SiteId, counter: str, state: CounterState) -> Counter:
    """Pause or close a counter; doing so again changes nothing. Raises ``CounterUnknown``."""
    known = await locked(unit, site_id, counter)
    if known.state is state:
        return known
    await counters.become(unit.conn, site_id, counter, state, unit.now)
    _record(unit, f"counter.{state}", site_id, counter)
    return await read(unit, site_id, counter)


async def was_told(unit: Unit, site_id: SiteId, counter: str, state: CounterState) -> None:
    """Note how long a satellite's counter was open; the counter itself is there and not here."""
    await counters.noted(unit.conn, site_id, counter, unit.now, is_open=state is CounterState.OPEN)
    _record(unit, "counter.told", site_id, counter)


async def read(unit: Unit, site_id: SiteId, counter: str) -> Counter:
    """The counter. Raises ``CounterUnknown``."""
    found = await counters.find(unit.conn, site_id, counter)
    if found is None:
        raise CounterUnknown
    return found


async def locked(unit: Unit, site_id: SiteId, counter: str) -> Counter:
    """The counter, locked. Raises ``CounterUnknown``."""
    found = await counters.lock(unit.conn, site_id, counter)
    if found is None:
        raise CounterUnknown
    return found


def _wanted(known: Counter | None, purposes: Sequence[Purpose] | None) -> tuple[Purpose, ...]:
    if purposes is not None:
        return tuple(purpose for purpose in Purpose if purpose in purposes)
    if known is None:
        raise CounterUnknown
    return known.purposes


async def _require_day(unit: Unit, site_id: SiteId, day: date) -> None:
    await days.share(unit.conn, [(site_id, day)])
    if await days.signed_off_at(unit.conn, site_id, day):
        raise DaySignedOff


def _record(unit: Unit, action: str, site_id: SiteId, counter: str) -> None:
    unit.audit(action, subject=site_id, site_id=site_id, counter=counter)
