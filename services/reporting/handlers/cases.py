"""What events tell about cases: all that a batch tells of a case is written at once.

Nothing here asks what is known already: the store merges, so the order does not matter.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from services.reporting.domain.milestones import MILESTONES
from services.reporting.domain.told import Told
from services.reporting.store import cases, changes, holds
from services.reporting.store.merging import Batch
from shared.contracts import issuance
from shared.contracts.base import CaseEvent, CaseOpened
from shared.contracts.issuance import ProcedureEnded
from shared.contracts.preparation import (
    CardApplied,
    CardHeld,
    CardNotified,
    CardReceived,
    CardReleased,
    CardShipped,
)
from shared.contracts.reservation import BookingCancelled, BookingMoved
from shared.messaging.envelope import Message
from shared.unit import Unit


async def heard(unit: Unit, messages: Sequence[Message[CaseEvent]]) -> None:
    """Keep what these events, of any types, tell of their cases."""
    facts = cases.batch()
    for message in messages:
        event = message.data
        milestone = MILESTONES.get(type(event))
        if milestone is not None:
            # It counts from the event's time, not from when it came.
            cases.reach(facts, event.case_id, milestone, message.time)
        tells = TELLS.get(type(event))
        if tells is not None:
            tells(facts, message)
    await facts.keep(unit.conn)


async def held(unit: Unit, messages: Sequence[Message[CardHeld] | Message[CardReleased]]) -> None:
    """A card must wait, or goes on."""
    await holds.keep(unit.conn, [(told(m), m.data) for m in messages])


async def changed(
    unit: Unit, messages: Sequence[Message[BookingMoved] | Message[BookingCancelled]]
) -> None:
    """A booking was moved or cancelled."""
    await changes.keep(unit.conn, [(told(m), m.data) for m in messages])


def told(message: Message[CaseEvent]) -> Told:
    """When ``message`` told what it tells."""
    return Told(message.time, message.sequence, message.id)


def _opened(facts: Batch, message: Message[CaseOpened]) -> None:
    """Procedure, kind and the first ward."""
    cases.open_(facts, told(message), message.data)
    cases.reside(facts, told(message), message.data.case_id, message.data.ward)


def _applied(facts: Batch, message: Message[CardApplied]) -> None:
    """The day of the application, which is not the day on which we heard of it."""
    cases.apply(facts, message.data.case_id, message.data.applied_on)


def _shipped(facts: Batch, message: Message[CardShipped]) -> None:
    """The day on which J-LIS sent the card."""
    cases.ship(facts, message.data.case_id, message.data.shipped_on)


def _received(facts: Batch, message: Message[CardReceived]) -> None:
    """How long the card and the one it replaces are valid."""
    event = message.data
    cases.expire(facts, event.case_id, event.card_expires_on, event.old_card_expires_on)


def _released(facts: Batch, message: Message[CardReleased]) -> None:
    """The ward of residence changes with a move in the city."""
    cases.reside(facts, told(message), message.data.case_id, message.data.ward)


def _notified(facts: Batch, message: Message[CardNotified]) -> None:
    """The ward, and how long the card can be collected."""
    event = message.data
    cases.notify(facts, told(message), event)
    cases.reside(facts, told(message), event.case_id, event.ward)
    cases.expire(facts, event.case_id, event.card_expires_on)


def _completed(facts: Batch, message: Message[ProcedureEnded]) -> None:
    """What the city counts, with all it is counted by."""
    cases.complete(facts, told(message), message.data)


TELLS: Mapping[type[CaseEvent], Callable[[Batch, Message[Any]], None]] = MappingProxyType(
    {
        CaseOpened: _opened,
        CardApplied: _applied,
        CardShipped: _shipped,
        CardReceived: _received,
        CardReleased: _released,
        CardNotified: _notified,
        issuance.CardIssued: _completed,
        issuance.CertificateRenewed: _completed,
    }
)
"""What events tell besides the time of a milestone."""
