"""Closing or shrinking a site, step by step: list who loses a seat, hold another for each, tell
them, wait for answers, and only then close.

A step is one unit: it takes a bounded batch and commits with the state that says so, so that a
process may end at any point and any other goes on. Nobody's seat is given away before another is
theirs. Locks: the closure, then cases, displaced bookings, cells; the site before cells.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import asyncpg

from services.reservation.domain.closure import (
    Closure,
    ClosureKind,
    ClosureState,
    Displaced,
    DisplacedState,
    seat_id,
)
from services.reservation.domain.message import CallReason
from services.reservation.domain.rules import Rules
from services.reservation.domain.site import NoSuchSite
from services.reservation.handlers import (
    calendar,
    citizens,
    displacing,
    fresh_seats,
    offering,
    reseating,
    site_news,
)
from services.reservation.handlers.displacing import Change
from services.reservation.store import (
    alternatives,
    cases,
    closures,
    displaced,
    displaced_seen,
    sites,
    suspensions,
)
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
AFTER_TROUBLE = timedelta(minutes=1)
log = logging.getLogger(__name__)


def work(rules: Rules, stuck: Callable[[], object] = lambda: None) -> DueWork:
    """Due work: one step of one closure; ``stuck`` is told of each that cannot go on."""

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
            stuck()
            await _look_at(unit, closure, closure.state, unit.now + AFTER_TROUBLE)
        else:
            unit.adopt(part)
        return 1

    return step


async def _step(unit: Unit, closure: Closure, rules: Rules) -> None:
    if await _list_anew(unit, closure, rules):
        return
    match closure.state:
        case ClosureState.LISTING:
            await _list(unit, closure, rules)
            await _look_at(unit, closure, ClosureState.OFFERING)
        case ClosureState.OFFERING:
            await _offer(unit, closure, rules)
        case ClosureState.WAITING | ClosureState.DONE:
            await _wait(unit, closure, rules)


async def _list_anew(unit: Unit, closure: Closure, rules: Rules) -> bool:
    """Where the site has changed since: who loses a seat now, and who has it back."""
    if closure.kind is ClosureKind.SUSPENSION or closure.state is ClosureState.LISTING:
        return False
    stored = (await sites.read_all(unit.conn, [closure.site_id]))[closure.site_id]
    if stored.version == closure.listed_version or stored.site.state is SiteState.CLOSED:
        return False
    if not await _list(unit, closure, rules):
        await closures.listed(unit.conn, closure.closure_id, stored.version)
    await _look_at(unit, closure, ClosureState.OFFERING)
    return True


async def _look_at(
    unit: Unit, closure: Closure, state: ClosureState, at: datetime | None = None
) -> None:
    await closures.set_(unit.conn, closure.closure_id, state, at or unit.now, unit.now)


async def _list(unit: Unit, closure: Closure, rules: Rules) -> int:
    """List whoever the change displaces and is not listed yet, and let stay for whom there is room
    again; how many there were.
    """
    await displaced.lock_listing(unit.conn, closure.site_id)
    found = await displacing.affected(unit, await _change(unit, closure), rules)
    if found.unseated:
        await _unseat(unit, closure.site_id, [one.booking_id for one in found.unseated])
    ids = [booking.booking_id for booking in found.bookings]
    listed = await displaced.list_(unit.conn, closure.closure_id, ids, unit.now) if ids else ()
    if closure.kind is ClosureKind.SUSPENSION or not found.returning:
        return len(listed)
    return len(listed) + await _keep(unit, closure, rules, among=found.returning)


async def _change(unit: Unit, closure: Closure) -> Change:
    stored = (await sites.read_all(unit.conn, [closure.site_id]))[closure.site_id]
    suspension = None
    if closure.suspension_id is not None:
        found = await suspensions.read(unit.conn, closure.suspension_id)
        suspension = next(one for one in found if one.site_id == closure.site_id)
    return Change(closure.kind, stored.site, stored.made_until, suspension)


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
        await offering.hold(unit, closure, seatless, rules)
        await _look_at(unit, closure, ClosureState.OFFERING)
    elif held := await displaced.held(unit.conn, closure.closure_id, BATCH):
        await offering.tell(unit, closure, held, rules)
        await _look_at(unit, closure, ClosureState.OFFERING)
    else:
        # What is due and was not found is in other hands for a moment.
        at = await displaced_seen.next_at(unit.conn, closure.closure_id)
        wait = timedelta(seconds=1) if at is not None and at <= unit.now else timedelta()
        await _look_at(unit, closure, ClosureState.WAITING, unit.now + wait)


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


async def _keep(
    unit: Unit, closure: Closure, rules: Rules, *, among: Sequence[BookingId] | None = None
) -> int:
    """The seats are back, of all or of these: whoever has not answered stays. How many.

    Who should have come while nothing worked has no seat to come back to.
    """
    open_ = await displaced.open_(unit.conn, closure.closure_id, unit.now, BATCH, among)
    if open_:
        ends = {one.booking_id: DisplacedState.KEPT for one in open_}
        unreached = await reseating.end(unit, closure, ends, open_, rules)
        reached = [one for one in open_ if one.case_id not in unreached]
        await reseating.tell_kept(unit, closure, reached)
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
        unit, [offering.call(closure, b, CallReason.NO_ANSWER, "silent", unit.now) for b in silent]
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


async def _settle_down(unit: Unit, closure: Closure, rules: Rules, *, over: bool) -> None:
    """Nothing is to do at the moment: end the closure, or say when to look again."""
    at = await displaced_seen.next_at(unit.conn, closure.closure_id)
    if at is not None and at <= unit.now:
        await _look_at(unit, closure, ClosureState.OFFERING)
    elif at is not None:
        await _look_at(unit, closure, ClosureState.WAITING, min(at, unit.now + LOOK_EVERY))
    elif await _finish(unit, closure, rules, over=over):
        await _look_at(unit, closure, ClosureState.DONE)
    else:
        await _look_at(unit, closure, ClosureState.WAITING, unit.now + LOOK_EVERY)


async def _finish(unit: Unit, closure: Closure, rules: Rules, *, over: bool) -> bool:
    """Close the site, or make its calendar as it was wanted; false where it is too early."""
    if closure.kind is ClosureKind.SUSPENSION:
        return over
    ends = closure.last_day if closure.withdrawn_at is None else None
    if ends is not None and business_date(unit.now) <= ends:
        return False
    stored = await sites.lock(unit.conn, closure.site_id)
    if stored is None:
        raise NoSuchSite
    await calendar.make_room(unit, stored.site, stored.made_until, rules)
    late = await displacing.affected(unit, await _change(unit, closure), rules)
    if late.lost:
        return False
    if ends is not None:
        if await alternatives.seated(unit.conn, closure.site_id, unit.now, None):
            # Another closure, of a suspension, is still finding seats for them.
            return False
        site = stored.site.model_copy(update={"state": SiteState.CLOSED})
        version = await sites.update(unit.conn, site, unit.now)
        await site_news.tell(unit, SiteClosed, site)
        unit.audit("site.closed", subject=site.site_id, site_id=site.site_id, version=version)
    else:
        # What is left once everybody has a seat is for who waits.
        await fresh_seats.ask_first(unit, closure.site_id)
    return True
