"""A party that was let in at a satellite is recorded as it was, for a supervisor has decided so:
whatever was heard since, these cases came. That a case ends once and is in one open visit holds.
"""

from collections.abc import Mapping
from datetime import timedelta

from services.issuance.domain.booking import Booking
from services.issuance.domain.case_file import AlreadyDone
from services.issuance.domain.ticket import Need
from services.issuance.domain.visit import Visit
from services.issuance.handlers.arriving import Party, come
from services.issuance.handlers.check_in import add_visit, require_day
from services.issuance.store import bookings, case_files
from shared.ids import BookingId, CaseId, SiteId, VisitId
from shared.unit import Unit


async def check_in_as_told(
    unit: Unit,
    site_id: SiteId,
    cases: Mapping[CaseId, BookingId | None],
    grace: timedelta,
    *,
    need: Need | None,
    visit_id: VisitId | None,
) -> Visit:
    """Record the arrival of these cases with their bookings, save those that ended meanwhile.

    Raises ``AlreadyDone``, ``AlreadyCheckedIn`` and ``SiteAway``.
    """
    await require_day(unit, site_id)
    files = await case_files.lock(unit.conn, cases)
    done = {case_id: AlreadyDone() for case_id, file in files.items() if file.is_done}
    if len(done) == len(cases):
        raise AlreadyDone
    party = Party(min(cases), {case: await _booking(unit, one) for case, one in cases.items()})
    visit = come(unit, site_id, party, files, grace, obstacles=done, visit_id=visit_id)
    return await add_visit(unit, visit, party.starts_at, need)


async def _booking(unit: Unit, booking_id: BookingId | None) -> Booking | None:
    return await bookings.find(unit.conn, booking_id) if booking_id else None
