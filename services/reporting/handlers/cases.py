"""What events tell about cases. All messages of a batch become facts in one or two statements.

Nothing here asks what is known already: the store merges, so the order does not matter.
"""

from collections.abc import Sequence

from services.reporting.domain.milestones import MILESTONES
from services.reporting.domain.told import Told
from services.reporting.store import cases, changes, milestones, notices
from shared.contracts.base import CaseEvent, CaseOpened
from shared.contracts.issuance import ProcedureEnded
from shared.contracts.preparation import (
    CardApplied,
    CardNotified,
    CardReceived,
    CardReleased,
    CardShipped,
)
from shared.contracts.reservation import BookingCancelled, BookingMoved
from shared.messaging.envelope import Message
from shared.unit import Unit


async def opened(unit: Unit, messages: Sequence[Message[CaseOpened]]) -> None:
    """Procedure, kind and the first ward."""
    await cases.open_(unit.conn, [(told(m), m.data) for m in messages])
    await cases.reside(unit.conn, [(m.data.case_id, m.data.ward, told(m)) for m in messages])


async def applied(unit: Unit, messages: Sequence[Message[CardApplied]]) -> None:
    """The day of the application, which is not the day on which we heard of it."""
    await cases.apply(unit.conn, [(m.data.case_id, m.data.applied_on) for m in messages])


async def shipped(unit: Unit, messages: Sequence[Message[CardShipped]]) -> None:
    """The day on which J-LIS sent the card."""
    await cases.ship(unit.conn, [(m.data.case_id, m.data.shipped_on) for m in messages])


async def reached(unit: Unit, messages: Sequence[Message[CaseEvent]]) -> None:
    """A milestone: it counts from the event's time, not from when it came."""
    await milestones.reach(
        unit.conn, [(m.data.case_id, MILESTONES[type(m.data)], m.time) for m in messages]
    )


async def reached_in_ward(unit: Unit, messages: Sequence[Message[CardReleased]]) -> None:
    """A milestone that tells the ward of residence too; it changes with a move in the city."""
    await reached(unit, messages)
    await cases.reside(unit.conn, [(m.data.case_id, m.data.ward, told(m)) for m in messages])


async def notified(unit: Unit, messages: Sequence[Message[CardNotified]]) -> None:
    """A milestone, the ward, and how long the card can be collected."""
    await notices.notify(unit.conn, [(told(m), m.data) for m in messages])


async def received(unit: Unit, messages: Sequence[Message[CardReceived]]) -> None:
    """A milestone, and how long the card and the one it replaces are valid."""
    await notices.receive(
        unit.conn,
        [
            (m.data.case_id, m.time, m.data.card_expires_on, m.data.old_card_expires_on)
            for m in messages
        ],
    )


async def changed(
    unit: Unit, messages: Sequence[Message[BookingMoved] | Message[BookingCancelled]]
) -> None:
    """A booking was moved or cancelled."""
    await reached(unit, messages)
    await changes.keep(unit.conn, [(told(m), m.data) for m in messages])


async def completed(unit: Unit, messages: Sequence[Message[ProcedureEnded]]) -> None:
    """What the city counts, with all it is counted by."""
    await cases.complete(unit.conn, [(told(m), m.data) for m in messages])


def told(message: Message[CaseEvent]) -> Told:
    """When ``message`` told what it tells."""
    return Told(message.time, message.sequence, message.id)
