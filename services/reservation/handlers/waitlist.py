"""A party's place on the waiting list, and its answer to what it is offered.

Locks are taken in the room's order: cases, entry, hold; no cell is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from services.reservation.domain.booking import (
    AlreadyBooked,
    Booking,
    SiteDoesNotAccept,
    check_party,
)
from services.reservation.domain.case import CaseFacts, check_bookable, window
from services.reservation.domain.cells import midnight
from services.reservation.domain.hold import Hold, HoldId, HoldState
from services.reservation.domain.opening import ever_accepts
from services.reservation.domain.rules import Rules
from services.reservation.domain.waitlist import (
    Entry,
    EntryId,
    EntryState,
    NoSuchEntry,
    OfferEnded,
    OfferState,
    check_days,
    refused,
)
from services.reservation.handlers import holds, moves, parties, site_rules, sites
from services.reservation.handlers.parties import Ready, Request
from services.reservation.store import bookings, freed_seats, waitlist
from services.reservation.store import holds as hold_store
from shared.calendar import business_date
from shared.contracts.reservation import MoveReason
from shared.errors import Problem, Text
from shared.ids import CaseId, PartyId, SiteId, new_id
from shared.security.principal import CaseForbidden
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Wish:
    """What a party waits for; days from ``first`` to ``last``, both included."""

    case_ids: tuple[CaseId, ...]
    site_ids: tuple[SiteId, ...]
    first: date
    last: date


async def join(unit: Unit, wish: Wish, rules: Rules) -> Entry:
    """Give the party a place at the end of the list.

    Raises ``PartyRefused``, ``CaseForbidden``, ``SiteForbidden``, ``NoSuchSite``, ``CaseBusy``, a
    ``NotBookable``, ``SiteDoesNotAccept``, ``WishRefused`` and ``AlreadyWaiting``.
    """
    check_party(wish.case_ids, rules)
    for case_id in wish.case_ids:
        unit.principal.require_case(case_id)
    for site_id in wish.site_ids if unit.principal.is_staff else ():
        unit.principal.require_site(site_id)
    found = await parties.lock(unit, wish.case_ids)
    await _check(unit, [found[one] for one in wish.case_ids], wish, rules)
    entry = Entry(
        entry_id=EntryId(new_id()),
        case_ids=wish.case_ids,
        site_ids=tuple(dict.fromkeys(wish.site_ids)),
        procedure=found[wish.case_ids[0]].procedure,
        first_day=wish.first,
        last_day=wish.last,
        made_at=unit.now,
    )
    await waitlist.insert(unit.conn, entry)
    start, end = midnight(wish.first), midnight(wish.last + timedelta(days=1))
    await freed_seats.look_again(unit.conn, entry.site_ids, start, end, unit.now)
    _audit(unit, "waitlist.joined", entry)
    return entry


async def find(unit: Unit, entry_id: EntryId) -> Entry:
    """The place, for the citizen of any of its cases or staff of one of its sites; audited.

    Raises ``NoSuchEntry``, ``CaseForbidden`` and ``SiteForbidden``.
    """
    entry = await _seen(unit, entry_id)
    _audit(unit, "waitlist.read", entry)
    return entry


async def own(unit: Unit) -> list[Entry]:
    """The places of a citizen's cases, audited."""
    found = await waitlist.of_cases(unit.conn, sorted(unit.principal.cases))
    for entry in found:
        _audit(unit, "waitlist.read", entry)
    return found


async def at_site(
    unit: Unit, site_id: SiteId, after: tuple[datetime, UUID] | None, limit: int
) -> list[Entry]:
    """Who waits for a site, the longest first; for its staff, audited."""
    found = await waitlist.page(unit.conn, site_id, after, limit)
    unit.audit("waitlist.listed", subject=site_id, site_id=site_id, count=len(found))
    return found


async def withdraw(unit: Unit, entry_id: EntryId, rules: Rules) -> Entry:
    """Leave the list; a seat that is kept passes on. Who is not on it any more stays so.

    Raises what ``find`` raises, and ``CaseBusy``.
    """
    entry = await _locked(unit, entry_id)
    if entry.over:
        return entry
    await _let_pass(unit, entry, rules)
    await waitlist.put_state(unit.conn, entry_id, EntryState.WITHDRAWN, unit.now)
    _audit(unit, "waitlist.withdrawn", entry)
    return await waitlist.read(unit.conn, entry_id) or entry


async def decline(unit: Unit, entry_id: EntryId, rules: Rules) -> Entry:
    """Let the seat that is kept pass on, and wait for another. Raises what ``withdraw`` raises."""
    entry = await _locked(unit, entry_id)
    if entry.state is not EntryState.OFFERED:
        return entry
    await _let_pass(unit, entry, rules)
    await waitlist.put_state(unit.conn, entry_id, EntryState.WAITING, unit.now)
    _audit(unit, "waitlist.declined", entry)
    return await waitlist.read(unit.conn, entry_id) or entry


async def accept(unit: Unit, entry_id: EntryId, rules: Rules) -> list[Booking]:
    """Book what is kept for the party, or move its bookings there.

    Once accepted, the same again gives the bookings as they are. Raises what ``find`` and
    ``parties.ready`` raise, ``OfferEnded``, ``AlreadyBooked`` and ``ChangeTooLate``.
    """
    seen = await _seen(unit, entry_id)
    if seen.offer is not None and seen.offer.state is OfferState.ACCEPTED:
        return await bookings.of_party(unit.conn, PartyId(seen.offer.offer_id))
    hold = await _kept(unit, seen)
    party = await _ready(unit, hold, rules)
    entry = await waitlist.lock(unit.conn, entry_id)
    if entry is None or entry.offer is None:
        raise OfferEnded
    if entry.offer.state is OfferState.ACCEPTED:
        # Somebody else has accepted it until its cases were ours.
        return await bookings.of_party(unit.conn, PartyId(hold.hold_id))
    if not entry.offer.open_at(unit.now):
        raise OfferEnded
    made = await _seat(unit, party, hold, rules)
    await waitlist.end_offer(unit.conn, entry.offer.offer_id, OfferState.ACCEPTED)
    await waitlist.put_state(unit.conn, entry_id, EntryState.SERVED, unit.now)
    _audit(unit, "waitlist.accepted", entry)
    return made


async def _ready(unit: Unit, hold: Hold, rules: Rules) -> Ready:
    """The party of an offer. One of it answers for all: they joined together."""
    who = unit.principal
    if not who.is_staff:
        who = replace(who, cases=frozenset(hold.case_ids))
    request = Request(hold.case_ids, hold.site_id, hold.starts_at)
    (party,) = await parties.ready_all(unit, [(unit.part(who, unit.traceparent), request)], rules)
    if isinstance(party, Problem):
        raise party
    return party


async def _seat(unit: Unit, party: Ready, hold: Hold, rules: Rules) -> list[Booking]:
    here = await bookings.active(unit.conn, hold.case_ids)
    if not here:
        made = parties.seated(party, hold.minutes, PartyId(hold.hold_id))
        await holds.take(unit, hold, rules, made[0].party_id)
        await bookings.insert(unit.conn, made, unit.now)
        await parties.tell_confirmed(unit, made)
        return made
    if len(here) < len(hold.case_ids):
        raise AlreadyBooked
    return await _moved(unit, party, hold, here, rules)


async def _moved(
    unit: Unit, party: Ready, hold: Hold, here: Sequence[Booking], rules: Rules
) -> list[Booking]:
    await moves.check_movable(unit, here, rules)
    await holds.take(unit, hold, rules, PartyId(hold.hold_id))
    by_case = {booking.case_id: booking for booking in here}
    wish = [
        replace(
            by_case[case.case_id],
            party_id=PartyId(hold.hold_id),
            site_id=hold.site_id,
            starts_at=party.starts_at,
            minutes=minutes,
            card_site_id=parties.card_site(case),
        )
        for case, minutes in zip(party.cases, hold.minutes, strict=True)
    ]
    there = await bookings.move(unit.conn, wish, unit.now)
    await moves.give_back(unit, here, rules)
    reason = MoveReason.STAFF if unit.principal.is_staff else MoveReason.CITIZEN
    await moves.tell_moved(unit, here, there, reason)
    return there


async def _check(unit: Unit, members: Sequence[CaseFacts], wish: Wish, rules: Rules) -> None:
    if len({case.procedure for case in members}) > 1:
        raise refused(
            "case_ids",
            Text("The cases have different procedures.", "手続の種類が異なります。"),
            Text("Wait with each procedure by itself.", "手続ごとに登録してください。"),
        )
    found = {site_id: (await sites.find(unit, site_id)).site for site_id in wish.site_ids}
    own = await site_rules.at_all(unit, wish.site_ids, rules)
    today = business_date(unit.now)
    for case in members:
        check_bookable(case, today)
        days = []
        for site_id, site in found.items():
            if case.ward is None or not ever_accepts(site, case.procedure, case.ward):
                raise SiteDoesNotAccept(case.case_id)
            days.append(window(case, site_id, today, own[site_id].of(case.procedure)))
        check_days(wish.first, wish.last, min(one.first for one in days), _end(case, wish))


def _end(case: CaseFacts, wish: Wish) -> date:
    """The last day for the case itself; the days open for booking move on meanwhile."""
    ends = (case.pickup_deadline, case.card_expires_on)
    return min((day for day in ends if day is not None), default=wish.first)


async def _seen(unit: Unit, entry_id: EntryId) -> Entry:
    entry = await waitlist.read(unit.conn, entry_id)
    if entry is None:
        raise NoSuchEntry
    if unit.principal.is_staff:
        if not any(unit.principal.may_act_at(site_id) for site_id in entry.site_ids):
            unit.principal.require_site(entry.site_ids[0])
    elif unit.principal.cases.isdisjoint(entry.case_ids):
        raise CaseForbidden
    return entry


async def _locked(unit: Unit, entry_id: EntryId) -> Entry:
    seen = await _seen(unit, entry_id)
    await parties.lock(unit, seen.case_ids)
    return await waitlist.lock(unit.conn, entry_id) or seen


async def _kept(unit: Unit, entry: Entry) -> Hold:
    if entry.offer is None:
        raise OfferEnded
    hold = await hold_store.read(unit.conn, HoldId(entry.offer.offer_id))
    if hold is None:
        raise OfferEnded
    return hold


async def _let_pass(unit: Unit, entry: Entry, rules: Rules) -> None:
    if entry.offer is None or entry.offer.state is not OfferState.OPEN:
        return
    await waitlist.end_offer(unit.conn, entry.offer.offer_id, OfferState.DECLINED)
    hold = await hold_store.lock(unit.conn, HoldId(entry.offer.offer_id))
    if hold is not None and hold.state is HoldState.HELD:
        await hold_store.end(unit.conn, hold.hold_id, HoldState.RELEASED)
        await holds.let_go(unit, hold, rules)


def _audit(unit: Unit, action: str, entry: Entry) -> None:
    for case_id in entry.case_ids:
        unit.audit(action, subject=str(case_id), waitlist_id=str(entry.entry_id))
