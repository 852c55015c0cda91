"""A party that stands at the door, and the visit that it becomes by the files of its cases."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.issuance.domain.booking import Booking, arrival
from services.issuance.domain.case_file import AlreadyDone, CaseFile, Unservable, obstacle
from services.issuance.domain.out_of_reservation import require_soon
from services.issuance.domain.visit import CaseState, Visit, VisitCase, VisitState
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.issuance import Arrival
from shared.ids import CaseId, SiteId, VisitId, new_id
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Party:
    """Who has come: the case that was named, and all cases with the booking of each."""

    named: CaseId
    bookings: Mapping[CaseId, Booking | None]
    soon_days: int | None = None
    """For a card without a booking: within how many days something has to expire."""

    @property
    def booked(self) -> list[Booking]:
        """The bookings with which they come; none for a walk-in."""
        return [booking for booking in self.bookings.values() if booking]

    @property
    def starts_at(self) -> datetime | None:
        """When the first of them is expected; none for a walk-in."""
        return min((booking.starts_at for booking in self.booked), default=None)


def arrived(
    unit: Unit,
    site_id: SiteId,
    party: Party,
    files: Mapping[CaseId, CaseFile],
    grace: timedelta,
    *,
    visit_id: VisitId | None,
) -> Visit:
    """The visit of a party that is let in, judged by the locked ``files`` of its cases.

    Raises an ``Unservable`` where none of its cases can be served, and ``BookingNeeded``.
    """
    today = business_date(unit.now)
    obstacles = {case_id: obstacle(files[case_id], site_id, today) for case_id in party.bookings}
    named = obstacles[party.named]
    if named is not None and all(obstacles.values()):
        raise named
    if party.soon_days is not None and files[party.named].procedure is Procedure.CARD_ISSUANCE:
        require_soon(files[party.named], today, party.soon_days)
    return come(unit, site_id, party, files, grace, obstacles=obstacles, visit_id=visit_id)


def come(
    unit: Unit,
    site_id: SiteId,
    party: Party,
    files: Mapping[CaseId, CaseFile],
    grace: timedelta,
    *,
    obstacles: Mapping[CaseId, Unservable | None],
    visit_id: VisitId | None,
) -> Visit:
    """The visit of a party; a case that something stands against is deferred at once."""
    cases = [
        _case(unit, files[case_id], booking, obstacles.get(case_id))
        for case_id, booking in sorted(party.bookings.items())
        if not isinstance(obstacles.get(case_id), AlreadyDone)
    ]
    blank = nobody_yet(unit, site_id, visit_id)
    return replace(blank, arrival=arrival(party.booked, unit.now, grace), cases=tuple(cases))


def nobody_yet(unit: Unit, site_id: SiteId, visit_id: VisitId | None) -> Visit:
    """A visit without a case, that begins now."""
    return Visit(
        visit_id=visit_id or VisitId(new_id()),
        site_id=site_id,
        business_date=business_date(unit.now),
        arrival=Arrival.WALK_IN,
        state=VisitState.WAITING,
        counter=None,
        checked_in_at=unit.now,
        called_at=None,
        ended_at=None,
        version=1,
        cases=(),
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
