"""What events tell about visits: who came to a site, waited and was served."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from services.reporting.store import visits
from services.reporting.store.visits import Ending
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

_ENDINGS: Mapping[type[VisitEvent], Ending] = MappingProxyType(
    {
        VisitCompleted: Ending.COMPLETED,
        VisitDeferred: Ending.DEFERRED,
        VisitAbandoned: Ending.ABANDONED,
    }
)


async def heard(unit: Unit, messages: Sequence[Message[VisitEvent]]) -> None:
    """The citizen is here, goes to a counter, was served or has to come again."""
    facts = visits.batch()
    for message in messages:
        event, at = message.data, message.time
        if isinstance(event, VisitCheckedIn):
            visits.check_in(facts, event, at, event.procedure, event.arrival)
        elif isinstance(event, VisitCalled):
            visits.call(facts, event, at, event.counter, message.sequence)
        else:
            visits.end(facts, _ENDINGS[type(event)], event, at)
    await facts.keep(unit.conn)
