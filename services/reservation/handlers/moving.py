"""Moving many bookings in one unit, as staff do in bulk: few statements for all, each by itself.

As ``moves.move``: the new seats first, under the locks of all their cells, then the old ones go on
their way back. What one is refused for touches nobody else.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from services.reservation.domain.booking import (
    Booking,
    BookingEnded,
    NoSuchBooking,
    NoSuchSlot,
    SlotTaken,
)
from services.reservation.domain.rules import Rules
from services.reservation.domain.sharing import CellKey, Wanted, share_out
from services.reservation.handlers import (
    citizens,
    going_back,
    moves,
    parties,
    site_rules,
)
from services.reservation.handlers.moves import Target
from services.reservation.handlers.parties import Ready, Request
from services.reservation.store import bookings, cells, returns
from services.reservation.store.returns import Back
from shared.contracts.reservation import MoveReason
from shared.errors import Problem
from shared.ids import BookingId, CaseId, SiteId, new_id
from shared.unit import Unit

Outcome: TypeAlias = list[Booking] | Problem
"""The bookings of a party where they are now, or why they were not moved."""


@dataclass(frozen=True, slots=True)
class Moving:
    """A booking that staff want elsewhere."""

    booking_id: BookingId
    target: Target


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A party that may move: where it is, where it wants to be, and the seats it needs more."""

    number: int
    here: list[Booking]
    there: list[Booking]
    seats: Wanted
    back: Mapping[SiteId, Counter[datetime]]


async def move_all(unit: Unit, wishes: Sequence[Moving], rules: Rules) -> list[Outcome]:
    """``moves.move`` for several bookings; a party that is named again moves again afterwards."""
    movers = await _movers(unit, wishes)
    ends: dict[int, Outcome] = {}
    once: dict[int, list[Booking]] = {}
    met: set[CaseId] = set()
    for number, party in enumerate(movers):
        if isinstance(party, Problem):
            ends[number] = party
        elif met.isdisjoint(booking.case_id for booking in party):
            once[number] = party
            met |= {booking.case_id for booking in party}
    if once:
        ends |= await _moved(unit, {n: (wishes[n], once[n]) for n in once}, rules)
    for number, wish in enumerate(wishes):
        if number not in ends:
            ends[number] = await _again(unit, wish, rules)
    return [ends[number] for number in range(len(wishes))]


async def _again(unit: Unit, wish: Moving, rules: Rules) -> Outcome:
    part = unit.part(unit.principal, unit.traceparent)
    try:
        async with unit.conn.transaction():
            made = await moves.move(part, wish.booking_id, wish.target, rules, lambda _: None)
    except Problem as problem:
        return problem
    unit.adopt(part)
    return made


async def _movers(unit: Unit, wishes: Sequence[Moving]) -> list[list[Booking] | Problem]:
    seen = await bookings.read_all(unit.conn, [wish.booking_id for wish in wishes])
    together = {
        seen[wish.booking_id].party_id
        for wish in wishes
        if wish.target.together and wish.booking_id in seen
    }
    party_of = await bookings.of_parties(unit.conn, sorted(together))

    def found(wish: Moving) -> list[Booking] | Problem:
        named = seen.get(wish.booking_id)
        if named is None:
            return NoSuchBooking()
        party = party_of.get(named.party_id, []) if wish.target.together else []
        others = [b for b in party if b.booking_id != named.booking_id and b.state is named.state]
        try:
            for booking in (named, *others):
                unit.principal.require_case_at(booking.case_id, booking.site_id)
            unit.principal.require_site(wish.target.site_id)
        except Problem as problem:
            return problem
        return [named, *others]

    return [found(wish) for wish in wishes]


async def _moved(
    unit: Unit, asked: Mapping[int, tuple[Moving, list[Booking]]], rules: Rules
) -> Mapping[int, Outcome]:
    ends, leaving = await _leaving(unit, asked, rules)
    wanted = {cell for one in leaving for cell in one.seats.seats}
    left = await cells.lock_all(unit.conn, wanted, unit.now) if wanted else {}
    line = []
    for one in leaving:
        if one.seats.seats.keys() <= left.keys():
            line.append(one)
        else:
            ends[one.number] = NoSuchSlot()
    chosen = share_out([one.seats for one in line], left)
    granted = [one for one, seat in zip(line, chosen, strict=True) if seat]
    ends |= {one.number: SlotTaken() for one, seat in zip(line, chosen, strict=True) if not seat}
    if granted:
        ends |= await _reseated(unit, granted, rules)
    return ends


async def _leaving(
    unit: Unit, asked: Mapping[int, tuple[Moving, list[Booking]]], rules: Rules
) -> tuple[dict[int, Outcome], list[_Leaving]]:
    """Who is refused or is there already, and who may move."""
    requests = [
        (unit, Request(tuple(b.case_id for b in party), wish.target.site_id, wish.target.starts_at))
        for wish, party in asked.values()
    ]
    ready = await parties.ready_all(unit, requests, rules)
    case_ids = [case_id for _, request in requests for case_id in request.case_ids]
    active = {b.booking_id: b for b in await bookings.active(unit.conn, case_ids)}
    sites = sorted({booking.site_id for booking in active.values()})
    own = await site_rules.at_all(unit, sites, rules)
    ends: dict[int, Outcome] = {}
    leaving = []
    for (number, (_, party)), fit in zip(asked.items(), ready, strict=True):
        if isinstance(fit, Problem):
            ends[number] = fit
            continue
        here = [active[b.booking_id] for b in party if b.booking_id in active]
        try:
            if len(here) < len(party):
                raise BookingEnded
            if all((b.site_id, b.starts_at) == (fit.site.site_id, fit.starts_at) for b in here):
                ends[number] = here
                continue
            moves.check_all_movable(unit, here, own)
        except Problem as problem:
            ends[number] = problem
            continue
        leaving.append(_wish(number, here, fit, rules))
    return ends, leaving


def _wish(number: int, here: list[Booking], party: Ready, rules: Rules) -> _Leaving:
    there = moves.wished(here, party)
    has, needs = moves.seats_of(here, rules), moves.seats_of(there, rules)
    site_id = party.site.site_id
    more = needs[site_id] - has.get(site_id, Counter())
    back = {site: seats - needs.get(site, Counter()) for site, seats in has.items()}
    seats: dict[CellKey, int] = {(site_id, at): count for at, count in more.items()}
    return _Leaving(number, here, there, Wanted(seats, party.kept), back)


async def _reseated(unit: Unit, granted: Sequence[_Leaving], rules: Rules) -> Mapping[int, Outcome]:
    taken: Counter[CellKey] = Counter()
    for one in granted:
        taken.update(one.seats.seats)
    await cells.take_all(unit.conn, taken)
    wish = [booking for one in granted for booking in one.there]
    made = {b.booking_id: b for b in await bookings.move(unit.conn, wish, unit.now)}
    await _put_back(unit, granted, rules)
    ends: dict[int, Outcome] = {}
    notes = []
    for one in granted:
        there = [made[booking.booking_id] for booking in one.there]
        notes += moves.told(unit, one.here, there, MoveReason.STAFF)
        ends[one.number] = there
    await citizens.notify(unit, notes)
    return ends


async def _put_back(unit: Unit, granted: Sequence[_Leaving], rules: Rules) -> None:
    sites = sorted({site for one in granted for site, seats in one.back.items() if seats})
    wait = {site: await going_back.patience(unit, [site]) for site in sites}
    await returns.put_back_all(
        unit.conn,
        [
            Back(site, seats, new_id(), going_back.back_after(unit, wait[site], rules))
            for one in granted
            for site, seats in one.back.items()
            if seats
        ],
    )
