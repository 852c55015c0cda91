"""Making, reading and cancelling bookings.

Locks are taken in one order: site (only where its calendar is extended), cases, cells. Whoever
gives a seat back takes no lock of a cell, so no two units ever wait for each other in a circle.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.reservation.domain.booking import (
    Booking,
    BookingState,
    CaseBusy,
    NoSuchBooking,
    NoSuchSlot,
    SiteDoesNotAccept,
    SlotTaken,
    check_cancellable,
    check_party,
)
from services.reservation.domain.case import (
    CaseFacts,
    NotInvitedYet,
    check_bookable,
    check_day,
    window,
)
from services.reservation.domain.cells import party_cells
from services.reservation.domain.opening import accepts
from services.reservation.domain.rules import Rules
from services.reservation.handlers import announce, calendar, sites
from services.reservation.handlers.precondition import Precondition
from services.reservation.store import bookings, cases, cells
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.contracts.reservation import CancelReason
from shared.ids import BookingId, CaseId, PartyId, SiteId, new_id
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Request:
    """A party that wants to be served together."""

    case_ids: tuple[CaseId, ...]
    site_id: SiteId
    starts_at: datetime


async def book(unit: Unit, request: Request, rules: Rules) -> list[Booking]:
    """Book a seat for every case of the party at the same time, or for none.

    Raises ``PartyRefused``, ``CaseForbidden``, ``NoSuchSite``, ``CaseBusy``, a ``NotBookable``,
    ``OutsideWindow``, ``SiteDoesNotAccept``, ``NoSuchSlot``, ``AlreadyBooked``, ``SlotTaken``.
    """
    check_party(request.case_ids, rules)
    for case_id in request.case_ids:
        unit.principal.require_case(case_id)
    stored = await sites.find(unit, request.site_id)
    day = business_date(request.starts_at)
    if day <= rules.last_day(business_date(unit.now)):
        await calendar.extend(unit, stored, day, rules)
    found = await _lock(unit, request.case_ids)
    for case in found.values():
        _check(case, stored.site, day, business_date(unit.now), rules)
    made = _party(request, [found[case_id] for case_id in request.case_ids], rules)
    await bookings.insert(unit.conn, made, unit.now)
    await _take_seats(unit, request, made, rules)
    for booking in made:
        unit.emit(announce.confirmed(booking))
        _audit(unit, "booking.confirmed", booking)
    return made


async def find(unit: Unit, booking_id: BookingId) -> Booking:
    """The booking, for its citizen or staff of its site; the reading is audited.

    Raises ``NoSuchBooking``, ``CaseForbidden`` and ``SiteForbidden``.
    """
    booking = await bookings.read(unit.conn, booking_id)
    if booking is None:
        raise NoSuchBooking
    unit.principal.require_case_at(booking.case_id, booking.site_id)
    _audit(unit, "booking.read", booking)
    return booking


async def cancel(unit: Unit, booking_id: BookingId, rules: Rules, require: Precondition) -> Booking:
    """Cancel a booking; its seat returns after a random delay. A cancelled one stays as it is.

    Raises ``NoSuchBooking``, ``CaseBusy``, ``BookingEnded``, ``ChangeTooLate`` and what
    ``require`` raises.
    """
    seen = await bookings.read(unit.conn, booking_id)
    if seen is None:
        raise NoSuchBooking
    unit.principal.require_case_at(seen.case_id, seen.site_id)
    await _lock(unit, [seen.case_id])
    booking = await bookings.read(unit.conn, booking_id) or seen
    if booking.state is BookingState.CANCELLED:
        return booking
    require(booking.version)
    by_staff = unit.principal.is_staff
    check_cancellable(booking, by_staff=by_staff, now=unit.now, rules=rules)
    return await _cancelled(unit, booking, by_staff=by_staff, rules=rules)


async def _cancelled(unit: Unit, booking: Booking, *, by_staff: bool, rules: Rules) -> Booking:
    reason = CancelReason.STAFF if by_staff else CancelReason.CITIZEN
    (ended,) = await bookings.cancel(unit.conn, [(booking.booking_id, unit.now)], reason)
    # Nobody can tell when a seat comes back, so that handing one over by cancelling does not pay.
    wait = timedelta(seconds=secrets.randbelow(int(rules.return_within.total_seconds()) + 1))
    await cells.give_back(unit.conn, [(ended.booking_id, unit.now + wait)])
    unit.emit(announce.cancelled(ended, reason))
    _audit(unit, "booking.cancelled", ended)
    return ended


async def _lock(unit: Unit, case_ids: Sequence[CaseId]) -> Mapping[CaseId, CaseFacts]:
    found = {case.case_id: case for case in await cases.lock_free(unit.conn, case_ids)}
    if missing := [case_id for case_id in case_ids if case_id not in found]:
        if await cases.known(unit.conn, missing):
            raise CaseBusy
        raise NotInvitedYet(missing[0])
    return found


def _check(case: CaseFacts, site: Site, day: date, today: date, rules: Rules) -> None:
    check_bookable(case, today)
    if case.ward is None or not accepts(site, case.procedure, case.ward, day):
        raise SiteDoesNotAccept(case.case_id)
    check_day(case, day, window(case, site.site_id, today, rules))


def _party(request: Request, found: Sequence[CaseFacts], rules: Rules) -> list[Booking]:
    party_id = PartyId(new_id())
    return [
        Booking(
            booking_id=BookingId(new_id()),
            case_id=case.case_id,
            party_id=party_id,
            site_id=request.site_id,
            starts_at=request.starts_at.astimezone(UTC),
            minutes=rules.minutes[case.procedure],
            procedure=case.procedure,
            card_site_id=_card_site(case),
            state=BookingState.ACTIVE,
            reason=None,
            version=1,
        )
        for case in found
    ]


def _card_site(case: CaseFacts) -> SiteId | None:
    return case.card_site_id if case.procedure is Procedure.CARD_ISSUANCE else None


async def _take_seats(unit: Unit, request: Request, made: Sequence[Booking], rules: Rules) -> None:
    """One seat per case in each of its cells; last, to hold cells shortly."""
    wanted = party_cells(
        request.starts_at, [booking.minutes for booking in made], rules.cell_minutes
    )
    if not await cells.claim(unit.conn, request.site_id, wanted, unit.now):
        if await cells.all_exist(unit.conn, request.site_id, wanted):
            raise SlotTaken
        raise NoSuchSlot


def _audit(unit: Unit, action: str, booking: Booking) -> None:
    unit.audit(
        action,
        subject=str(booking.case_id),
        site_id=booking.site_id,
        booking_id=str(booking.booking_id),
    )
