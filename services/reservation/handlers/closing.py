"""Closing or shrinking a site, step by step: list who loses a seat, hold another for each, tell
them, wait for answers, and only then close.

A step is one unit: it takes a bounded batch and commits with the state that says so, so that a
process may end at any point and any other goes on. Nobody's seat is given away before another is
theirs. Locks: the closure, then cases, displaced bookings, cells; the site before cells.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from services.reservation.domain.alternatives import Seat
from services.reservation.domain.booking import Booking, BookingState
from services.reservation.domain.cells import party_cells
from services.reservation.domain.closure import (
    Closure,
    ClosureKind,
    ClosureState,
    Displaced,
    DisplacedState,
    answer_by,
    seat_id,
)
from services.reservation.domain.message import CallReason, PhoneCall
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import NoSuchSite
from services.reservation.handlers import calendar, citizens, displacing, reseating
from services.reservation.handlers.displacing import Change
from services.reservation.store import alternatives, cases, closures, displaced, sites, suspensions
from services.reservation.store.alternatives import Wish
from shared.calendar import business_date
from shared.contracts.place import SiteState
from shared.contracts.site import SiteClosed
from shared.due import DueWork
from shared.errors import Problem
from shared.ids import BookingId, SiteId
from shared.unit import Unit

BATCH = 100
LOOK_EVERY = timedelta(minutes=10)
"""A closure that waits is looked at so often, for bookings that others have changed."""
SEARCH_EVERY = timedelta(hours=1)
"""Where nobody takes in a party, seats are looked for again so often."""
AFTER_TROUBLE = timedelta(minutes=1)
log = logging.getLogger(__name__)


def work(rules: Rules) -> DueWork:
    """Due work: one step of one closure."""

    async def step(unit: Unit) -> int:
        closure = await closures.take_due(unit.conn, unit.now)
        if closure is None:
            return 0
        part = unit.part(unit.principal, unit.traceparent)
        try:
            async with unit.conn.transaction():
                await _step(part, closure, rules)
        except (Problem, asyncpg.PostgresError, LookupError, ValueError):
            # Only this closure waits, so that one that is stuck keeps no other site waiting.
            log.exception("closure %s cannot go on and waits", closure.closure_id)
            await _look_at(unit, closure, closure.state, unit.now + AFTER_TROUBLE)
        else:
            unit.adopt(part)
        return 1

    return step


async def _step(unit: Unit, closure: Closure, rules: Rules) -> None:
    match closure.state:
        case ClosureState.LISTING:
            await _list(unit, closure, rules)
            await _look_at(unit, closure, ClosureState.OFFERING)
        case ClosureState.OFFERING:
            await _offer(unit, closure, rules)
        case ClosureState.WAITING | ClosureState.DONE:
            await _wait(unit, closure, rules)


async def _look_at(
    unit: Unit, closure: Closure, state: ClosureState, at: datetime | None = None
) -> None:
    await closures.set_(unit.conn, closure.closure_id, state, at or unit.now, unit.now)


async def _list(unit: Unit, closure: Closure, rules: Rules) -> int:
    """List whoever the change displaces and is not listed yet; how many there were."""
    found = await displacing.affected(unit, await _change(unit, closure), rules)
    if found.unseated:
        await _unseat(unit, closure.site_id, found.unseated)
    ids = [booking.booking_id for booking in found.bookings]
    return len(await displaced.list_(unit.conn, closure.closure_id, ids, unit.now)) if ids else 0


async def _change(unit: Unit, closure: Closure) -> Change:
    stored = (await sites.read_all(unit.conn, [closure.site_id]))[closure.site_id]
    suspension = None
    if closure.suspension_id is not None:
        found = await suspensions.read(unit.conn, closure.suspension_id)
        suspension = next(one for one in found if one.site_id == closure.site_id)
    return Change(closure.kind, stored.site, stored.made_until, closure.last_day, suspension)


async def _unseat(unit: Unit, site_id: SiteId, lost: Sequence[BookingId]) -> None:
    """Seats kept at a site cannot be kept; the closures they are of look for other ones."""
    rows = await displaced.unseat(unit.conn, site_id, lost, unit.now)
    seats = [seat_id(closure_id, booking_id) for closure_id, booking_id in rows]
    if seats:
        await alternatives.let_go(unit.conn, seats, unit.now)
    await closures.nudge(unit.conn, sorted({closure_id for closure_id, _ in rows}), unit.now)


async def _offer(unit: Unit, closure: Closure, rules: Rules) -> None:
    if await _settle_changed(unit, closure, rules):
        await _look_at(unit, closure, ClosureState.OFFERING)
    elif seatless := await displaced.seatless(unit.conn, closure.closure_id, unit.now, BATCH):
        await _hold(unit, closure, seatless, rules)
        await _look_at(unit, closure, ClosureState.OFFERING)
    elif held := await displaced.held(unit.conn, closure.closure_id, BATCH):
        await _tell(unit, closure, held, rules)
        await _look_at(unit, closure, ClosureState.OFFERING)
    else:
        await _look_at(unit, closure, ClosureState.WAITING)


async def _hold(unit: Unit, closure: Closure, seatless: Sequence[Displaced], rules: Rules) -> None:
    """Keep a seat for every party for which there is one; the others go on the phone list."""
    now = await alternatives.read(unit.conn, [one.booking_id for one in seatless])
    active = [b for b in now.values() if b.state is BookingState.ACTIVE]
    seats = await displacing.search(unit, active, rules)
    held = await _claim(unit, closure, active, seats, rules)
    if held:
        places = {one: (seats[one].site_id, seats[one].starts_at) for one in held}
        await displaced.hold(unit.conn, closure.closure_id, places, unit.now)
    # Seats that somebody was quicker to take are looked for again at once, the rest later.
    none = [b for b in active if b.booking_id not in seats]
    if none:
        look_at = unit.now + SEARCH_EVERY
        ids = [b.booking_id for b in none]
        await displaced.nobody_takes_in(unit.conn, closure.closure_id, ids, look_at, unit.now)
        await citizens.call(
            unit, [_call(closure, b, CallReason.NOT_POSSIBLE, "none", unit.now) for b in none]
        )


async def _claim(
    unit: Unit,
    closure: Closure,
    bookings: Sequence[Booking],
    seats: Mapping[BookingId, Seat],
    rules: Rules,
) -> list[BookingId]:
    """Take the seats found: of all at once, or, where one is gone, party by party."""
    groups: dict[tuple[object, ...], list[BookingId]] = {}
    wishes: dict[BookingId, Wish] = {}
    for booking in bookings:
        if (seat := seats.get(booking.booking_id)) is None:
            continue
        taken = party_cells(seat.starts_at, [booking.minutes], rules.cell_minutes)
        own = seat_id(closure.closure_id, booking.booking_id)
        wishes[booking.booking_id] = Wish(own, seat.site_id, list(taken))
        key = (booking.party_id, booking.site_id, booking.starts_at)
        groups.setdefault(key, []).append(booking.booking_id)
    if not wishes or await _try(unit, list(wishes.values())):
        return list(wishes)
    taken_: list[BookingId] = []
    for group in groups.values():
        if await _try(unit, [wishes[one] for one in group]):
            taken_ += group
    return taken_


async def _try(unit: Unit, wishes: Sequence[Wish]) -> bool:
    attempt = unit.conn.transaction()
    await attempt.start()
    if await alternatives.claim(unit.conn, wishes, unit.now):
        await attempt.commit()
        return True
    await attempt.rollback()
    return False


async def _tell(unit: Unit, closure: Closure, held: Sequence[Displaced], rules: Rules) -> None:
    """Tell of the seats that are kept; whom no mail reaches is on the phone list."""
    now = await alternatives.read(unit.conn, [one.booking_id for one in held])
    by: dict[BookingId, datetime] = {}
    notes = []
    for one in held:
        if one.to_site_id is None or one.to_starts_at is None:
            continue
        by[one.booking_id] = answer_by(unit.now, one.starts_at, one.to_starts_at, rules)
        notes.append(
            citizens.alternative(
                now[one.booking_id],
                unit.now,
                closure_id=closure.closure_id,
                to_site_id=one.to_site_id,
                to_starts_at=one.to_starts_at,
                answer_by=by[one.booking_id],
            )
        )
    unreached = await citizens.notify(unit, notes)
    told = {
        one.booking_id: (
            DisplacedState.PHONE_LIST if one.case_id in unreached else DisplacedState.TOLD,
            by[one.booking_id],
        )
        for one in held
        if one.booking_id in by
    }
    await displaced.tell(unit.conn, closure.closure_id, told, unit.now)


async def _wait(unit: Unit, closure: Closure, rules: Rules) -> None:
    change = await _change(unit, closure)
    over = change.suspension is not None and change.suspension.resumed_at is not None
    if (
        await _settle_changed(unit, closure, rules)
        or (over and await _keep(unit, closure, rules))
        or await _settle_overdue(unit, closure, rules)
    ):
        await _look_at(unit, closure, ClosureState.WAITING)
    elif not over and await _list(unit, closure, rules):
        await _look_at(unit, closure, ClosureState.OFFERING)
    else:
        await _settle_down(unit, closure, rules, over=over)


async def _settle_changed(unit: Unit, closure: Closure, rules: Rules) -> int:
    """End those whose bookings were moved, cancelled or served by others; how many."""
    ends = await displaced.changed_elsewhere(unit.conn, closure.closure_id, BATCH)
    if ends:
        kept = await displaced.lock(unit.conn, closure.closure_id, list(ends))
        await reseating.end(unit, closure, ends, kept, rules)
    return len(ends)


async def _keep(unit: Unit, closure: Closure, rules: Rules) -> int:
    """The seats are back: whoever has not answered stays. How many.

    Who should have come while nothing worked has no seat to come back to.
    """
    open_ = await displaced.open_(unit.conn, closure.closure_id, unit.now, BATCH)
    if open_:
        ends = {one.booking_id: DisplacedState.KEPT for one in open_}
        await reseating.end(unit, closure, ends, open_, rules)
        await reseating.tell_kept(unit, closure, open_)
    return len(open_)


async def _settle_overdue(unit: Unit, closure: Closure, rules: Rules) -> int:
    """Whoever has not answered in time gets the seat that was kept, and a call. How many."""
    due = await displaced.overdue(unit.conn, closure.closure_id, unit.now, BATCH)
    if not due:
        return 0
    free = await cases.lock_free(unit.conn, [one.case_id for one in due])
    mine = {case.case_id for case in free}
    rows = await displaced.lock(
        unit.conn, closure.closure_id, [one.booking_id for one in due if one.case_id in mine]
    )
    late = [one for one in rows if _is_late(one, unit.now)]
    gone = [one for one in late if _is_gone(one, unit.now)]
    for site_id in sorted({one.to_site_id for one in gone if one.to_site_id is not None}):
        await _unseat(unit, site_id, [one.booking_id for one in gone if one.to_site_id == site_id])
    there = await reseating.take_kept(
        unit,
        closure,
        [one for one in late if one not in gone],
        DisplacedState.PHONE_LIST,
        rules,
    )
    told = {one.booking_id for one in late if one.state is DisplacedState.TOLD}
    silent = [booking for booking in there if booking.booking_id in told]
    await citizens.call(
        unit, [_call(closure, b, CallReason.NO_ANSWER, "silent", unit.now) for b in silent]
    )
    return len(there) + len(gone)


def _is_late(one: Displaced, now: datetime) -> bool:
    return (
        one.ended_at is None
        and one.seat_held
        and one.state in (DisplacedState.TOLD, DisplacedState.PHONE_LIST)
        and one.answer_by is not None
        and one.answer_by <= now
    )


def _is_gone(one: Displaced, now: datetime) -> bool:
    """Whether the time of the alternative has passed too, because nobody worked on it."""
    return one.to_starts_at is not None and one.to_starts_at <= now


def _call(
    closure: Closure, booking: Booking, reason: CallReason, why: str, at: datetime
) -> PhoneCall:
    return PhoneCall(
        case_id=booking.case_id,
        ref=f"{closure.closure_id}:{booking.booking_id}:{why}",
        about="alternative",
        reason=reason,
        at=at,
        booking_id=booking.booking_id,
        site_id=booking.site_id,
        facts={"closure_id": str(closure.closure_id), "starts_at": booking.starts_at.isoformat()},
    )


async def _settle_down(unit: Unit, closure: Closure, rules: Rules, *, over: bool) -> None:
    """Nothing is to do at the moment: end the closure, or say when to look again."""
    at = await displaced.next_at(unit.conn, closure.closure_id)
    if at is not None:
        state = ClosureState.OFFERING if at <= unit.now else ClosureState.WAITING
        # What is due and cannot be taken is in other hands; they are let finish.
        wait = timedelta(seconds=1) if at <= unit.now else min(at - unit.now, LOOK_EVERY)
        await _look_at(unit, closure, state, unit.now + wait)
    elif await _finish(unit, closure, rules, over=over):
        await _look_at(unit, closure, ClosureState.DONE)
    else:
        await _look_at(unit, closure, ClosureState.WAITING, unit.now + LOOK_EVERY)


async def _finish(unit: Unit, closure: Closure, rules: Rules, *, over: bool) -> bool:
    """Close the site, or make its calendar as it was wanted; false where it is too early."""
    if closure.kind is ClosureKind.SUSPENSION:
        return over
    if closure.last_day is not None and business_date(unit.now) <= closure.last_day:
        return False
    stored = await sites.lock(unit.conn, closure.site_id)
    if stored is None:
        raise NoSuchSite
    await calendar.make_room(unit, stored.site, stored.made_until, rules)
    if await _list(unit, closure, rules):
        return False
    if closure.kind is ClosureKind.WIND_DOWN:
        site = stored.site.model_copy(update={"state": SiteState.CLOSED})
        version = await sites.update(unit.conn, site, unit.now)
        unit.emit(SiteClosed(site=site))
        unit.audit("site.closed", subject=site.site_id, site_id=site.site_id, version=version)
    return True
