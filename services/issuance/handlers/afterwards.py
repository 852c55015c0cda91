"""Single commands told of afterwards: each at the moment it happened, by the same handlers.

The moment is past, and within a visit never before what is known of it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from services.issuance.domain.moments import VisitExists, require_after, require_past
from services.issuance.domain.satellite import AtSatellite
from services.issuance.domain.visit import Visit
from services.issuance.store import visits
from shared.ids import VisitId
from shared.unit import Unit

R = TypeVar("R")


async def check_in(
    unit: Unit,
    visit_id: VisitId | None,
    occurred_at: datetime,
    command: Callable[[Unit], Awaitable[Visit]],
) -> Visit:
    """Let a party in as ``command`` does, at ``occurred_at``.

    Raises ``MomentAhead``, ``VisitExists``, and what the command raises.
    """
    _require_past(unit, occurred_at)
    if visit_id is not None and await visits.find(unit.conn, visit_id):
        raise VisitExists
    return await _at(unit, occurred_at, command)


async def step(
    unit: Unit,
    visit_id: VisitId,
    occurred_at: datetime,
    command: Callable[[Unit], Awaitable[Visit]],
) -> Visit:
    """Do a step of a visit as ``command`` does, at ``occurred_at``.

    Raises ``MomentAhead``, ``OutOfOrder``, and what the command raises.
    """
    _require_past(unit, occurred_at)
    found = await visits.find(unit.conn, visit_id)
    if found is not None:
        require_after(found, occurred_at)
    return await _at(unit, occurred_at, command)


def _require_past(unit: Unit, occurred_at: datetime) -> None:
    """A satellite's own clock may be a little ahead; nobody types its moments."""
    if not isinstance(unit.principal, AtSatellite):
        require_past("occurred_at", occurred_at, unit.now)


async def act(
    unit: Unit, occurred_at: datetime, command: Callable[[Unit], Awaitable[None]]
) -> None:
    """Do what is about a day as ``command`` does, at ``occurred_at``. Raises what it raises."""
    _require_past(unit, occurred_at)
    await _at(unit, occurred_at, command)


async def _at(unit: Unit, occurred_at: datetime, command: Callable[[Unit], Awaitable[R]]) -> R:
    part = unit.part(unit.principal, unit.traceparent, now=occurred_at)
    done = await command(part)
    unit.adopt(part)
    return done
