"""What preparation tells of cases, stored as facts; an end cancels what is booked.

Order does not matter: each fact replaces only what was told before it. The facts are written
first, because that locks their cases; then nobody books them until this unit has ended.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar

from services.reservation.domain.booking import Booking
from services.reservation.domain.message import Note
from services.reservation.handlers import announce, citizens, going_back
from services.reservation.store import bookings, cases, renewals, returns
from services.reservation.store.cases import Notice, Place
from shared.contracts.base import CaseEvent
from shared.contracts.preparation import (
    CardArrived,
    CardDispatched,
    CardHeld,
    CardNotified,
    CardReleased,
    CardVoided,
    PreparationEvent,
)
from shared.contracts.reservation import CancelReason
from shared.ids import BookingId, CaseId
from shared.messaging.envelope import Message
from shared.unit import Unit

E = TypeVar("E", bound=CaseEvent)
Telling: TypeAlias = Callable[[Booking, datetime, CancelReason], Note | None]
"""What a citizen is told of a booking that has ended, if anything."""


def newest(messages: Iterable[Message[E]]) -> list[Message[E]]:
    """The last told message of each case."""
    kept: dict[CaseId, Message[E]] = {}
    for message in messages:
        case_id = message.data.case_id
        if case_id not in kept or kept[case_id].sequence < message.sequence:
            kept[case_id] = message
    return list(kept.values())


async def notified(unit: Unit, messages: Sequence[Message[CardNotified]]) -> None:
    """Booking opens; a later notice replaces the earlier and its number."""
    await cases.notified(
        unit.conn,
        [
            Notice(
                case_id=message.data.case_id,
                told=message.sequence,
                ward=message.data.ward,
                site_id=message.data.site_id,
                notice_seq=message.data.notice_seq,
                number_key=message.data.number_key,
                login_key=message.data.login_key,
                key_id=message.data.key_id,
                pickup_deadline=message.data.pickup_deadline,
                card_expires_on=message.data.card_expires_on,
            )
            for message in newest(messages)
        ],
    )


async def held(unit: Unit, messages: Sequence[Message[CardHeld]]) -> None:
    """No new booking until the release; one that exists is kept, for the hold may be short."""
    await cases.held(unit.conn, [(m.data.case_id, True, m.sequence) for m in newest(messages)])


async def released(unit: Unit, messages: Sequence[Message[CardReleased]]) -> None:
    """Bookable again, in the ward of residence that the release names."""
    last = newest(messages)
    await cases.held(unit.conn, [(m.data.case_id, False, m.sequence) for m in last])
    await cases.wards(unit.conn, [(m.data.case_id, m.data.ward, m.sequence) for m in last])


async def dispatched(unit: Unit, messages: Sequence[Message[CardDispatched]]) -> None:
    """The card is on its way; it counts as being where it goes from the day it is due."""
    await cases.placed(
        unit.conn,
        [
            Place(m.data.case_id, m.data.to_site_id, m.data.due_on, m.sequence)
            for m in newest(messages)
        ],
    )


async def arrived(unit: Unit, messages: Sequence[Message[CardArrived]]) -> None:
    """The card lies at another site."""
    await cases.placed(
        unit.conn,
        [Place(m.data.case_id, m.data.site_id, None, m.sequence) for m in newest(messages)],
    )


async def voided(unit: Unit, messages: Sequence[Message[CardVoided]]) -> None:
    """The case has ended; its booking is cancelled."""
    last = newest(messages)
    await cases.voided(unit.conn, [(m.data.case_id, m.time) for m in last])
    await renewals.end(unit.conn, [(m.data.case_id, m.time) for m in last])
    await cancel_active(unit, last, CancelReason.CARD_VOIDED)


async def disposal_due(unit: Unit, messages: Sequence[Message[PreparationEvent]]) -> None:
    """The card is no longer handed over; its booking is cancelled."""
    last = newest(messages)
    await cases.disposal_due(unit.conn, [(m.data.case_id, m.time) for m in last])
    await cancel_active(unit, last, CancelReason.DISPOSAL_DUE)


async def cancel_active(
    unit: Unit, causes: Sequence[Message[CaseEvent]], reason: CancelReason
) -> None:
    """Cancel what is booked for the cases of ``causes``, which this unit has locked."""
    by_case = {cause.data.case_id: cause for cause in causes}
    active = await bookings.active(unit.conn, sorted(by_case))
    if active:
        told = {booking.booking_id: by_case[booking.case_id] for booking in active}
        await cancel(unit, told, reason)


async def cancel(
    unit: Unit,
    causes: Mapping[BookingId, Message[CaseEvent]],
    reason: CancelReason,
    *,
    note: Telling = citizens.cancelled,
    missed: bool = False,
) -> None:
    """Cancel these bookings, each for its cause; their cases are locked by this unit.

    With ``missed`` those too that were missed until now; who has booked again meanwhile stays
    expected, so other rooms, which know a case by what was told last, hear of those nothing.
    """
    told = [(booking_id, cause.time) for booking_id, cause in sorted(causes.items())]
    ended = await bookings.cancel(unit.conn, told, reason, missed=missed)
    patience = await going_back.patience(unit, {booking.site_id for booking in ended})
    await returns.give_back(unit.conn, [(booking_id, at + patience) for booking_id, at in told])
    notes = [note(one, causes[one.booking_id].time, reason) for one in ended]
    await citizens.notify(unit, citizens.present(notes))
    by_case = [booking.case_id for booking in ended]
    again = {one.case_id for one in await bookings.active(unit.conn, by_case)} if missed else set()
    for booking in ended:
        if booking.case_id not in again:
            unit.emit(announce.cancelled(booking, reason), cause=causes[booking.booking_id])
        unit.audit(
            "booking.cancelled",
            subject=str(booking.case_id),
            site_id=booking.site_id,
            booking_id=str(booking.booking_id),
        )
