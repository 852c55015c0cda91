"""Check-in: a party comes with a booking or a notice number and becomes a visit.

A party is let in if at least one of its cases can be served; what stands in the way of the others
defers them at once, so that the citizen hears it at the door and not at the counter.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.issuance.domain.booking import Booking, BookingUnknown, require_expected
from services.issuance.domain.day import DaySignedOff
from services.issuance.domain.notice import NoticeUnknown
from services.issuance.domain.ticket import Need, purposes_of
from services.issuance.domain.visit import AlreadyCheckedIn, CaseState, Visit
from services.issuance.handlers.arrivals import tell_arrival
from services.issuance.handlers.arriving import Party, arrived, nobody_yet
from services.issuance.handlers.satellites import is_decided, require_here
from services.issuance.store import bookings, case_files, days, tickets, visits
from shared.calendar import business_date
from shared.contracts.base import CaseKind, CaseOpened, Procedure
from shared.ids import BookingId, CaseId, SiteId, VisitId, WardCode, new_id
from shared.security.blind_index import BlindKey
from shared.unit import Unit


async def check_in_booking(
    unit: Unit,
    site_id: SiteId,
    booking_id: BookingId,
    grace: timedelta,
    need: Need | None = None,
    *,
    visit_id: VisitId | None = None,
) -> Visit:
    """Check in the party of a booking; ``visit_id`` is the visit's where it has one already.

    Raises ``BookingUnknown``, ``BookingNotActive``, ``BookedElsewhere``, and what ``_check_in``
    raises.
    """
    booking = await bookings.find(unit.conn, booking_id)
    if booking is None:
        raise BookingUnknown
    require_expected(booking, site_id, business_date(unit.now))
    party = await _party_of(unit, booking)
    return await _check_in(unit, site_id, party, grace, need=need, visit_id=visit_id)


async def check_in_notice(
    unit: Unit,
    site_id: SiteId,
    keys: Sequence[BlindKey],
    grace: timedelta,
    *,
    soon_days: int,
    need: Need | None = None,
    visit_id: VisitId | None = None,
) -> Visit:
    """Check in the citizen whose notice number has one of ``keys``.

    Raises ``NoticeUnknown`` and what ``check_in_case`` raises.
    """
    case_id = await case_files.case_of_notice(unit.conn, keys)
    if case_id is None:
        raise NoticeUnknown
    return await check_in_case(
        unit, site_id, case_id, grace, soon_days=soon_days, need=need, visit_id=visit_id
    )


async def check_in_case(
    unit: Unit,
    site_id: SiteId,
    case_id: CaseId,
    grace: timedelta,
    *,
    soon_days: int,
    need: Need | None = None,
    visit_id: VisitId | None = None,
) -> Visit:
    """Check in the citizen of a case.

    With a booking here today it is the party of that booking, otherwise a walk-in, for whom
    something has to expire within ``soon_days``. Raises ``BookingNeeded`` and what ``_check_in``
    raises.
    """
    today = business_date(unit.now)
    booking = await bookings.today_of_case(unit.conn, case_id, site_id, today)
    party = Party(case_id, {case_id: None}, soon_days)
    if booking is not None:
        party = await _party_of(unit, booking)
    return await _check_in(unit, site_id, party, grace, need=need, visit_id=visit_id)


async def check_in_renewal(
    unit: Unit,
    site_id: SiteId,
    ward: WardCode,
    need: Need | None = None,
    *,
    visit_id: VisitId | None = None,
    case_id: CaseId | None = None,
) -> Visit:
    """Check in a walk-in who comes to renew certificates; the case begins here.

    Raises what ``_check_in`` raises.
    """
    event = renewal_opened(case_id or CaseId(new_id()), ward)
    await case_files.opened(unit.conn, [case_files.Opened.by(event)])
    unit.emit(event)
    party = Party(event.case_id, {event.case_id: None})
    return await _check_in(unit, site_id, party, timedelta(), need=need, visit_id=visit_id)


def renewal_opened(case_id: CaseId, ward: WardCode) -> CaseOpened:
    """A certificate renewal of a citizen of ``ward`` begins."""
    kind, procedure = CaseKind.RENEWAL, Procedure.CERTIFICATE_RENEWAL
    return CaseOpened(case_id=case_id, procedure=procedure, kind=kind, ward=ward)


async def check_in_question(
    unit: Unit, site_id: SiteId, need: Need | None = None, *, visit_id: VisitId | None = None
) -> Visit:
    """Let somebody wait who only has a question: a visit without a case.

    Raises ``DaySignedOff``.
    """
    await require_day(unit, site_id)
    visit = nobody_yet(unit, site_id, visit_id)
    await visits.add(unit.conn, visit)
    unit.audit("visit.check_in", subject=str(visit.visit_id), site_id=site_id)
    return await _with_ticket(unit, visit, None, need)


async def _party_of(unit: Unit, booking: Booking) -> Party:
    together = await bookings.party(unit.conn, booking)
    return Party(booking.case_id, {one.case_id: one for one in (booking, *together)})


async def _check_in(
    unit: Unit,
    site_id: SiteId,
    party: Party,
    grace: timedelta,
    *,
    need: Need | None,
    visit_id: VisitId | None,
) -> Visit:
    """Raises ``DaySignedOff``, an ``Unservable``, ``BookingNeeded`` and ``AlreadyCheckedIn``."""
    await require_day(unit, site_id)
    files = await case_files.lock(unit.conn, party.bookings)
    visit = arrived(unit, site_id, party, files, grace, visit_id=visit_id)
    return await add_visit(unit, visit, party.starts_at, need)


async def add_visit(
    unit: Unit, visit: Visit, starts_at: datetime | None, need: Need | None
) -> Visit:
    """Write the visit of a party that is let in, and say so. Raises ``AlreadyCheckedIn``."""
    if not await visits.add(unit.conn, visit):
        raise await _checked_in_before(unit, visit)
    tell_arrival(unit, visit)
    return await _with_ticket(unit, visit, starts_at, need)


async def require_day(unit: Unit, site_id: SiteId) -> None:
    """Hold the site's day open to the end of the unit. Raises ``SiteAway`` and ``DaySignedOff``."""
    today = business_date(unit.now)
    await require_here(unit, site_id)
    if await days.share_one(unit.conn, site_id, today) and not is_decided(unit):
        raise DaySignedOff


async def _with_ticket(
    unit: Unit, visit: Visit, starts_at: datetime | None, need: Need | None
) -> Visit:
    """The visit with a place in the queue."""
    await tickets.give(
        unit.conn,
        visit.visit_id,
        visit.site_id,
        visit.business_date,
        purposes=purposes_of(c.procedure for c in visit.cases if c.state is CaseState.OPEN),
        need=need,
        starts_at=starts_at,
    )
    return await visits.find(unit.conn, visit.visit_id) or visit


async def _checked_in_before(unit: Unit, visit: Visit) -> AlreadyCheckedIn:
    cases = [case.case_id for case in visit.cases]
    open_visit = await visits.open_visit_of(unit.conn, cases, but=visit.visit_id)
    return AlreadyCheckedIn(extras={"visit_id": str(open_visit) if open_visit else None})
