"""What events tell about visits: who came to a site, waited and was served."""

from collections.abc import Sequence
from typing import TypeVar

from services.reporting.store import visits
from shared.contracts.issuance import (
    VisitAbandoned,
    VisitCalled,
    VisitCheckedIn,
    VisitCompleted,
    VisitDeferred,
    VisitEvent,
)
from shared.messaging.envelope import Message
from shared.unit import Unit

V = TypeVar("V", bound=VisitEvent)


async def checked_in(unit: Unit, messages: Sequence[Message[VisitCheckedIn]]) -> None:
    """The citizen is here."""
    facts = [
        visits.CheckIn(*_moment(m), procedure=m.data.procedure, arrival=m.data.arrival)
        for m in messages
    ]
    await visits.check_in(unit.conn, facts)


async def called(unit: Unit, messages: Sequence[Message[VisitCalled]]) -> None:
    """The citizen goes to a counter."""
    facts = [
        visits.Called(*_moment(m), counter=m.data.counter, sequence=m.sequence) for m in messages
    ]
    await visits.call(unit.conn, facts)


async def completed(unit: Unit, messages: Sequence[Message[VisitCompleted]]) -> None:
    """The case was served."""
    await visits.complete(unit.conn, [visits.Moment(*_moment(m)) for m in messages])


async def deferred(unit: Unit, messages: Sequence[Message[VisitDeferred]]) -> None:
    """The citizen has to come again."""
    await visits.defer(unit.conn, [visits.Moment(*_moment(m)) for m in messages])


async def abandoned(unit: Unit, messages: Sequence[Message[VisitAbandoned]]) -> None:
    """The visit ended with nothing done."""
    await visits.abandon(unit.conn, [visits.Moment(*_moment(m)) for m in messages])


def _moment(message: Message[V]) -> visits.Key:
    event = message.data
    return event.visit_id, event.case_id, event.site_id, message.time
