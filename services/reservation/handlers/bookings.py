"""Making, reading and cancelling bookings.

Locks are taken in one order: site (only where its calendar is extended), cases, cells. Whoever
gives a seat back takes no lock of a cell, so no two units ever wait for each other in a circle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.reservation.domain.booking import (
    Booking,
    BookingState,
    NoSuchBooking,
    check_cancellable,
    is_over,
)
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import SiteRules
from services.reservation.handlers import (
    announce,
    citizens,
    going_back,
    parties,
    site_rules,
    together,
)
from services.reservation.handlers.parties import Request
from services.reservation.handlers.precondition import Precondition
from services.reservation.store import bookings, returns
from shared.calendar import business_date
from shared.contracts.reservation import CancelReason
from shared.errors import Problem
from shared.ids import BookingId, SiteId
from shared.unit import Unit

__all__ = ["Cancelling", "Request", "book", "cancel", "cancel_all", "find"]


async def book(unit: Unit, request: Request, rules: Rules) -> list[Booking]:
    """Book a seat for every case of the party at the same time, or for none.

    Raises what ``parties.ready`` raises, ``NoSuchSlot``, ``AlreadyBooked``, ``SlotTaken``.
    """
    (outcome,) = await together.book_all(unit, [(unit, request)], rules)
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


async def find(unit: Unit, booking_id: BookingId) -> Booking:
    """The booking, for its citizen or staff of its site; the reading is audited.

    Raises ``NoSuchBooking``, ``CaseForbidden`` and ``SiteForbidden``.
    """
    booking = await bookings.read(unit.conn, booking_id)
    if booking is None:
        raise NoSuchBooking
    unit.principal.require_case_at(booking.case_id, booking.site_id)
    parties.audit(unit, "booking.read", booking)
    return booking


async def cancel(unit: Unit, booking_id: BookingId, rules: Rules, require: Precondition) -> Booking:
    """Cancel a booking; its seat returns after a random delay. A cancelled one stays as it is, and
    one whose day has passed is missed, until a visit says otherwise.

    Raises ``NoSuchBooking``, ``CaseBusy``, ``BookingEnded``, ``ChangeTooLate`` and what
    ``require`` raises.
    """
    (outcome,) = await cancel_all(unit, [Cancelling(unit, booking_id, require)], rules)
    if isinstance(outcome, Problem):
        raise outcome
    return outcome


@dataclass(frozen=True, slots=True)
class Cancelling:
    """A booking that somebody wants cancelled; ``part`` is their part of the unit."""

    part: Unit
    booking_id: BookingId
    require: Precondition


async def cancel_all(
    unit: Unit, wishes: Sequence[Cancelling], rules: Rules
) -> list[Booking | Problem]:
    """``cancel`` for several bookings, no two the same; each as it ended, or why it did not."""
    seen = await bookings.read_all(unit.conn, [wish.booking_id for wish in wishes])
    refused = [_may_cancel(wish, seen) for wish in wishes]
    asked = [wish for wish, problem in zip(wishes, refused, strict=True) if problem is None]
    known = await parties.lock_all(unit, [seen[wish.booking_id].case_id for wish in asked])
    # Under the locks of their cases they stay as they are.
    seen = await bookings.read_all(unit.conn, [wish.booking_id for wish in asked])
    sites = sorted({booking.site_id for booking in seen.values()})
    own = await site_rules.at_all(unit, sites, rules)

    def examined(wish: Cancelling) -> Booking | Problem:
        booking = seen[wish.booking_id]
        try:
            parties.known_or_raise(known[booking.case_id])
            if booking.state is not BookingState.CANCELLED:
                wish.require(booking.version)
                by_staff, mine = wish.part.principal.is_staff, own[booking.site_id]
                at, there = unit.now, mine.of(booking.procedure)
                check_cancellable(booking, by_staff=by_staff, now=at, rules=there)
        except Problem as problem:
            return problem
        return booking

    found = [problem or examined(wish) for wish, problem in zip(wishes, refused, strict=True)]
    standing = [
        (wish, booking)
        for wish, booking in zip(wishes, found, strict=True)
        if isinstance(booking, Booking) and booking.state is not BookingState.CANCELLED
    ]
    past = [one for one in standing if is_over(one[1], unit.now)]
    ahead = [one for one in standing if not is_over(one[1], unit.now)]
    ended = dict(await _cancelled(unit, ahead, own)) if ahead else {}
    ended |= await _missed(unit, past) if past else {}
    return [end if isinstance(end, Problem) else ended.get(end.booking_id, end) for end in found]


def _may_cancel(wish: Cancelling, seen: Mapping[BookingId, Booking]) -> Problem | None:
    booking = seen.get(wish.booking_id)
    if booking is None:
        return NoSuchBooking()
    try:
        wish.part.principal.require_case_at(booking.case_id, booking.site_id)
    except Problem as problem:
        return problem
    return None


async def _missed(
    unit: Unit, past: Sequence[tuple[Cancelling, Booking]]
) -> Mapping[BookingId, Booking]:
    """Nobody came, says who gives the seat up after the day; a visit told later still counts."""
    told = [(booking.booking_id, booking.case_id, unit.now) for _, booking in past]
    ended = {one.booking_id: one for one in await bookings.miss(unit.conn, told)}
    for wish, booking in past:
        end = ended[booking.booking_id]
        wish.part.emit(announce.missed(end, business_date(end.starts_at)))
        parties.audit(wish.part, "booking.missed", end)
    return ended


async def _cancelled(
    unit: Unit,
    standing: Sequence[tuple[Cancelling, Booking]],
    own: Mapping[SiteId, SiteRules],
) -> Mapping[BookingId, Booking]:
    ended: dict[BookingId, Booking] = {}
    for reason in (CancelReason.STAFF, CancelReason.CITIZEN):
        told = [
            (booking.booking_id, unit.now)
            for wish, booking in standing
            if wish.part.principal.is_staff is (reason is CancelReason.STAFF)
        ]
        if told:
            made = await bookings.cancel(unit.conn, told, reason)
            ended |= {booking.booking_id: booking for booking in made}
    await _give_back(unit, list(ended.values()), own)
    notes = []
    for wish, booking in standing:
        end = ended[booking.booking_id]
        reason = end.reason or CancelReason.STAFF
        wish.part.emit(announce.cancelled(end, reason))
        parties.audit(wish.part, "booking.cancelled", end)
        notes.append(citizens.cancelled(end, unit.now, reason))
    await citizens.notify(unit, citizens.present(notes))
    return ended


async def _give_back(unit: Unit, ended: Sequence[Booking], own: Mapping[SiteId, SiteRules]) -> None:
    wait = {site: await going_back.patience(unit, [site]) for site in {b.site_id for b in ended}}
    await returns.give_back(
        unit.conn,
        [
            (
                b.booking_id,
                going_back.back_after(unit, wait[b.site_id], own[b.site_id].of(b.procedure)),
            )
            for b in ended
        ],
    )
