"""What events tell of how a site's days are planned."""

from collections.abc import Sequence

from services.reporting.domain.told import Told
from services.reporting.store import plans
from shared.contracts.site import CapacityPublished, SiteSnapshot
from shared.messaging.envelope import Message
from shared.unit import Unit


async def changed(unit: Unit, messages: Sequence[Message[SiteSnapshot]]) -> None:
    """The site is planned like this from now on."""
    facts = [(Told(m.time, m.sequence, m.id), m.data.site) for m in messages]
    await plans.keep(unit.conn, facts)


async def offered(unit: Unit, messages: Sequence[Message[CapacityPublished]]) -> None:
    """Seats of days that have not begun."""
    await plans.offer(unit.conn, [(Told(m.time, m.sequence, m.id), m.data) for m in messages])
