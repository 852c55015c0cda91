"""What reservation tells of sites and the counter needs: how late a party may come."""

from collections.abc import Sequence
from typing import TypeVar

from services.issuance.store import lateness
from shared.contracts.site import SiteSnapshot
from shared.messaging.envelope import Message
from shared.unit import Unit

S = TypeVar("S", bound=SiteSnapshot)


async def told(unit: Unit, messages: Sequence[Message[S]]) -> None:
    """A site is different; the newest event of each tells all that holds."""
    newest = {m.data.site_id: m for m in sorted(messages, key=lambda m: m.sequence)}
    await lateness.told(
        unit.conn,
        {
            site_id: (m.sequence, {one.procedure: one.minutes for one in m.data.lateness})
            for site_id, m in newest.items()
        },
    )
