"""What reservation publishes of its seats: kept as facts, for cards alone."""

from collections.abc import Sequence

from services.preparation.store import seats
from services.preparation.store.seats import SeatFact
from shared.contracts.base import Procedure
from shared.contracts.site import CapacityPublished
from shared.messaging.envelope import Message
from shared.unit import Unit


async def published(unit: Unit, messages: Sequence[Message[CapacityPublished]]) -> None:
    """Remember how many seats each day has; of two tellings the later counts."""
    facts = [
        SeatFact(said.data.site_id, day.business_date, day.total, day.free, said.sequence)
        for said in messages
        if said.data.procedure is Procedure.CARD_ISSUANCE
        for day in said.data.days
    ]
    await seats.remember(unit.conn, facts)
