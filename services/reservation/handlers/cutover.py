"""Bookings that another system made before this one took over.

They are promises of the city, so horizon and deadlines do not apply to them; but a seat is needed,
and a case has one booking. Nobody is written to: the citizens have their confirmation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.reservation.domain.booking import (
    AlreadyBooked,
    Booking,
    BookingEnded,
    NoSuchSlot,
    SiteDoesNotAccept,
    SlotTaken,
)
from services.reservation.domain.case import CaseEnded, NotInvitedYet
from services.reservation.domain.cells import party_cells
from services.reservation.domain.opening import accepts
from services.reservation.domain.rules import Rules
from services.reservation.handlers import announce, calendar, parties, site_rules, sites
from services.reservation.handlers.parties import Ready
from services.reservation.store import bookings, cases, cells
from shared.calendar import business_date
from shared.ids import CaseId, SiteId
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Promise:
    """A booking as the other system knew it; ``minutes`` where it was not the usual time."""

    case_id: CaseId
    site_id: SiteId
    starts_at: datetime
    minutes: int | None = None


async def case_of(unit: Unit, number_keys: Sequence[str]) -> CaseId | None:
    """The case whose newest notice has this number, as blind keys; none where nobody knows it."""
    return await cases.by_number(unit.conn, number_keys)


async def take_over(unit: Unit, promise: Promise, rules: Rules) -> tuple[Booking, bool]:
    """Book what was promised; the booking, and whether it is new.

    Raises ``SiteForbidden``, ``NoSuchSite``, ``NotInvitedYet``, ``CaseBusy``, ``CaseEnded``,
    ``BookingEnded`` (it is over), ``SiteDoesNotAccept``, ``AlreadyBooked`` (for another time),
    ``NoSuchSlot`` and ``SlotTaken``.
    """
    unit.principal.require_site(promise.site_id)
    stored = await sites.find(unit, promise.site_id)
    day = business_date(promise.starts_at)
    if promise.starts_at <= unit.now:
        raise BookingEnded
    await calendar.extend(unit, stored, min(day, rules.made_until(business_date(unit.now))), rules)
    case = (await parties.lock(unit, [promise.case_id]))[promise.case_id]
    if case.ended:
        raise CaseEnded(case.case_id)
    if case.ward is None:
        raise NotInvitedYet(case.case_id)
    for active in await bookings.active(unit.conn, [case.case_id]):
        if (active.site_id, active.starts_at) == (promise.site_id, promise.starts_at):
            return active, False
        raise AlreadyBooked
    if not accepts(stored.site, case.procedure, case.ward, day):
        raise SiteDoesNotAccept(case.case_id)
    own = await site_rules.at(unit, promise.site_id, rules)
    party = Ready(stored.site, own, (case,), promise.starts_at.astimezone(UTC), 0)
    (made,) = parties.seated(party, [promise.minutes or party.minutes[0]])
    await bookings.insert(unit.conn, [made], unit.now)
    wanted = party_cells(made.starts_at, [made.minutes], rules.cell_minutes)
    if not await cells.claim(unit.conn, made.site_id, wanted, unit.now):
        there = await cells.all_exist(unit.conn, made.site_id, wanted)
        raise SlotTaken if there else NoSuchSlot
    unit.emit(announce.confirmed(made))
    parties.audit(unit, "booking.taken_over", made)
    return made, True
