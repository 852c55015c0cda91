"""Which bookings a change of a site displaces, and where they could go instead.

The preview asks here before the change, the closure after it: so the one is what the other does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.reservation.domain.alternatives import Leaving, Place, Seat, place
from services.reservation.domain.booking import Booking
from services.reservation.domain.case import CaseFacts
from services.reservation.domain.cells import midnight
from services.reservation.domain.closure import ClosureKind
from services.reservation.domain.displacement import (
    Seated,
    as_seated,
    with_room,
    without_room,
)
from services.reservation.domain.national_system import NationalSystem, Suspension
from services.reservation.domain.opening import would_accept
from services.reservation.domain.rules import Rules
from services.reservation.handlers import calendar, site_rules
from services.reservation.store import alternatives, cases, free_cells, sites, suspensions
from shared.calendar import business_date
from shared.contracts.place import Site
from shared.ids import BookingId, CaseId, PartyId, SiteId, derived_id
from shared.unit import Unit

LONGEST = timedelta(hours=4)
"""No visit takes longer; who began earlier is out of a suspension's reach."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a site: the whole of it as it will be, and what is particular to the kind."""

    kind: ClosureKind
    site: Site
    made_until: date | None
    suspension: Suspension | None = None


@dataclass(frozen=True, slots=True)
class Affected:
    """Bookings that lose their seats, and those whose seat kept as an alternative is lost.

    ``returning``: they were leaving, and there is room for them again.
    """

    bookings: list[Booking]
    unseated: list[Booking]
    """At the place and time that was kept."""
    returning: list[BookingId]

    @property
    def lost(self) -> list[Booking]:
        """All for whom there is no seat here."""
        return [*self.bookings, *self.unseated]


async def affected(unit: Unit, change: Change, rules: Rules) -> Affected:
    """Who has to leave under ``change``, and who of those leaving already could stay."""
    start, end = _reach(unit, change, rules)
    site_id = change.site.site_id
    sitting = await alternatives.seated(unit.conn, site_id, start, end)
    kept = await alternatives.kept_at(unit.conn, site_id, start, end)
    room = _room(unit, change, [*sitting, *kept], rules)
    here = [*sitting, *kept]

    def serves(one: Seated) -> bool:
        return _serves(change, one, unit.now, rules)

    leaving = without_room(here, room, serves, rules.cell_minutes)
    real = {one.booking.booking_id for one in sitting if not one.leaving}
    back = with_room(here, room, serves, rules.cell_minutes)
    return Affected(
        [booking for booking in leaving if booking.booking_id in real],
        [booking for booking in leaving if booking.booking_id not in real],
        [booking.booking_id for booking in back],
    )


async def search(
    unit: Unit,
    bookings: Sequence[Booking],
    rules: Rules,
    *,
    preview: Change | None = None,
) -> dict[BookingId, Seat]:
    """A seat for each booking for whose party there is one; nothing is taken yet.

    ``preview``: as it would be, were this change made.
    """
    facts = {one.case_id: one for one in await cases.read(unit.conn, [b.case_id for b in bookings])}
    places = await _places(unit, preview, rules)
    home = await sites.read_all(unit.conn, sorted({b.site_id for b in bookings}))
    parties = {
        key: party
        for key, party in _parties(bookings).items()
        if all(b.case_id in facts for b in party)
    }
    leaving = [
        _leaving(key, party, home[party[0].site_id].site, facts) for key, party in parties.items()
    ]
    system = await _system(unit, preview, rules)
    found = place(leaving, places, system)
    return {
        booking.booking_id: found[key]
        for key, party in parties.items()
        if key in found
        for booking in party
    }


def _reach(unit: Unit, change: Change, rules: Rules) -> tuple[datetime, datetime | None]:
    if change.suspension is not None:
        since = max(unit.now, change.suspension.starts_at - LONGEST)
        return since, change.suspension.until(unit.now, rules)
    return unit.now, None


def _room(
    unit: Unit, change: Change, sitting: Iterable[Seated], rules: Rules
) -> Mapping[datetime, int]:
    if change.suspension is not None:
        return as_seated(sitting, rules.cell_minutes)
    today = business_date(unit.now)
    until = max(change.made_until or today, rules.made_until(today))
    return calendar.there(change.site, today, until, rules)


def _serves(change: Change, one: Seated, now: datetime, rules: Rules) -> bool:
    booking = one.booking
    if change.suspension is not None:
        return not change.suspension.forbids(
            booking.procedure, booking.starts_at, booking.minutes, now, rules
        )
    day = business_date(booking.starts_at)
    return would_accept(change.site, booking.procedure, one.ward, day)


def _parties(bookings: Iterable[Booking]) -> dict[PartyId, list[Booking]]:
    """Those who still come together, in the order of their visits."""
    found: dict[PartyId, list[Booking]] = {}
    for one in sorted(bookings, key=lambda b: (b.starts_at, b.party_id, b.booking_id)):
        key = PartyId(derived_id("leaving", one.party_id, one.site_id, one.starts_at))
        found.setdefault(key, []).append(one)
    return found


def _leaving(
    key: PartyId, party: Sequence[Booking], site: Site, facts: Mapping[CaseId, CaseFacts]
) -> Leaving:
    return Leaving(
        party_id=key,
        site=site,
        starts_at=party[0].starts_at,
        cases=tuple(facts[b.case_id] for b in party),
        minutes=tuple(b.minutes for b in party),
    )


async def _places(unit: Unit, preview: Change | None, rules: Rules) -> list[Place]:
    """Every site that sells seats, with the free ones; cells that are missing are made first."""
    today = business_date(unit.now)
    last = rules.last_day(today)
    found = {stored.site.site_id: stored for stored in await sites.on_sale(unit.conn)}
    for stored in found.values():
        await calendar.extend(unit, stored, last, rules)
    start, end = unit.now, midnight(last + timedelta(days=1))
    free: dict[SiteId, dict[datetime, int]] = {}
    for row in await free_cells.free(unit.conn, sorted(found), start, end, unit.now):
        free.setdefault(row.site_id, {})[row.starts_at] = row.free
    there = {site_id: stored.site for site_id, stored in found.items()}
    if preview is not None and preview.kind is not ClosureKind.SUSPENSION:
        site_id = preview.site.site_id
        there[site_id] = preview.site
        free[site_id] = await _free_after(unit, preview, last, rules)
    own = await site_rules.at_all(unit, sorted(there), rules)
    return [
        Place.of(site, free.get(site_id, {}), own[site_id].of)
        for site_id, site in sorted(there.items())
    ]


async def _free_after(unit: Unit, preview: Change, last: date, rules: Rules) -> dict[datetime, int]:
    """What the changed site would have to sell while those who leave still sit there."""
    sold = calendar.sold(preview.site, business_date(unit.now), last, rules)
    booked = await alternatives.booked(unit.conn, preview.site.site_id, unit.now)
    return {at: max(seats - booked.get(at, 0), 0) for at, seats in sold.items() if at >= unit.now}


async def _system(unit: Unit, preview: Change | None, rules: Rules) -> NationalSystem:
    stops = await suspensions.of_sites(unit.conn, None)
    if preview is not None and preview.suspension is not None:
        one = preview.suspension
        stops.setdefault(one.site_id, []).append(one)
    return NationalSystem(stops, unit.now, rules)
