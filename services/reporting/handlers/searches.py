"""What is told of searches for free seats."""

from collections.abc import Sequence

from services.reporting.store import searches
from shared.contracts.reservation import AvailabilitySearched
from shared.messaging.envelope import Message
from shared.unit import Unit


async def searched(unit: Unit, messages: Sequence[Message[AvailabilitySearched]]) -> None:
    """How often it was looked, and how often in vain."""
    await searches.keep(unit.conn, [(m.id, m.data) for m in messages])
