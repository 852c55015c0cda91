"""One day at one site, and the days around it, told so that every figure can be counted by hand.

Tuesday, 14 July 2026 at the ward office: four cases booked from nine o'clock, one of them missed,
one moved away, one cancelled; a walk-in; a party of two that waits.
"""

from datetime import date, datetime, timedelta
from typing import Any

from shared.contracts.base import Event, Procedure
from shared.contracts.issuance import (
    Arrival,
    ServiceMeasured,
    VisitCalled,
    VisitCheckedIn,
    VisitCompleted,
)
from shared.contracts.preparation import CardArrived, CardDispatched
from shared.contracts.reservation import (
    AvailabilitySearched,
    BookingCancelled,
    BookingConfirmed,
    BookingMissed,
    BookingMoved,
    CancelReason,
    MoveReason,
    SearchCount,
)
from shared.contracts.site import CapacityPublished, DayCapacity, SiteOpened
from shared.ids import BatchId, BookingId, PartyId, SiteId, VisitId, WardCode, derived_id
from tests.contracts.samples import SAMPLES, SITE
from tests.reporting.histories import SITES, WARDS, Happening, case_of, tokyo, told

OFFICE, CENTER = SITES
DAY = date(2026, 7, 14)
LATER = date(2026, 7, 20)
CARD, RENEWAL = Procedure.CARD_ISSUANCE, Procedure.CERTIFICATE_RENEWAL


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    """A time of the day."""
    return tokyo(day.year, day.month, day.day, hour, minute)


def story() -> list[Happening]:
    """All of it, in order of topics."""
    return told([*_sites(), *_bookings(), *_visits(), *_transfers(), *_searches()])


def later_walk_in() -> list[Happening]:
    """One more party, after everything else."""
    return told(_visit(30, "d", at(10, 44), None, None, arrival=Arrival.WALK_IN))


def _sites() -> list[tuple[Event, datetime, str]]:
    begin = at(9, day=date(2026, 6, 1))
    every = ("monday", "tuesday", "wednesday", "thursday", "friday")
    hours = [{"weekday": day, "opens": "09:00", "closes": "12:00"} for day in every]
    events: list[tuple[Event, datetime, str]] = []
    for site_id, ward, counters in ((OFFICE, WARDS[0], 2), (CENTER, WARDS[1], 3)):
        site = SITE.model_validate(
            SITE.model_dump()
            | {"site_id": site_id, "ward": ward, "counters": counters, "terminals": 9}
            | {"hours": hours, "staff": (), "exceptions": (), "name": _name(site_id)}
            | {"acceptance": [{"procedure": CARD, "wards": None if counters == 3 else [ward]}]}
        )
        events.append((SiteOpened(site=site), begin, "site.events"))
        events.append((_seats(site_id, counters, counters * 9), begin, "site.events"))
        for day in range(1, 14):
            # The office is full for the 14th from the 9th on, and the center never.
            free = 0 if site_id == OFFICE and day > 8 else counters * 9 - day
            morning = at(0, 30, date(2026, 7, day))
            events.append((_seats(site_id, counters, free), morning, "site.events"))
    return events


def _seats(site_id: SiteId, counters: int, free: int) -> CapacityPublished:
    """Three hours of every counter, as they are told; ``free`` on the 14th, all on the 20th."""
    seats = counters * 9
    days = tuple(
        DayCapacity(
            business_date=day,
            total=seats,
            free=left,
            first_hour=9,
            minutes_by_hour=(counters * 60,) * 3,
        )
        for day, left in ((DAY, free), (LATER, seats))
    )
    return CapacityPublished(site_id=site_id, procedure=CARD, minutes=20, days=days)


def _name(site_id: SiteId) -> dict[str, str]:
    return {"ja": f"窓口{site_id}", "en": f"Site {site_id}"}


def _bookings() -> list[tuple[Event, datetime, str]]:
    noon = at(12, day=date(2026, 7, 1))
    events: list[tuple[Event, datetime, str]] = []
    for number, (hour, minute) in enumerate([(9, 0), (9, 50), (10, 0), (10, 30), (11, 0)]):
        confirmed = _seat(BookingConfirmed, number, at(hour, minute))
        events.append((confirmed, noon, "reservation.events"))
    moved = _seat(
        BookingMoved,
        3,
        at(9, day=LATER),
        site_id=CENTER,
        previous_site_id=OFFICE,
        previous_starts_at=at(10, 30),
        reason=MoveReason.CITIZEN,
    )
    cancelled = SAMPLES["booking.cancelled.v1"].model_copy(
        update=_ids(4) | {"starts_at": at(11), "reason": CancelReason.CITIZEN}
    )
    missed = SAMPLES["booking.missed.v1"].model_copy(update=_ids(2) | {"business_date": DAY})
    assert isinstance(cancelled, BookingCancelled)
    assert isinstance(missed, BookingMissed)
    later = noon + timedelta(days=1)
    return [
        *events,
        (moved, later, "reservation.events"),
        (cancelled, later, "reservation.events"),
        (missed, at(17), "reservation.events"),
    ]


def _ids(number: int) -> dict[str, Any]:
    case_id = case_of(number)
    return {
        "case_id": case_id,
        "booking_id": BookingId(derived_id("booking", case_id)),
        "party_id": PartyId(derived_id("party", case_id)),
        "site_id": OFFICE,
    }


def _seat(kind: Any, number: int, starts_at: datetime, **values: Any) -> Any:
    known = _ids(number) | {"starts_at": starts_at, "minutes": 20, "procedure": CARD}
    return kind(**(known | values))


def _visits() -> list[tuple[Event, datetime, str]]:
    first = _visit(0, "a", at(8, 55), at(9, 5), at(9, 25), counter="1")
    second = _visit(1, "b", at(9, 50), at(10, 20), at(10, 50), counter="2")
    pair = [
        *_visit(7, "c", at(10, 40), None, None, arrival=Arrival.WALK_IN),
        *_visit(8, "c", at(10, 40), None, None, arrival=Arrival.WALK_IN),
    ]
    quarter = SAMPLES["service.measured.v1"].model_copy(
        update={
            "site_id": OFFICE,
            "business_date": DAY,
            "starts_at": at(9),
            "open_seconds": 1800,
            "busy_seconds": 1200,
        }
    )
    assert isinstance(quarter, ServiceMeasured)
    return [*first, *second, *pair, (quarter, at(17), "issuance.events")]


def _visit(
    number: int,
    name: str,
    came: datetime,
    called: datetime | None,
    done: datetime | None,
    *,
    counter: str = "1",
    arrival: Arrival = Arrival.BOOKED,
) -> list[tuple[Event, datetime, str]]:
    known: dict[str, Any] = {
        "case_id": case_of(number),
        "visit_id": VisitId(derived_id("visit", name)),
        "site_id": OFFICE,
    }
    checked_in = VisitCheckedIn(**known, procedure=CARD, arrival=arrival)
    events: list[tuple[Event, datetime, str]] = [(checked_in, came, "issuance.events")]
    if called:
        events.append((VisitCalled(**known, counter=counter), called, "issuance.events"))
    if done:
        events.append((VisitCompleted(**known, procedure=CARD), done, "issuance.events"))
    return events


def _searches() -> list[tuple[Event, datetime, str]]:
    """Two days of the office's ward, which is told twice on the second, and one of nobody's."""
    events: list[tuple[Event, datetime, str]] = []
    found: tuple[tuple[date, WardCode | None, SiteId | None, int, int], ...] = (
        (date(2026, 7, 13), WARDS[0], None, 50, 20),
        (DAY, WARDS[0], None, 30, 12),
        (DAY, WARDS[0], OFFICE, 10, 8),
        (DAY, None, None, 5, 0),
    )
    for day, ward, site_id, searched, refused in found:
        count = SearchCount(procedure=CARD, site_id=site_id, searched=searched, refused=refused)
        event = AvailabilitySearched(business_date=day, ward=ward, counts=(count,))
        events.append((event, at(10, day=day), "reservation.events"))
    return events


def _transfers() -> list[tuple[Event, datetime, str]]:
    events: list[tuple[Event, datetime, str]] = []
    for number, batch in ((20, "late"), (21, "late"), (22, "there")):
        batch_id = BatchId(derived_id("batch", batch))
        left = CardDispatched(
            case_id=case_of(number),
            batch_id=batch_id,
            from_site_id=CENTER,
            to_site_id=OFFICE,
            due_on=date(2026, 7, 13),
        )
        events.append((left, at(9, day=date(2026, 7, 10)), "preparation.events"))
        if batch == "there":
            came = CardArrived(case_id=case_of(number), batch_id=batch_id, site_id=OFFICE)
            events.append((came, at(9, day=date(2026, 7, 13)), "preparation.events"))
    return events
