"""Answers to an alternative: by the citizen, by link or after login, or by staff on the phone.

An answer counts for those of the party the caller may speak for; the others keep what is held for
them, at the same time and place. Whoever answers locks cases, displaced bookings, cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.reservation.domain.booking import Booking, BookingEnded, NoSuchBooking
from services.reservation.domain.closure import (
    AlreadyAnswered,
    Answer,
    ChoiceMissing,
    Closure,
    Displaced,
    DisplacedState,
    NotDisplaced,
    NothingOffered,
)
from services.reservation.domain.message import Note
from services.reservation.domain.rules import Rules
from services.reservation.handlers import (
    announce,
    citizens,
    going_back,
    moves,
    parties,
    reseating,
)
from services.reservation.handlers.moves import Target
from services.reservation.store import bookings, closures, displaced, displaced_seen, returns
from shared.ids import BookingId, SiteId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody answers; a place and time go with ``CHOOSE``."""

    answer: Answer
    site_id: SiteId | None = None
    starts_at: datetime | None = None


_ENDS = {
    Answer.ACCEPT: DisplacedState.MOVED,
    Answer.CHOOSE: DisplacedState.CHOSEN,
    Answer.CANCEL: DisplacedState.CANCELLED,
}


async def find(unit: Unit, booking_id: BookingId) -> tuple[Displaced, Closure]:
    """What became of a booking that lost its seat, and why it did.

    Raises ``NoSuchBooking``, ``NotDisplaced``, ``CaseForbidden`` and ``SiteForbidden``.
    """
    booking = await bookings.read(unit.conn, booking_id)
    if booking is None:
        raise NoSuchBooking
    found = await displaced_seen.of_booking(unit.conn, booking_id)
    # Staff of the site that lost the booking speak for it wherever it has gone.
    lost = found.site_id if found else booking.site_id
    own = unit.principal.may_act_at(lost)
    unit.principal.require_case_at(booking.case_id, lost if own else booking.site_id)
    closure = await closures.read(unit.conn, found.closure_id) if found else None
    if found is None or closure is None:
        raise NotDisplaced
    return found, closure


async def answer(unit: Unit, booking_id: BookingId, said: Said, rules: Rules) -> Displaced:
    """Take an answer; given again, it changes nothing.

    Raises what ``find`` raises, ``CaseBusy``, ``AlreadyAnswered``, ``NothingOffered``,
    ``BookingEnded``, ``ChangeTooLate`` once the other seat is theirs, and for ``CHOOSE`` what
    ``moves.move`` raises.
    """
    seen, closure = await find(unit, booking_id)
    if seen.state is _ENDS[said.answer] and said.answer is not Answer.CHOOSE:
        return seen
    party = await _spoken_for(unit, seen)
    await parties.lock(unit, sorted(one.case_id for one in party))
    rows = await displaced.lock(
        unit.conn, closure.closure_id, sorted(one.booking_id for one in party)
    )
    rows = [one for one in rows if _may_answer(one)]
    if booking_id not in {one.booking_id for one in rows}:
        raise AlreadyAnswered
    await _check(unit, rows, said, rules)
    match said.answer:
        case Answer.ACCEPT:
            await _accept(unit, closure, rows, rules)
        case Answer.CHOOSE:
            await _choose(unit, closure, rows, said, rules)
        case Answer.CANCEL:
            await _cancel(unit, closure, rows, rules)
    for one in rows:
        _audit(unit, closure, one, said)
    await closures.nudge(unit.conn, [closure.closure_id], unit.now)
    return (await find(unit, booking_id))[0]


async def _spoken_for(unit: Unit, seen: Displaced) -> list[Displaced]:
    """Those who came with the booking, as far as the caller may speak for them."""
    party = await displaced_seen.party(unit.conn, seen.closure_id, seen.booking_id)
    together = [one for one in party if one.starts_at == seen.starts_at]
    if unit.principal.is_staff:
        return together
    return [one for one in together if one.case_id in unit.principal.cases]


def _may_answer(one: Displaced) -> bool:
    """Until somebody has; whoever is on the phone list may answer even after the seat moved."""
    return one.ended_at is None or one.state is DisplacedState.PHONE_LIST


async def _check(unit: Unit, rows: Sequence[Displaced], said: Said, rules: Rules) -> None:
    """Nobody answers for a visit that is over; who has the other seat already changes it in time.

    Raises ``BookingEnded`` and ``ChangeTooLate``.
    """
    active = await bookings.active(unit.conn, [one.case_id for one in rows])
    if {one.booking_id for one in rows} - {booking.booking_id for booking in active}:
        raise BookingEnded
    moved = {one.booking_id for one in rows if one.ended_at is not None}
    if moved and said.answer is not Answer.ACCEPT:
        there = [booking for booking in active if booking.booking_id in moved]
        await moves.check_movable(unit, there, rules)


async def _accept(unit: Unit, closure: Closure, rows: Sequence[Displaced], rules: Rules) -> None:
    """They go where a seat is kept; who was moved there already, stays there."""
    open_ = [one for one in rows if one.ended_at is None]
    if any(not one.seat_held for one in open_):
        raise NothingOffered
    moved = await reseating.take_kept(unit, closure, open_, DisplacedState.MOVED, rules)
    if len(moved) < len(open_):
        # Moved by hand meanwhile: the closure finds that out by itself.
        raise AlreadyAnswered
    there = [one.booking_id for one in rows if one.ended_at is not None]
    if there:
        ends = dict.fromkeys(there, DisplacedState.MOVED)
        await displaced.end(unit.conn, closure.closure_id, ends, unit.now)
        await citizens.settled(unit, [(o.case_id, o.booking_id) for o in rows if o.ended_at])


async def _choose(
    unit: Unit, closure: Closure, rows: Sequence[Displaced], said: Said, rules: Rules
) -> None:
    """They go where they choose; what was kept for them is free again."""
    if said.site_id is None or said.starts_at is None:
        raise ChoiceMissing
    if all(one.seat_held and _is_kept(one, said) for one in rows):
        await _accept(unit, closure, rows, rules)
        return
    for one in rows:
        # Whose party splits, moves alone; the others follow at the same time.
        alone = Target(said.site_id, said.starts_at, together=False)
        await moves.move(
            unit, one.booking_id, alone, rules, lambda _: None, because=closure.kind.move_reason
        )
    ends = {one.booking_id: DisplacedState.CHOSEN for one in rows}
    await reseating.end(unit, closure, ends, rows, rules)


def _is_kept(one: Displaced, said: Said) -> bool:
    return (one.to_site_id, one.to_starts_at) == (said.site_id, said.starts_at)


async def _cancel(unit: Unit, closure: Closure, rows: Sequence[Displaced], rules: Rules) -> None:
    """They do not come; both seats are free again."""
    reason = closure.kind.cancel_reason
    told = [(one.booking_id, unit.now) for one in rows]
    ended = await bookings.cancel(unit.conn, told, reason)
    due_at = await going_back.back_at(unit, ended[0].site_id, rules)
    await returns.give_back(unit.conn, [(booking_id, due_at) for booking_id, _ in told])
    ends = {one.booking_id: DisplacedState.CANCELLED for one in rows}
    await reseating.end(unit, closure, ends, rows, rules)
    for booking in ended:
        unit.emit(announce.cancelled(booking, reason))
        parties.audit(unit, "booking.cancelled", booking)
    await citizens.notify(unit, _asked_for(unit, ended, closure))


def _asked_for(unit: Unit, ended: Sequence[Booking], closure: Closure) -> list[Note]:
    """The mails; whom none reaches knows, for it is their own answer."""
    notes = (citizens.cancelled(one, unit.now, closure.kind.cancel_reason) for one in ended)
    return [replace(note, by_city=False) for note in citizens.present(notes)]


def _audit(unit: Unit, closure: Closure, one: Displaced, said: Said) -> None:
    unit.audit(
        "alternative.answered",
        subject=str(one.case_id),
        site_id=closure.site_id,
        closure_id=str(closure.closure_id),
        booking_id=str(one.booking_id),
        answer=said.answer.value,
    )
