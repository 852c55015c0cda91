"""Due work of the waiting list: a freed seat is kept for one party at a time, then passes on.

Locks are taken in the room's order: cases, entry, cells. Whoever is in other hands just now is
asked in the next round, so that the order stays fair.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto

from services.reservation.domain.booking import CaseBusy, SlotTaken
from services.reservation.domain.cells import party_cells
from services.reservation.domain.hold import Hold, HoldId
from services.reservation.domain.rules import Rules
from services.reservation.domain.waitlist import Entry, EntryState, Offer
from services.reservation.handlers import citizens, holds, matching, parties
from services.reservation.handlers.matching import Chance
from services.reservation.handlers.parties import Ready, Request
from services.reservation.store import cells, freed_seats, returns, waitlist
from services.reservation.store import holds as hold_store
from services.reservation.store.freed_seats import Freed
from shared.calendar import business_date
from shared.contracts.reservation import WaitlistOffered
from shared.due import DueWork
from shared.errors import Problem
from shared.ids import CaseId, OfferId, PartyId, new_id
from shared.security.principal import Principal, Role
from shared.unit import Unit

BATCH = 50


class Outcome(Enum):
    """What came of asking who could use a freed seat."""

    OFFERED = auto()
    NOBODY = auto()
    LATER = auto()
    """Somebody whose turn it is is in other hands: look again."""


def work(rules: Rules) -> DueWork:
    """Offer one freed seat, and set aside those that nobody on the list has use for."""

    async def batch(unit: Unit) -> int:
        nobody = []
        offered = 0
        for freed in await freed_seats.unasked(unit.conn, unit.now, BATCH):
            outcome = await _ask(unit, freed, rules)
            if outcome is Outcome.NOBODY:
                nobody.append(freed.return_id)
            elif outcome is Outcome.OFFERED:
                # One per unit: cells of two sites are never locked together.
                offered = 1
                break
        if nobody:
            await freed_seats.passed(unit.conn, nobody)
        return offered + len(nobody)

    return batch


async def lapse(unit: Unit) -> int:
    """Let unanswered offers lapse: the party waits on, and its seat passes to the next."""
    return _told(unit, "waitlist.lapsed", await waitlist.lapse(unit.conn, unit.now, BATCH))


async def end(unit: Unit) -> int:
    """End places whose days, or one of whose cases, are over."""
    over = await waitlist.end(unit.conn, business_date(unit.now), unit.now, BATCH)
    return _told(unit, "waitlist.ended", over)


def _told(unit: Unit, action: str, entries: Sequence[tuple[object, Sequence[CaseId]]]) -> int:
    for entry_id, case_ids in entries:
        for case_id in case_ids:
            unit.audit(action, subject=str(case_id), waitlist_id=str(entry_id))
    return len(entries)


async def _ask(unit: Unit, freed: Freed, rules: Rules) -> Outcome:
    chance = await matching.look(unit, freed, rules)
    if chance is None:
        return Outcome.NOBODY
    last: Entry | None = None
    while page := await waitlist.in_order(unit.conn, freed.site_id, chance.day, last, BATCH):
        for entry, starts in await matching.suited(unit, chance, page):
            outcome = await _try(unit, chance, entry, starts, rules)
            if outcome is not Outcome.NOBODY:
                return outcome
        last = page[-1]
    return Outcome.NOBODY


async def _try(
    unit: Unit, chance: Chance, entry: Entry, starts: Sequence[datetime], rules: Rules
) -> Outcome:
    for starts_at in starts:
        try:
            async with unit.conn.transaction():
                return await _offer(unit, chance, entry, starts_at, rules)
        except SlotTaken:
            continue
        except CaseBusy:
            return Outcome.LATER
        except Problem:
            break
    return Outcome.NOBODY


async def _offer(
    unit: Unit, chance: Chance, seen: Entry, starts_at: datetime, rules: Rules
) -> Outcome:
    request = Request(seen.case_ids, chance.site.site_id, starts_at)
    # As the citizen who accepts it: what only staff may book is not offered.
    citizen = unit.part(_citizen(seen), unit.traceparent)
    (party,) = await parties.ready_all(unit, [(citizen, request)], rules)
    if isinstance(party, Problem):
        raise party
    entry = await waitlist.lock(unit.conn, seen.entry_id)
    if entry is None or entry.state is not EntryState.WAITING:
        return Outcome.NOBODY
    hold = _hold(unit, party, entry)
    await _take(unit, chance, party, hold, rules)
    await hold_store.insert(unit.conn, hold)
    await holds.keep_until(unit, hold, rules)
    offer = Offer(
        OfferId(hold.hold_id), entry.entry_id, hold.site_id, hold.starts_at, hold.expires_at
    )
    await waitlist.offer(unit.conn, offer, unit.now)
    await _tell(unit, party, offer)
    return Outcome.OFFERED


def _citizen(entry: Entry) -> Principal:
    return Principal(
        holds.waitlist_holder(entry.entry_id),
        frozenset({Role.CITIZEN}),
        cases=frozenset(entry.case_ids),
    )


def _hold(unit: Unit, party: Ready, entry: Entry) -> Hold:
    patience = min(party.rules.of(case.procedure).offer_for for case in party.cases)
    return Hold(
        hold_id=HoldId(new_id()),
        holder=holds.waitlist_holder(entry.entry_id),
        case_ids=entry.case_ids,
        minutes=party.minutes,
        site_id=party.site.site_id,
        starts_at=party.starts_at,
        made_at=unit.now,
        expires_at=min(unit.now + patience, party.starts_at),
    )


async def _take(unit: Unit, chance: Chance, party: Ready, hold: Hold, rules: Rules) -> None:
    """Take the hold's seats out of the freed ones; what it has no use for goes on its way back.

    Raises ``SlotTaken``.
    """
    freed = chance.freed
    wanted = party_cells(party.starts_at, party.minutes, rules.cell_minutes)
    there = await cells.bring_back(
        unit.conn, freed.site_id, freed.return_id, {*freed.seats, *wanted}, unit.now
    )
    rest = {at: n - wanted.get(at, 0) for at, n in there.items() if n > wanted.get(at, 0)}
    if rest:
        await cells.claim(unit.conn, freed.site_id, rest, unit.now)
        await returns.put_back(
            unit.conn, freed.site_id, rest, new_id(), held_until=None, due_at=freed.due_at
        )
    if not there:
        raise SlotTaken
    await parties.claim(unit, party, wanted)


async def _tell(unit: Unit, party: Ready, offer: Offer) -> None:
    notes = []
    for case, minutes in zip(party.cases, party.minutes, strict=True):
        unit.emit(
            WaitlistOffered(
                case_id=case.case_id,
                offer_id=offer.offer_id,
                party_id=PartyId(offer.offer_id),
                site_id=offer.site_id,
                starts_at=offer.starts_at,
                minutes=minutes,
                procedure=case.procedure,
                expires_at=offer.expires_at,
            )
        )
        unit.audit(
            "waitlist.offered",
            subject=str(case.case_id),
            site_id=offer.site_id,
            offer_id=str(offer.offer_id),
            waitlist_id=str(offer.entry_id),
        )
        notes.append(
            citizens.offered(
                case.case_id,
                unit.now,
                offer_id=offer.offer_id,
                site_id=offer.site_id,
                starts_at=offer.starts_at,
                minutes=minutes,
                procedure=case.procedure,
                expires_at=offer.expires_at,
            )
        )
    await citizens.notify(unit, notes)
