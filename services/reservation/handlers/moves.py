"""Moving bookings: the new seats first, then the old ones go back, in one unit or not at all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.reservation.domain.booking import (
    Booking,
    BookingEnded,
    NoSuchBooking,
    check_cancellable,
    is_over,
)
from services.reservation.domain.cells import party_cells
from services.reservation.domain.message import Note
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import SiteRules
from services.reservation.handlers import (
    announce,
    citizens,
    going_back,
    parties,
    site_rules,
)
from services.reservation.handlers.parties import Ready, Request
from services.reservation.handlers.precondition import Precondition
from services.reservation.store import bookings, returns
from shared.contracts.reservation import MoveReason
from shared.ids import BookingId, SiteId, new_id
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Target:
    """Where to move; ``together``: the whole party, or this booking alone."""

    site_id: SiteId
    starts_at: datetime
    together: bool = True


async def move(
    unit: Unit,
    booking_id: BookingId,
    target: Target,
    rules: Rules,
    require: Precondition,
    *,
    because: MoveReason | None = None,
) -> list[Booking]:
    """Move a booking and its party to another time or site. Where it is already, it stays.

    ``because`` the city cannot keep the seat, there is no deadline, and staff move to any site.
    Raises ``NoSuchBooking``, ``BookingEnded``, ``ChangeTooLate``, what ``parties.ready`` and
    ``require`` raise, ``NoSuchSlot`` and ``SlotTaken``; then everything is as it was.
    """
    seen = await _movers(unit, booking_id, target)
    if unit.principal.is_staff and because is None:
        unit.principal.require_site(target.site_id)
    request = Request(tuple(b.case_id for b in seen), target.site_id, target.starts_at)
    party = await parties.ready(unit, request, rules)
    here = await _as_they_are(unit, seen)
    require(next(b.version for b in here if b.booking_id == booking_id))
    if all((b.site_id, b.starts_at) == (target.site_id, party.starts_at) for b in here):
        return here
    if because is None:
        await check_movable(unit, here, rules)
    there = await _reseated(unit, here, party, rules)
    by_staff = unit.principal.is_staff
    own = MoveReason.STAFF if by_staff else MoveReason.CITIZEN
    await tell_moved(unit, here, there, because or own)
    return there


async def check_movable(unit: Unit, here: Sequence[Booking], rules: Rules) -> None:
    """Raise ``BookingEnded`` or ``ChangeTooLate`` unless the bookings may still be changed."""
    own = await site_rules.at_all(unit, sorted({b.site_id for b in here}), rules)
    check_all_movable(unit, here, own)


def check_all_movable(unit: Unit, here: Sequence[Booking], own: Mapping[SiteId, SiteRules]) -> None:
    """``check_movable`` by the rules of their sites."""
    for booking in here:
        if is_over(booking, unit.now):
            raise BookingEnded
        check_cancellable(
            booking,
            by_staff=unit.principal.is_staff,
            now=unit.now,
            rules=own[booking.site_id].of(booking.procedure),
        )


async def give_back(unit: Unit, left: Sequence[Booking], rules: Rules) -> None:
    """Let the seats that bookings have left go on their way back."""
    for booking in left:
        seats = party_cells(booking.starts_at, [booking.minutes], rules.cell_minutes)
        await put_back(unit, booking.site_id, seats, rules)


async def tell_moved(
    unit: Unit, here: Sequence[Booking], there: Sequence[Booking], reason: MoveReason
) -> None:
    """Say that bookings were moved from ``here`` to ``there``, to all who have to know."""
    await citizens.notify(unit, told(unit, here, there, reason))


def told(
    unit: Unit, here: Sequence[Booking], there: Sequence[Booking], reason: MoveReason
) -> list[Note]:
    """Say it to other rooms and the audit; what the citizens are to be told."""
    before = {booking.booking_id: booking for booking in here}
    notes = []
    for booking in there:
        old = before[booking.booking_id]
        unit.emit(announce.moved(booking, old.site_id, old.starts_at, reason))
        parties.audit(unit, "booking.moved", booking)
        notes.append(
            citizens.moved(
                booking,
                unit.now,
                reason,
                previous_site_id=old.site_id,
                previous_starts_at=old.starts_at,
            )
        )
    return notes


async def _movers(unit: Unit, booking_id: BookingId, target: Target) -> list[Booking]:
    named = await bookings.read(unit.conn, booking_id)
    if named is None:
        raise NoSuchBooking
    unit.principal.require_case_at(named.case_id, named.site_id)
    if not target.together:
        return [named]
    party = await bookings.of_party(unit.conn, named.party_id)
    others = [b for b in party if b.booking_id != booking_id and b.state is named.state]
    for booking in others:
        unit.principal.require_case_at(booking.case_id, booking.site_id)
    return [named, *others]


async def _as_they_are(unit: Unit, seen: Sequence[Booking]) -> list[Booking]:
    """The bookings, now that their cases are locked. Raises ``BookingEnded``."""
    active = await bookings.active(unit.conn, [b.case_id for b in seen])
    found = {b.booking_id: b for b in active}
    if any(b.booking_id not in found for b in seen):
        raise BookingEnded
    return [found[b.booking_id] for b in seen]


async def _reseated(
    unit: Unit, here: Sequence[Booking], party: Ready, rules: Rules
) -> list[Booking]:
    """Take the seats that are needed besides those the party has, and free those it leaves."""
    wish = wished(here, party)
    has, needs = seats_of(here, rules), seats_of(wish, rules)
    site_id = party.site.site_id
    more = needs[site_id] - has.get(site_id, Counter())
    if more:
        await parties.claim(unit, party, more)
    there = await bookings.move(unit.conn, wish, unit.now)
    for left, seats in has.items():
        await put_back(unit, left, seats - needs.get(left, Counter()), rules)
    return there


async def put_back(
    unit: Unit, site_id: SiteId, seats: Mapping[datetime, int], rules: Rules
) -> None:
    """Let seats that somebody has left return after a random delay."""
    if not seats:
        return
    due_at = await going_back.back_at(unit, site_id, rules)
    await returns.put_back(unit.conn, site_id, seats, new_id(), held_until=None, due_at=due_at)


def wished(here: Sequence[Booking], party: Ready) -> list[Booking]:
    """The bookings where and when the party wants to be."""
    cards = {case.case_id: parties.card_site(case) for case in party.cases}
    return [
        replace(
            booking,
            site_id=party.site.site_id,
            starts_at=party.starts_at,
            card_site_id=cards[booking.case_id],
        )
        for booking in here
    ]


def seats_of(seated: Sequence[Booking], rules: Rules) -> dict[SiteId, Counter[datetime]]:
    """Seats by site and cell that the bookings take."""
    seats: dict[SiteId, Counter[datetime]] = {}
    for booking in seated:
        taken = party_cells(
            booking.starts_at.astimezone(UTC), [booking.minutes], rules.cell_minutes
        )
        seats.setdefault(booking.site_id, Counter()).update(taken)
    return seats
