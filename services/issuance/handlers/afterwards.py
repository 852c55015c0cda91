"""Single commands told of afterwards: each at the moment it happened, by the same handlers.

The moment is past, and within a visit never before what is known of it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from services.issuance.domain.moments import VisitExists, require_after, require_past
from services.issuance.domain.visit import Visit
from services.issuance.store import visits
from shared.ids import VisitId
from shared.unit import Unit


async def check_in(
    unit: Unit,
    visit_id: VisitId | None,
    occurred_at: datetime,
    command: Callable[[Unit], Awaitable[Visit]],
) -> Visit:
    """Let a party in as ``command`` does, at ``occurred_at``.

    Raises ``MomentAhead``, ``VisitExists``, and what the command raises.
    """
    require_past("occurred_at", occurred_at, unit.now)
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
    require_past("occurred_at", occurred_at, unit.now)
    found = await visits.find(unit.conn, visit_id)
    if found is not None:
        require_after(found, occurred_at)
    return await _at(unit, occurred_at, command)


async def _at(
    unit: Unit, occurred_at: datetime, command: Callable[[Unit], Awaitable[Visit]]
) -> Visit:
    part = unit.part(unit.principal, unit.traceparent, now=occurred_at)
    visit = await command(part)
    unit.adopt(part)
    return visit
