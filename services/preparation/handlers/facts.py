"""What other rooms say about a case. Facts are kept as they come; the store restores order."""

from collections.abc import Sequence

from services.preparation.handlers import addressees, birth_dates
from services.preparation.store import bookings, stages
from services.preparation.store.bookings import BookingFact, BookingState
from shared.contracts.base import Procedure
from shared.contracts.issuance import CardIssued
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingMissed,
    BookingMoved,
)
from shared.messaging.envelope import Message
from shared.unit import Unit


async def seated(
    unit: Unit, messages: Sequence[Message[BookingConfirmed] | Message[BookingMoved]]
) -> None:
    """Remember where and when citizens are expected, for cards alone."""
    facts = [
        _fact(message, BookingState.BOOKED)
        for message in messages
        if message.data.procedure is Procedure.CARD_ISSUANCE
    ]
    await bookings.remember(unit.conn, facts)


async def cancelled(unit: Unit, messages: Sequence[Message[BookingCancelled]]) -> None:
    """Remember that citizens are no longer expected."""
    facts = [
        _fact(message, BookingState.CANCELLED)
        for message in messages
        if message.data.procedure is Procedure.CARD_ISSUANCE
    ]
    await bookings.remember(unit.conn, facts)


async def missed(unit: Unit, messages: Sequence[Message[BookingMissed]]) -> None:
    """Remember that citizens did not come. The event does not say for which procedure."""
    facts = [
        BookingFact(
            m.data.case_id,
            m.data.booking_id,
            BookingState.MISSED,
            m.data.site_id,
            None,
            m.sequence,
        )
        for m in messages
    ]
    await bookings.remember(unit.conn, facts)


async def issued(unit: Unit, messages: Sequence[Message[CardIssued]]) -> None:
    """Take issued cards off the shelf, and forget what was kept for their notices.

    A card may be handed over without a notice, or before its batch is acknowledged as printed.
    """
    cases, times = [m.data.case_id for m in messages], [m.time for m in messages]
    await stages.issue(unit.conn, cases, times)
    await birth_dates.destroy_left(unit.conn, cases, max(times))
    await addressees.destroy(unit.conn, cases, max(times))


def _fact(
    message: Message[BookingConfirmed] | Message[BookingMoved] | Message[BookingCancelled],
    state: BookingState,
) -> BookingFact:
    said = message.data
    return BookingFact(
        said.case_id, said.booking_id, state, said.site_id, said.starts_at, message.sequence
    )
