"""What events tell about sites and their days; the latest telling counts."""

from collections.abc import Sequence

from services.reporting.domain.told import Told
from services.reporting.store import measures, sites
from shared.contracts.base import Event
from shared.contracts.issuance import ServiceMeasured
from shared.contracts.site import (
    CapacityPublished,
    DayClosed,
    NationalSystemResumed,
    NationalSystemSuspended,
    SiteSnapshot,
)
from shared.messaging.envelope import Message
from shared.unit import Unit


async def changed(unit: Unit, messages: Sequence[Message[SiteSnapshot]]) -> None:
    """The site as it is from now on."""
    await sites.tell(unit.conn, [(told(m), m.data.site) for m in messages])


async def published(unit: Unit, messages: Sequence[Message[CapacityPublished]]) -> None:
    """Seats of the days ahead."""
    await sites.offer(
        unit.conn,
        [
            (told(m), sites.Seats(m.data.site_id, m.data.procedure, day))
            for m in messages
            for day in m.data.days
        ],
    )


async def day_closed(unit: Unit, messages: Sequence[Message[DayClosed]]) -> None:
    """A business date has ended."""
    await sites.close_days(
        unit.conn, [(m.data.site_id, m.data.business_date, m.time) for m in messages]
    )


async def measured(unit: Unit, messages: Sequence[Message[ServiceMeasured]]) -> None:
    """Quarters of an hour at a counter."""
    await measures.tell(unit.conn, [(told(m), m.data) for m in messages])


async def suspended(unit: Unit, messages: Sequence[Message[NationalSystemSuspended]]) -> None:
    """The national system does not answer; its end may become known later."""
    await sites.suspend(unit.conn, [(told(m), m.data) for m in messages])


async def resumed(unit: Unit, messages: Sequence[Message[NationalSystemResumed]]) -> None:
    """It answers again."""
    await sites.resume(unit.conn, [m.data for m in messages])


def told(message: Message[Event]) -> Told:
    """When ``message`` told what it tells."""
    return Told(message.time, message.sequence, message.id)
