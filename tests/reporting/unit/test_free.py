"""What is free on days to come, and what at a site asks for somebody."""

from datetime import date, timedelta

import pytest

from services.reporting.domain.alarms import PATIENCE, Alarm, alarms
from services.reporting.domain.free import Offer, first_free, first_free_of_ward, rooms, seats
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance
from shared.ids import SiteId, WardCode
from tests.contracts.samples import SITE

CARD, RENEWAL = Procedure.CARD_ISSUANCE, Procedure.CERTIFICATE_RENEWAL
A, B = SiteId("a"), SiteId("b")
FIRST, SECOND, THIRD = (date(2025, 7, day) for day in (14, 15, 16))


def offer(site: SiteId, day: date, seats: int, booked: int, procedure: Procedure = CARD) -> Offer:
    return Offer(site, day, procedure, seats, 20, booked)


def test_both_procedures_take_of_the_same_time() -> None:
    found = rooms([offer(A, FIRST, 10, 190), offer(A, FIRST, 4, 190, RENEWAL)])
    room = found[A, FIRST]
    assert (room.capacity, room.booked, room.full) == (200, 190, 0.95)
    assert room.free == {CARD: 0, RENEWAL: 0}
    room = rooms([offer(A, FIRST, 10, 40), offer(A, FIRST, 4, 40, RENEWAL)])[A, FIRST]
    assert room.free == {CARD: 8, RENEWAL: 4}
    assert rooms([offer(A, FIRST, 0, 0)])[A, FIRST].full == 1


@pytest.mark.parametrize(
    ("told", "taken", "free"),
    [
        (7, 0, 7),  # right after a telling: what was told, whatever could be reckoned
        (7, 40, 5),
        (7, 45, 4),  # a seat that is half taken is taken
        (7, -40, 9),
        (9, -200, 10),  # never more than all
        (1, 200, 0),
        (0, 0, 0),  # suspended, or kept for others
        (None, 0, 10),
    ],
)
def test_free_is_what_was_told_less_what_was_booked_since(
    told: int | None, taken: int, free: int
) -> None:
    one = Offer(A, FIRST, CARD, 10, 20, 0, told, taken)
    assert rooms([one])[A, FIRST].free == {CARD: free}


def test_the_first_day_with_a_seat_counts() -> None:
    found = seats(
        rooms(
            [
                *(offer(A, FIRST, 10, 200), offer(A, SECOND, 10, 220), offer(A, THIRD, 10, 180)),
                *(offer(B, FIRST, 2, 40, RENEWAL), offer(B, SECOND, 2, 0, RENEWAL)),
            ]
        )
    )
    assert first_free(found) == {(A, CARD): THIRD, (B, RENEWAL): SECOND}


def test_a_ward_looks_at_the_sites_that_accept_it() -> None:
    own, other = WardCode("141313"), WardCode("141321")
    only = (Acceptance(procedure=CARD, wards=(own,)),)
    every = (Acceptance(procedure=CARD),)
    sites = [
        SITE.model_copy(update={"site_id": A, "acceptance": only}),
        SITE.model_copy(update={"site_id": B, "acceptance": every}),
    ]
    found = seats(rooms([offer(A, FIRST, 10, 0), offer(B, THIRD, 10, 0)]))
    assert first_free_of_ward(found, sites, own, CARD) == (FIRST, A)
    assert first_free_of_ward(found, sites, other, CARD) == (THIRD, B)
    assert first_free_of_ward(found, sites, own, RENEWAL) is None


@pytest.mark.parametrize(
    ("suspended", "waited", "counters", "late", "expected"),
    [
        (False, None, 0, 0, []),
        (False, PATIENCE, 2, 0, []),
        (False, PATIENCE + timedelta(seconds=1), 2, 0, [Alarm.LONG_WAIT]),
        (False, timedelta(0), 0, 0, [Alarm.NOBODY_SERVES]),
        (True, None, 0, 1, [Alarm.SUSPENDED, Alarm.LATE_TRANSFER]),
    ],
)
def test_alarms(
    *, suspended: bool, waited: timedelta | None, counters: int, late: int, expected: list[Alarm]
) -> None:
    found = alarms(suspended=suspended, waited=waited, counters=counters, late_batches=late)
    assert list(found) == expected
