"""What reservation tells of the national system, site by site."""

from collections.abc import Sequence

from services.issuance.domain.national_system import Suspension
from services.issuance.store import national_system
from shared.contracts.site import NationalSystemResumed, NationalSystemSuspended
from shared.messaging.envelope import Message
from shared.unit import Unit


async def suspended(unit: Unit, messages: Sequence[Message[NationalSystemSuspended]]) -> None:
    """A site cannot use the system."""
    told = [
        Suspension(
            suspension_id=m.data.suspension_id,
            site_id=m.data.site_id,
            procedures=frozenset(m.data.procedures),
            starts_at=m.data.starts_at,
            ends_at=m.data.ends_at,
            reason=m.data.reason,
        )
        for m in messages
    ]
    await national_system.suspended(unit.conn, told)


async def resumed(unit: Unit, messages: Sequence[Message[NationalSystemResumed]]) -> None:
    """It can be used again, whether or not the suspension has been heard of yet."""
    told = [(m.data.suspension_id, m.data.site_id, m.data.resumed_at) for m in messages]
    await national_system.resumed(unit.conn, told)
