"""What issuance tells of cases and their visits: done, come in vain, or not come.

The facts of the cases are written first, because that locks them; bookings come after.
"""

from collections.abc import Sequence
from datetime import date

from services.reservation.domain.booking import Booking, BookingState
from services.reservation.handlers import announce, citizens
from services.reservation.handlers.facts import cancel, cancel_active
from services.reservation.store import bookings, cases, renewals
from shared.calendar import business_date
from shared.contracts.issuance import (
    DeferReason,
    ProcedureEnded,
    VisitAbandoned,
    VisitDeferred,
    VisitMissed,
    VisitPaused,
)
from shared.contracts.reservation import BookingFulfilled, CancelReason
from shared.ids import BookingId, CaseId
from shared.messaging.envelope import Message
from shared.unit import Unit


async def done(unit: Unit, messages: Sequence[Message[ProcedureEnded]]) -> None:
    """The case is done: its booking is fulfilled, and any other it has is cancelled."""
    first = {message.data.case_id: message for message in reversed(messages)}
    await cases.done(
        unit.conn, [(m.data.case_id, m.data.procedure, m.time) for m in first.values()]
    )
    await renewals.end(unit.conn, [(m.data.case_id, m.time) for m in first.values()])
    await _fulfil(unit, messages)
    await cancel_active(unit, list(first.values()), CancelReason.SERVED_OTHERWISE)


async def missed(unit: Unit, messages: Sequence[Message[VisitMissed]]) -> None:
    """The citizen did not come: the booking ends, and they may book again from the next day."""
    again: dict[CaseId, date] = {}
    for message in messages:
        case_id, day = message.data.case_id, announce.bookable_from(message.data.business_date)
        again[case_id] = max(again.get(case_id, day), day)
    await cases.may_book_from(unit.conn, again.items())
    by_booking = {message.data.booking_id: message for message in messages}
    told = [(m.data.booking_id, m.data.case_id, m.time) for m in by_booking.values()]
    for booking in await bookings.miss(unit.conn, told):
        message = by_booking[booking.booking_id]
        unit.emit(announce.missed(booking, message.data.business_date), cause=message)
        _audit(unit, "booking.missed", booking)


async def used(
    unit: Unit, messages: Sequence[Message[VisitDeferred] | Message[VisitAbandoned]]
) -> None:
    """The visit took place and the case goes on: its booking is used up, and another can be made.

    A booking that was moved to a later day meanwhile stays. One that somebody gave up after its day
    was missed until now: of that day, the visit says otherwise.
    """
    today = {m.data.case_id: business_date(m.time) for m in messages}
    await cases.may_book_from(unit.conn, today.items())
    by_booking = {m.data.booking_id: m for m in messages if m.data.booking_id is not None}
    told = [
        (one.booking_id, by_booking[one.booking_id])
        for one in await bookings.unserved(unit.conn, sorted(by_booking))
        if _is_used(one, by_booking[one.booking_id])
    ]
    for reason in (CancelReason.SUSPENSION, CancelReason.SERVED_OTHERWISE):
        causes = {id_: m for id_, m in told if _why_used(m.data) is reason}
        if causes:
            await cancel(unit, causes, reason, note=citizens.broken_off, missed=True)


async def paused(unit: Unit, messages: Sequence[Message[VisitPaused]]) -> None:
    """A stop of the national system keeps the citizen waiting at the site: they have it in writing
    once for each visit, while it goes on.
    """
    told = {m.data.booking_id for m in messages if m.data.booking_id is not None}
    found = await bookings.unserved(unit.conn, sorted(told))
    unserved: dict[tuple[BookingId | None, CaseId], Booking] = {
        (one.booking_id, one.case_id): one for one in found
    }
    notes = [
        citizens.paused(unserved[of], message.time, visit_id=message.data.visit_id)
        # Of two notes that are the same the last is written: so that is the first pause.
        for message in reversed(messages)
        if (of := (message.data.booking_id, message.data.case_id)) in unserved
    ]
    await citizens.notify(unit, notes)


def _is_used(one: Booking, message: Message[VisitDeferred] | Message[VisitAbandoned]) -> bool:
    if one.case_id != message.data.case_id:
        return False
    booked, came = business_date(one.starts_at), business_date(message.time)
    return booked == came or (booked < came and one.state is BookingState.ACTIVE)


def _why_used(event: VisitDeferred | VisitAbandoned) -> CancelReason:
    outage = event.reason is DeferReason.NATIONAL_SYSTEM
    return CancelReason.SUSPENSION if outage else CancelReason.SERVED_OTHERWISE


async def _fulfil(unit: Unit, messages: Sequence[Message[ProcedureEnded]]) -> None:
    by_booking = {m.data.booking_id: m for m in messages if m.data.booking_id is not None}
    if not by_booking:
        return
    told = [(id_, m.data.case_id, m.time) for id_, m in by_booking.items()]
    for booking in await bookings.fulfil(unit.conn, told):
        message = by_booking[booking.booking_id]
        event = BookingFulfilled(
            case_id=booking.case_id,
            booking_id=booking.booking_id,
            site_id=message.data.site_id,
            visit_id=message.data.visit_id,
        )
        unit.emit(event, cause=message)
        _audit(unit, "booking.fulfilled", booking)


def _audit(unit: Unit, action: str, booking: Booking) -> None:
    unit.audit(
        action,
        subject=str(booking.case_id),
        site_id=booking.site_id,
        booking_id=str(booking.booking_id),
    )
