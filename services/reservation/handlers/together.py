"""Several parties booked in one unit: everybody gets their own answer, in the order of asking.

The statements are the same few for one party and for fifty, so that a slot everybody wants costs
little more than slots that nobody shares. What one is refused for touches nobody else: its part of
the unit is left out. The cells of all are locked before any seat is given, in the order of their
key, and seats go to who asked first.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from services.reservation.domain.booking import AlreadyBooked, Booking, NoSuchSlot, SlotTaken
from services.reservation.domain.cells import party_cells
from services.reservation.domain.renewal import Opening
from services.reservation.domain.rules import Rules
from services.reservation.domain.sharing import Wanted, give_back, share_out
from services.reservation.handlers import announce, citizens, openings, parties
from services.reservation.handlers.parties import Ready, Request
from services.reservation.store import bookings, cells
from services.reservation.tools import Tools
from shared.errors import Problem
from shared.ids import SiteId
from shared.unit import Unit

Outcome: TypeAlias = list[Booking] | Problem
"""The bookings of a party, one per case, or what it was refused for."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """A party that may be served, and the seats it asks for; ``number`` is its place in line."""

    number: int
    part: Unit
    party: Ready
    seats: Wanted
    bookings: list[Booking]
    opens: Opening | None


async def book_all(
    unit: Unit, wishes: Sequence[tuple[Unit, Request]], rules: Rules, tools: Tools | None = None
) -> list[Outcome]:
    """Book a seat for every case of each party, or for none of its cases.

    ``wishes`` are parts of ``unit`` (``Unit.part``) with what they ask; no two share a case.
    ``tools`` are needed where one of them opens a renewal.
    Refused with what ``parties.ready`` raises, ``NoSuchSlot``, ``AlreadyBooked``, ``SlotTaken``,
    ``RenewalActive``.
    """
    ready = await parties.ready_all(unit, wishes, rules)
    asking = [
        _asking(number, part, party, request.opens, rules)
        for number, ((part, request), party) in enumerate(zip(wishes, ready, strict=True))
        if isinstance(party, Ready)
    ]
    booked = await _book(unit, asking, tools) if asking else {}
    outcomes: list[Outcome] = [
        booked[number] if isinstance(party, Ready) else party for number, party in enumerate(ready)
    ]
    await _tell(
        unit, [(part, outcome) for (part, _), outcome in zip(wishes, outcomes, strict=True)]
    )
    return outcomes


def _asking(number: int, part: Unit, party: Ready, opens: Opening | None, rules: Rules) -> _Asking:
    cells_ = party_cells(party.starts_at, party.minutes, rules.cell_minutes)
    site_id = party.site.site_id
    seats = {(site_id, at): seats for at, seats in cells_.items()}
    made = parties.seated(party, party.minutes)
    return _Asking(number, part, party, Wanted(seats, party.kept), made, opens)


async def _book(
    unit: Unit, asking: Sequence[_Asking], tools: Tools | None
) -> Mapping[int, Outcome]:
    """What becomes of each, by its number."""
    wanted = {cell for one in asking for cell in one.seats.seats}
    left = await cells.lock_all(unit.conn, wanted, unit.now)
    ends: dict[int, Outcome] = {}
    line = []
    for one in asking:
        if one.seats.seats.keys() <= left.keys():
            line.append(one)
        else:
            ends[one.number] = NoSuchSlot()
    taken: Counter[tuple[SiteId, datetime]] = Counter()
    while line:
        chosen = share_out([one.seats for one in line], left)
        granted = [one for one, seat in zip(line, chosen, strict=True) if seat]
        refused = [one for one, seat in zip(line, chosen, strict=True) if not seat]
        useless = await _insert(unit, granted, tools)
        for one in granted:
            if (refusal := useless.get(one.number)) is not None:
                give_back(one.seats, left)
                ends[one.number] = refusal
            else:
                taken.update(one.seats.seats)
                ends[one.number] = one.bookings
        # Seats that somebody could not use after all go to who comes next.
        line = refused if useless else []
        ends |= {one.number: SlotTaken() for one in refused}
    await cells.take_all(unit.conn, taken)
    return ends


async def _insert(
    unit: Unit, granted: Sequence[_Asking], tools: Tools | None
) -> dict[int, Problem]:
    """Store the bookings, and the renewals opened with them; the refusals of those that have one
    already, of whom nothing is stored.
    """
    refusals = await _open(unit, granted, tools)
    granted = [one for one in granted if one.number not in refusals]
    if not granted:
        return refusals
    made = [booking for one in granted for booking in one.bookings]
    stored = await bookings.insert_free(unit.conn, made, unit.now)
    twice = [one for one in granted if any(b.booking_id not in stored for b in one.bookings)]
    half = [b.booking_id for one in twice for b in one.bookings if b.booking_id in stored]
    if half:
        await bookings.unmake(unit.conn, half)
    return refusals | {one.number: AlreadyBooked() for one in twice}


async def _open(unit: Unit, granted: Sequence[_Asking], tools: Tools | None) -> dict[int, Problem]:
    """Open the renewals of those who ask for one; the refusals of those who have one."""
    opens = {one.number: (one.part, one.opens) for one in granted if one.opens is not None}
    if not opens:
        return {}
    if tools is None:
        raise ValueError("whoever opens renewals needs the tools that seal contacts")
    ends = await openings.open_all(unit, tools, list(opens.values()))
    return {number: end for number, end in zip(opens, ends, strict=True) if end is not None}


async def _tell(unit: Unit, outcomes: Sequence[tuple[Unit, Outcome]]) -> None:
    made = [
        (part, booking)
        for part, outcome in outcomes
        if not isinstance(outcome, Problem)
        for booking in outcome
    ]
    for part, booking in made:
        part.emit(announce.confirmed(booking))
        parties.audit(part, "booking.confirmed", booking)
    await citizens.notify(unit, [citizens.confirmed(booking, unit.now) for _, booking in made])
