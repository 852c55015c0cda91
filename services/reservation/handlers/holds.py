"""Holding a seat while the form is filled, and making a booking of it.

Whoever holds something and holds something else lets the first go: new seat first, then the old.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.reservation.domain.booking import Booking, SlotTaken
from services.reservation.domain.hold import Hold, HoldEnded, HoldId, HoldState, NoSuchHold
from services.reservation.domain.rules import Rules
from services.reservation.domain.site_rules import SiteRules
from services.reservation.handlers import going_back, moves, parties, site_rules
from services.reservation.handlers.parties import Ready, Request
from services.reservation.store import bookings, holds, returns
from shared.ids import BookingId, PartyId, SiteId, new_id
from shared.unit import Unit

REMEMBERED = timedelta(days=1)
"""How long an ended hold can still be asked for."""
_WAITLIST = "waitlist:"


def waitlist_holder(entry_id: UUID) -> str:
    """Who holds the seat that is offered to a party of the waiting list."""
    return f"{_WAITLIST}{entry_id}"


async def place(unit: Unit, request: Request, rules: Rules) -> Hold:
    """Hold a seat for every case of the party, or for none; one hold per session.

    The same again gives the hold there is, and does not make it longer.
    Raises what ``parties.ready`` raises, ``HoldBusy``, ``NoSuchSlot`` and ``SlotTaken``.
    """
    party = await parties.ready(unit, request, rules)
    own = await holds.lock_own(unit.conn, unit.principal.subject)
    if own is not None and await _still(unit, own, request):
        return own
    hold = _hold(unit, party, request)
    near = await _near(unit, own, request.site_id)
    if own is not None:
        await holds.end(unit.conn, own.hold_id, HoldState.RELEASED)
    await holds.insert(unit.conn, hold)
    wanted = Counter(hold.cells(rules.cell_minutes))
    has = Counter(near.cells(rules.cell_minutes)) if near else Counter()
    if lacking := wanted - has:
        await parties.claim(unit, party, lacking)
    await keep_until(unit, hold, rules)
    if near is not None:
        await _change(unit, near, has, has - wanted, rules)
    elif own is not None:
        await let_go(unit, own, rules)
    _audit(unit, "hold.placed", hold)
    return hold


async def _near(unit: Unit, own: Hold | None, site_id: SiteId) -> Hold | None:
    """What is held already at the same site: its seats serve the next hold, as far as they fit."""
    if own is None or own.site_id != site_id or own.state_at(unit.now) is not HoldState.HELD:
        return None
    return own if await returns.there(unit.conn, own.hold_id, unit.now) else None


async def _change(
    unit: Unit, former: Hold, has: Counter[datetime], left: Counter[datetime], rules: Rules
) -> None:
    """The seats of ``former`` now serve another hold, but those ``left``, which return."""
    if await returns.held(unit.conn, former.hold_id, unit.now) != len(has):
        raise SlotTaken  # the calendar has just taken them away
    await returns.keep(unit.conn, former.hold_id)
    if left:
        await moves.put_back(unit, former.site_id, left, rules)


async def keep_until(unit: Unit, hold: Hold, rules: Rules) -> None:
    """Let the hold's seats, which are taken, go on their way back, not before it ends."""
    delay = await going_back.back_at(unit, hold.site_id, rules) - unit.now
    await returns.put_back(
        unit.conn,
        hold.site_id,
        hold.cells(rules.cell_minutes),
        hold.hold_id,
        held_until=hold.expires_at,
        due_at=hold.expires_at + delay,
    )


async def find(unit: Unit, hold_id: HoldId) -> Hold:
    """The hold, for the citizen of its cases or staff of its site.

    Raises ``NoSuchHold``, ``CaseForbidden`` and ``SiteForbidden``.
    """
    hold = await holds.read(unit.conn, hold_id)
    if hold is None or hold.holder.startswith(_WAITLIST):
        raise NoSuchHold
    for case_id in hold.case_ids:
        unit.principal.require_case_at(case_id, hold.site_id)
    return hold


async def read(unit: Unit, hold_id: HoldId) -> Hold:
    """The hold, for who may see it; the reading is audited. Raises what ``find`` raises."""
    hold = await find(unit, hold_id)
    _audit(unit, "hold.read", hold)
    return hold


async def own(unit: Unit) -> Hold | None:
    """What this caller holds now, or none."""
    hold = await holds.own(unit.conn, unit.principal.subject)
    return hold if hold and hold.state_at(unit.now) is HoldState.HELD else None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The bookings that a hold became, and the rules of their site."""

    bookings: list[Booking]
    rules: SiteRules

    @property
    def own(self) -> Mapping[BookingId, Rules]:
        """The rules that hold for each of them."""
        return {one.booking_id: self.rules.of(one.procedure) for one in self.bookings}


async def confirm(unit: Unit, hold_id: HoldId, rules: Rules) -> Confirmed:
    """Book what is held. Once confirmed, the same again gives the bookings that were made.

    Raises what ``find`` and ``parties.ready`` raise, ``HoldEnded`` and ``AlreadyBooked``.
    """
    seen = await find(unit, hold_id)
    if made := await _confirmed(unit, seen):
        return Confirmed(made, await site_rules.at(unit, seen.site_id, rules))
    if seen.state_at(unit.now) is not HoldState.HELD:
        raise HoldEnded
    request = Request(seen.case_ids, seen.site_id, seen.starts_at)
    party = await parties.ready(unit, request, rules)
    hold = await holds.lock(unit.conn, hold_id)
    # Somebody else may have confirmed it until its cases were ours.
    if made := await _confirmed(unit, hold):
        return Confirmed(made, party.rules)
    await _keep(unit, hold, rules)
    made = parties.seated(party, seen.minutes)
    await bookings.insert(unit.conn, made, unit.now)
    await holds.end(unit.conn, hold_id, HoldState.CONFIRMED, made[0].party_id)
    await parties.tell_confirmed(unit, made)
    return Confirmed(made, party.rules)


async def _confirmed(unit: Unit, hold: Hold | None) -> list[Booking]:
    """What it became, if it was confirmed."""
    if hold is None or hold.state is not HoldState.CONFIRMED or hold.party_id is None:
        return []
    return await bookings.of_party(unit.conn, hold.party_id)


async def take(unit: Unit, seen: Hold, rules: Rules, party_id: PartyId) -> None:
    """Keep the seats of a hold whose cases are locked, for this party. Raises ``HoldEnded``."""
    await _keep(unit, await holds.lock(unit.conn, seen.hold_id), rules)
    await holds.end(unit.conn, seen.hold_id, HoldState.CONFIRMED, party_id)


async def _keep(unit: Unit, hold: Hold | None, rules: Rules) -> None:
    """Keep the seats of a locked hold. Raises ``HoldEnded``."""
    if hold is None or hold.state_at(unit.now) is not HoldState.HELD:
        raise HoldEnded
    there = await returns.held(unit.conn, hold.hold_id, unit.now)
    if there != len(hold.cells(rules.cell_minutes)):
        raise HoldEnded
    await returns.keep(unit.conn, hold.hold_id)


async def release(unit: Unit, hold_id: HoldId, rules: Rules) -> None:
    """Give a hold up; its seats return after a random delay. An ended one stays as it is.

    Raises what ``find`` raises.
    """
    await find(unit, hold_id)
    hold = await holds.lock(unit.conn, hold_id)
    if hold is None or hold.state is not HoldState.HELD:
        return
    await holds.end(unit.conn, hold_id, HoldState.RELEASED)
    await let_go(unit, hold, rules)
    _audit(unit, "hold.released", hold)


async def let_go(unit: Unit, hold: Hold, rules: Rules) -> None:
    """The seats of a locked hold return after a random delay."""
    due_at = await going_back.back_at(unit, hold.site_id, rules)
    await returns.let_go(unit.conn, hold.hold_id, unit.now, due_at)


async def _still(unit: Unit, own: Hold, request: Request) -> bool:
    same = own.is_for(request.case_ids, request.site_id, request.starts_at)
    if not same or own.state_at(unit.now) is not HoldState.HELD:
        return False
    return await returns.held(unit.conn, own.hold_id, unit.now) > 0


def _hold(unit: Unit, party: Ready, request: Request) -> Hold:
    shortest = min(party.rules.of(case.procedure).hold_for for case in party.cases)
    return Hold(
        hold_id=HoldId(new_id()),
        holder=unit.principal.subject,
        case_ids=request.case_ids,
        minutes=party.minutes,
        site_id=request.site_id,
        starts_at=party.starts_at,
        made_at=unit.now,
        expires_at=unit.now + shortest,
    )


def _audit(unit: Unit, action: str, hold: Hold) -> None:
    for case_id in hold.case_ids:
        unit.audit(action, subject=str(case_id), site_id=hold.site_id, hold_id=str(hold.hold_id))


async def tidy(unit: Unit) -> int:
    """Due work: write down which holds have run out, and forget those of yesterday.

    Nothing waits for it: seats return by themselves.
    """
    lapsed = await holds.lapse(unit.conn, unit.now, 500)
    return lapsed + await holds.purge(unit.conn, unit.now - REMEMBERED, 500)
