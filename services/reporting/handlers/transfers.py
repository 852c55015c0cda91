"""What events tell about cards under way: by their sealed batch."""

from collections.abc import Sequence

from services.reporting.store import transfers
from shared.contracts.preparation import CardArrived, CardDispatched, CardTransferFailed
from shared.messaging.envelope import Message
from shared.unit import Unit


async def dispatched(unit: Unit, messages: Sequence[Message[CardDispatched]]) -> None:
    """The card left."""
    await transfers.dispatch(unit.conn, [(m.time, m.data) for m in messages])


async def arrived(unit: Unit, messages: Sequence[Message[CardArrived]]) -> None:
    """The card is there."""
    await transfers.arrive(unit.conn, [(m.data.batch_id, m.data.case_id, m.time) for m in messages])


async def failed(unit: Unit, messages: Sequence[Message[CardTransferFailed]]) -> None:
    """The card will not be there in time; one that had not left is in no batch."""
    await transfers.fail(
        unit.conn,
        [(m.data.batch_id, m.data.case_id, m.time) for m in messages if m.data.batch_id],
    )
