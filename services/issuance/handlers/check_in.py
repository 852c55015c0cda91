"""Check-in: a party comes with a booking or a notice number and becomes a visit.

A party is let in if at least one of its cases can be served; what stands in the way of the others
defers them at once, so that the citizen hears it at the door and not at the counter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.issuance.domain.booking import Booking, BookingUnknown, arrival, require_expected
from services.issuance.domain.case_file import AlreadyDone, CaseFile, Unservable, obstacle
from services.issuance.domain.day import DaySignedOff
from services.issuance.domain.notice import NoticeUnknown
from services.issuance.domain.visit import AlreadyCheckedIn, CaseState, Visit, VisitCase, VisitState
from services.issuance.store import bookings, case_files, days, visits
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.issuance import Arrival, VisitCheckedIn, VisitDeferred
from shared.ids import BookingId, CaseId, SiteId, VisitId, new_id
from shared.security.blind_index import BlindKey
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Party:
    """Who has come: the case that was named, and all cases with the booking of each."""

    named: CaseId
    bookings: Mapping[CaseId, Booking | None]


async def check_in_booking(
    unit: Unit, site_id: SiteId, booking_id: BookingId, grace: timedelta
) -> Visit:
    """Check in the party of a booking.

    Raises ``BookingUnknown``, ``BookingNotActive``, ``BookedElsewhere``, and what ``_check_in``
    raises.
    """
    booking = await bookings.find(unit.conn, booking_id)
    if booking is None:
        raise BookingUnknown
    require_expected(booking, site_id, business_date(unit.now))
    return await _check_in(unit, site_id, await _party_of(unit, booking), grace)


async def check_in_notice(
    unit: Unit, site_id: SiteId, keys: Sequence[BlindKey], grace: timedelta
) -> Visit:
    """Check in the citizen whose notice number has one of ``keys``.

    With a booking here today it is the party of that booking, otherwise a walk-in. Raises
    ``NoticeUnknown``, and what ``_check_in`` raises.
    """
    case_id = await case_files.case_of_notice(unit.conn, keys)
    if case_id is None:
        raise NoticeUnknown
    today = business_date(unit.now)
    booking = await bookings.today_of_case(unit.conn, case_id, site_id, today)
    party = await _party_of(unit, booking) if booking else Party(case_id, {case_id: None})
    return await _check_in(unit, site_id, party, grace)


async def _party_of(unit: Unit, booking: Booking) -> Party:
    together = await bookings.party(unit.conn, booking)
    return Party(booking.case_id, {one.case_id: one for one in (booking, *together)})


async def _check_in(unit: Unit, site_id: SiteId, party: Party, grace: timedelta) -> Visit:
    """Raises ``DaySignedOff``, an ``Unservable`` and ``AlreadyCheckedIn``."""
    today = business_date(unit.now)
    await days.share(unit.conn, [(site_id, today)])
    if await days.signed_off_at(unit.conn, site_id, today):
        raise DaySignedOff
    files = await case_files.lock(unit.conn, party.bookings)
    visit = _visit(unit, site_id, party, files, grace)
    if not await visits.add(unit.conn, visit):
        raise await _checked_in_before(unit, visit)
    _tell(unit, visit)
    return await visits.find(unit.conn, visit.visit_id) or visit


async def _checked_in_before(unit: Unit, visit: Visit) -> AlreadyCheckedIn:
    cases = [case.case_id for case in visit.cases]
    open_visit = await visits.open_visit_of(unit.conn, cases, but=visit.visit_id)
    return AlreadyCheckedIn(extras={"visit_id": str(open_visit) if open_visit else None})


def _visit(
    unit: Unit, site_id: SiteId, party: Party, files: Mapping[CaseId, CaseFile], grace: timedelta
) -> Visit:
    today = business_date(unit.now)
    obstacles = {case_id: obstacle(file, site_id, today) for case_id, file in files.items()}
    named = obstacles[party.named]
    if named is not None and all(obstacles.values()):
        raise named
    cases = [
        _case(unit, file, party.bookings[case_id], obstacles[case_id])
        for case_id, file in sorted(files.items())
        if not isinstance(obstacles[case_id], AlreadyDone)
    ]
    return Visit(
        visit_id=VisitId(new_id()),
        site_id=site_id,
        business_date=today,
        arrival=_arrival(unit, party, grace),
        state=VisitState.WAITING,
        counter=None,
        checked_in_at=unit.now,
        called_at=None,
        ended_at=None,
        version=1,
        cases=tuple(cases),
    )


def _case(
    unit: Unit, file: CaseFile, booking: Booking | None, hindrance: Unservable | None
) -> VisitCase:
    return VisitCase(
        case_id=file.case_id,
        booking_id=booking.booking_id if booking else None,
        procedure=_procedure(file, booking),
        kind=file.kind,
        ward=file.ward,
        shelf_position=file.shelf_position,
        state=CaseState.DEFERRED if hindrance else CaseState.OPEN,
        reason=hindrance.defer_reason if hindrance else None,
        documents=(),
        identified_at=None,
        pin_set_at=None,
        closed_at=unit.now if hindrance else None,
    )


def _procedure(file: CaseFile, booking: Booking | None) -> Procedure:
    if file.procedure is not None:
        return file.procedure
    return booking.procedure if booking else Procedure.CARD_ISSUANCE


def _arrival(unit: Unit, party: Party, grace: timedelta) -> Arrival:
    times = [booking.starts_at for booking in party.bookings.values() if booking]
    return arrival(min(times), unit.now, grace) if times else Arrival.WALK_IN


def _tell(unit: Unit, visit: Visit) -> None:
    for case in visit.cases:
        unit.emit(
            VisitCheckedIn(
                case_id=case.case_id,
                site_id=visit.site_id,
                visit_id=visit.visit_id,
                booking_id=case.booking_id,
                procedure=case.procedure,
                arrival=visit.arrival,
            )
        )
        if case.state is CaseState.DEFERRED and case.reason is not None:
            unit.emit(
                VisitDeferred(
                    case_id=case.case_id,
                    site_id=visit.site_id,
                    visit_id=visit.visit_id,
                    reason=case.reason,
                )
            )
        unit.audit(
            "visit.check_in",
            subject=str(case.case_id),
            site_id=visit.site_id,
            visit=str(visit.visit_id),
        )
