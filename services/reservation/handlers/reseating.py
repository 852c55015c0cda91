"""Giving displaced bookings the seats that are kept for them, and letting such seats go.

Locks: cases, displaced bookings, cells. Nothing here waits for a cell.
"""

from collections.abc import Mapping, Sequence

from services.reservation.domain.booking import Booking, BookingState
from services.reservation.domain.closure import Closure, Displaced, DisplacedState
from services.reservation.domain.rules import Rules
from services.reservation.handlers import citizens, going_back, moves
from services.reservation.store import alternatives, displaced
from shared.ids import BookingId, CaseId
from shared.unit import Unit


async def take_kept(
    unit: Unit, closure: Closure, kept: Sequence[Displaced], end: DisplacedState, rules: Rules
) -> list[Booking]:
    """Move bookings to the seats kept for them and end them as ``end``; those that moved.

    The caller holds their cases and their displaced rows. Bookings that others have changed
    meanwhile are left alone.
    """
    now = await alternatives.read(unit.conn, [one.booking_id for one in kept])
    moving = [one for one in kept if one.seat_held and _sits_there(one, now)]
    seats = {
        one.booking_id: (one.to_site_id, one.to_starts_at)
        for one in moving
        if one.to_site_id is not None and one.to_starts_at is not None
    }
    if not seats:
        return []
    here = [now[booking_id] for booking_id in seats]
    await alternatives.hand_over(unit.conn, [one.seat_id for one in moving])
    there = await alternatives.reseat(unit.conn, seats, unit.now)
    await moves.give_back(unit, here, rules)
    await displaced.end(unit.conn, closure.closure_id, dict.fromkeys(seats, end), unit.now)
    await citizens.settled(unit, [(one.case_id, one.booking_id) for one in moving])
    await moves.tell_moved(unit, here, there, closure.kind.move_reason)
    return there


async def end(
    unit: Unit,
    closure: Closure,
    ends: Mapping[BookingId, DisplacedState],
    kept: Sequence[Displaced],
    rules: Rules,
) -> set[CaseId]:
    """End displaced rows, which the caller holds; seats kept for them return.

    Gives the cases whom nobody had reached yet, and who need no call any more.
    """
    await displaced.end(unit.conn, closure.closure_id, ends, unit.now)
    unreached = await citizens.settled(unit, [(one.case_id, one.booking_id) for one in kept])
    held = [one for one in kept if one.seat_held and one.booking_id in ends]
    for site_id in sorted({one.to_site_id for one in held if one.to_site_id is not None}):
        due_at = await going_back.back_at(unit, site_id, rules)
        seat_ids = [one.seat_id for one in held if one.to_site_id == site_id]
        await alternatives.let_go(unit.conn, seat_ids, due_at)
    return unreached


async def tell_kept(unit: Unit, closure: Closure, kept: Sequence[Displaced]) -> None:
    """Say to those who were told of an alternative that their own seat is theirs again."""
    now = await alternatives.read(unit.conn, [one.booking_id for one in kept])
    notes = [
        citizens.kept(
            now[one.booking_id], unit.now, ref=f"{closure.closure_id}:{one.booking_id}:kept"
        )
        for one in kept
        if one.answer_by is not None and now[one.booking_id].state is BookingState.ACTIVE
    ]
    await citizens.notify(unit, notes)


def _sits_there(one: Displaced, now: Mapping[BookingId, Booking]) -> bool:
    booking = now.get(one.booking_id)
    return (
        booking is not None
        and booking.state is BookingState.ACTIVE
        and (booking.site_id, booking.starts_at) == (one.site_id, one.starts_at)
    )
