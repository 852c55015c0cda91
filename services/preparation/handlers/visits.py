"""What issuance says of visits: a card at the counter is not on its shelf for a while.

Nobody looks for it there then: not a stock-take, not a dispatch, not a disposal. Where a counter
did not find a card that the book has on a shelf of its own site, the card is held as a discrepancy
until somebody has found it.
"""

from collections.abc import Sequence

from services.preparation.domain.holds import Hold
from services.preparation.domain.stages import Stage
from services.preparation.handlers import holds
from services.preparation.handlers.selection import Selection, locked
from services.preparation.store import visits
from services.preparation.store.visits import Presence, VisitFact
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.issuance import (
    DeferReason,
    VisitAbandoned,
    VisitCheckedIn,
    VisitCompleted,
    VisitDeferred,
)
from shared.contracts.preparation import HoldReason
from shared.messaging.envelope import Message
from shared.unit import Unit

Ended = VisitCompleted | VisitDeferred | VisitAbandoned


async def arrived(unit: Unit, messages: Sequence[Message[VisitCheckedIn]]) -> None:
    """Remember whose cards are at a counter."""
    facts = [
        _fact(message, Presence.AT_COUNTER)
        for message in messages
        if message.data.procedure is Procedure.CARD_ISSUANCE
    ]
    await visits.remember(unit.conn, facts)


async def ended(
    unit: Unit,
    messages: Sequence[Message[VisitCompleted] | Message[VisitAbandoned]],
) -> None:
    """Remember that cards are back, where they were not handed over."""
    await visits.remember(unit.conn, [_fact(message, Presence.BACK) for message in messages])


async def deferred(unit: Unit, message: Message[VisitDeferred]) -> None:
    """Remember that a card is back; hold it where it was not found on its shelf."""
    new = await visits.remember(unit.conn, [_fact(message, Presence.BACK)])
    if new and message.data.reason is DeferReason.CARD_NOT_HERE:
        await _missed(unit, message)


async def _missed(unit: Unit, message: Message[VisitDeferred]) -> None:
    cards = await locked(unit.conn, Selection((message.data.case_id,)))
    card = cards.get(message.data.case_id)
    shelved = card is not None and card.stage in (Stage.SHELVED, Stage.NOTIFIED)
    if card is not None and shelved and card.site_id == message.data.site_id:
        hold = Hold(HoldReason.DISCREPANCY, business_date(message.time))
        await holds.place(unit, [(card.case_id, hold)], message.time)


def _fact(message: Message[VisitCheckedIn] | Message[Ended], state: Presence) -> VisitFact:
    said = message.data
    return VisitFact(said.case_id, said.site_id, state, message.time, message.sequence)
