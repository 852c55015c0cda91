"""Who has to leave, where they can go, and how long they may think about it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain.alternatives import Leaving, Place, Seat, place
from services.reservation.domain.booking import Booking, BookingState
from services.reservation.domain.case import CaseFacts
from services.reservation.domain.cells import party_cells
from services.reservation.domain.closure import answer_by
from services.reservation.domain.displacement import Seated, as_seated, without_room
from services.reservation.domain.distance import kilometres
from services.reservation.domain.national_system import NationalSystem, Policy, Suspension
from shared.contracts.base import Procedure
from shared.contracts.site import SuspensionReason
from shared.ids import BookingId, CaseId, PartyId, SiteId, SuspensionId, derived_id, new_id
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    OTHER_WARD,
    RULES,
    SITE,
    THURSDAY,
    TODAY,
    WARD,
    make_site,
    tokyo,
)

CARDS = Procedure.CARD_ISSUANCE
NINE = tokyo(THURSDAY, 9)
FREE = NationalSystem({}, MORNING, RULES)
NEAR = make_site(OTHER_SITE, latitude=35.51)
FAR = make_site(SiteId("far"), latitude=36.5)


def booking(number: int, party: int, at: datetime, minutes: int = 20) -> Booking:
    """A booking; the same numbers are the same booking."""
    return Booking(
        booking_id=BookingId(derived_id("booking", number)),
        case_id=CaseId(derived_id("case", number)),
        party_id=PartyId(derived_id("party", party)),
        site_id=SITE,
        starts_at=at,
        minutes=minutes,
        procedure=CARDS,
        card_site_id=None,
        state=BookingState.ACTIVE,
        reason=None,
        version=1,
    )


@st.composite
def crowds(draw: st.DrawFn) -> list[Seated]:
    """Parties of one to three that sit somewhere in the morning, made one after the other."""
    seated: list[Seated] = []
    for party in range(draw(st.integers(1, 12))):
        at = NINE + timedelta(minutes=10 * draw(st.integers(0, 8)))
        made, leaving = MORNING + timedelta(minutes=draw(st.integers(0, 5))), draw(st.booleans())
        for _ in range(draw(st.integers(1, 3))):
            one = booking(len(seated), party, at, draw(st.sampled_from((10, 20, 30))))
            seated.append(Seated(one, WARD, made, leaving=leaving and party % 4 == 0))
    return seated


def taken(bookings: list[Booking]) -> Counter[datetime]:
    """Seats by cell."""
    seats: Counter[datetime] = Counter()
    for one in bookings:
        seats.update(party_cells(one.starts_at, [one.minutes], 10))
    return seats


def room(seats: int) -> Mapping[datetime, int]:
    """A morning with so many seats in each cell."""
    return {NINE.astimezone(UTC) + timedelta(minutes=10 * n): seats for n in range(12)}


@given(crowds(), st.integers(0, 4))
def test_whoever_stays_fits_and_parties_are_not_split(crowd: list[Seated], seats: int) -> None:
    leave = {b.booking_id for b in without_room(crowd, room(seats), lambda _: True, 10)}
    stay = [s.booking for s in crowd if not s.leaving and s.booking.booking_id not in leave]
    assert all(count <= seats for count in taken(stay).values())
    for party in {s.booking.party_id for s in crowd if not s.leaving}:
        members = [s.booking.booking_id in leave for s in crowd if s.booking.party_id == party]
        assert len(set(members)) == 1
    assert not leave & {s.booking.booking_id for s in crowd if s.leaving}


@given(crowds(), st.integers(0, 4))
def test_nobody_leaves_for_whom_there_was_room_when_they_booked(
    crowd: list[Seated], seats: int
) -> None:
    """First come, first served: a party leaves only because those before it take the seats."""
    gone = without_room(crowd, room(seats), lambda _: True, 10)
    leave = {b.booking_id for b in gone}
    for party in {b.party_id for b in gone}:
        own = [s for s in crowd if s.booking.party_id == party]
        earlier = [
            s.booking
            for s in crowd
            if not s.leaving
            and s.booking.booking_id not in leave
            and (s.made_at, s.booking.party_id) < (own[0].made_at, party)
        ]
        both = taken(earlier) + taken([s.booking for s in own])
        assert any(count > seats for at, count in both.items()) or any(
            at not in room(seats) for at in taken([s.booking for s in own])
        )


@given(crowds())
def test_where_everybody_is_as_seated_only_the_unserved_leave(crowd: list[Seated]) -> None:
    served = {s.booking.party_id for s in crowd if s.booking.starts_at < NINE + timedelta(hours=1)}
    gone = without_room(crowd, as_seated(crowd, 10), lambda s: s.booking.party_id in served, 10)
    expected = {
        s.booking.booking_id for s in crowd if s.booking.party_id not in served and not s.leaving
    }
    assert {b.booking_id for b in gone} == expected


def leaving(number: int, at: datetime = NINE, cases: int = 1, **facts: object) -> Leaving:
    """A party at the closing site."""
    members = tuple(
        replace(
            CaseFacts(
                CaseId(derived_id(number, member)), ward=WARD, notice_seq=1, card_site_id=SITE
            ),
            **facts,  # type: ignore[arg-type]
        )
        for member in range(cases)
    )
    return Leaving(PartyId(derived_id("p", number)), make_site(), at, members, (20,) * cases)


def day_of(day: date, seats: int = 1) -> dict[datetime, int]:
    """A morning with so many seats in each cell, at a site."""
    start = tokyo(day, 9)
    return {start + timedelta(minutes=10 * number): seats for number in range(18)}


@given(st.lists(st.tuples(st.integers(0, 17), st.integers(1, 3)), max_size=25), st.integers(1, 3))
def test_no_seat_is_given_twice(wishes: list[tuple[int, int]], seats: int) -> None:
    parties = [
        leaving(number, NINE + timedelta(minutes=10 * cell), cases)
        for number, (cell, cases) in enumerate(wishes)
    ]
    days = {site.site_id: day_of(date(2026, 4, 9), seats) for site in (NEAR, FAR)}
    places = [Place.of(site, days[site.site_id]) for site in (NEAR, FAR)]
    found = place(parties, places, FREE)
    used: Counter[tuple[SiteId, datetime]] = Counter()
    for party in parties:
        if (seat := found.get(party.party_id)) is not None:
            for at, count in party_cells(seat.starts_at, party.minutes, 10).items():
                used[seat.site_id, at] += count
    assert all(count <= days[site][at] for (site, at), count in used.items())


def where(party: Leaving, *places: Place, system: NationalSystem = FREE) -> Seat | None:
    """The seat of one party."""
    return place([party], places, system).get(party.party_id)


def test_the_same_hour_of_the_nearest_site_comes_first() -> None:
    next_week = date(2026, 4, 9)
    party = leaving(1, tokyo(next_week, 10, 20))
    both = [Place.of(site, day_of(next_week)) for site in (FAR, NEAR)]
    assert where(party, *both) == Seat(OTHER_SITE, tokyo(next_week, 10, 20))


def test_distance_and_delay_are_weighed() -> None:
    """Two kilometres count as much as a day: a site 1.1 km away beats the own one a day later."""
    next_week = date(2026, 4, 9)
    own = Place.of(make_site(), day_of(next_week + timedelta(days=1)))
    assert kilometres(make_site(), NEAR) < RULES.kilometres_per_day
    there = Place.of(NEAR, day_of(next_week))
    assert where(leaving(1, tokyo(next_week, 9)), own, there) == Seat(
        OTHER_SITE, tokyo(next_week, 9)
    )
    far = Place.of(FAR, day_of(next_week))
    assert where(leaving(1, tokyo(next_week, 9)), own, far) == Seat(
        SITE, tokyo(next_week + timedelta(days=1), 9)
    )


def test_the_card_has_to_get_there_and_nobody_comes_after_the_deadline() -> None:
    tomorrow = Place.of(NEAR, day_of(THURSDAY) | day_of(FRIDAY))
    assert where(leaving(1), tomorrow) == Seat(OTHER_SITE, tokyo(FRIDAY, 9))
    assert where(leaving(1, pickup_deadline=THURSDAY), tomorrow) is None


def test_a_site_to_which_cards_travel_longer_is_offered_later() -> None:
    slow = replace(RULES, transfer_business_days=3)
    days = Place.of(NEAR, day_of(FRIDAY) | day_of(date(2026, 4, 6)), lambda _: slow)
    assert where(leaving(1), days) == Seat(OTHER_SITE, tokyo(date(2026, 4, 6), 9))


def test_a_ward_that_is_not_served_is_not_sent_there() -> None:
    friday = Place.of(NEAR, day_of(FRIDAY))
    assert where(leaving(1, ward=OTHER_WARD), friday) is None


def test_a_suspended_time_is_no_alternative() -> None:
    start = tokyo(FRIDAY, 9)
    stop = Suspension(
        SuspensionId(new_id()), OTHER_SITE, frozenset(Procedure), start,
        start + timedelta(hours=1), SuspensionReason.OUTAGE, Policy.MOVE, MORNING, None,
    )  # fmt: skip
    system = NationalSystem({OTHER_SITE: [stop]}, MORNING, RULES)
    friday = Place.of(NEAR, day_of(FRIDAY))
    assert where(leaving(1), friday, system=system) == Seat(OTHER_SITE, tokyo(FRIDAY, 10))


ahead = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=60))


@given(ahead, ahead)
def test_there_is_time_to_answer_but_never_past_either_visit(
    until_old: timedelta, until_new: timedelta
) -> None:
    now, old, new = MORNING, MORNING + until_old, MORNING + until_new
    by = answer_by(now, old, new, RULES)
    assert now <= by <= max(now, min(old, new))
    assert by <= now + timedelta(days=RULES.answer_days)
    if min(old, new) >= now + timedelta(hours=1):
        assert by >= now + timedelta(hours=1)


def test_the_system_stops_in_the_evening_and_rests_one_sunday() -> None:
    evening = datetime.combine(TODAY, time(10, 50), UTC)
    assert FREE.serves(SITE, CARDS, evening, 10)
    assert not FREE.serves(SITE, CARDS, evening, 20)
    sunday = tokyo(date(2026, 4, 19), 10)
    assert FREE.serves(SITE, CARDS, sunday, 20)
    assert not FREE.serves(SITE, Procedure.CERTIFICATE_RENEWAL, sunday, 20)


def test_an_open_end_reaches_a_day_ahead_and_moves_on() -> None:
    stop = Suspension(
        SuspensionId(new_id()), SITE, frozenset({CARDS}), MORNING, None,
        SuspensionReason.OUTAGE, Policy.MOVE, MORNING, None,
    )  # fmt: skip
    tomorrow = MORNING + timedelta(hours=23, minutes=50)
    assert stop.forbids(CARDS, tomorrow, 20, MORNING, RULES)
    later = tomorrow + timedelta(hours=1)
    assert not stop.forbids(CARDS, later, 20, MORNING, RULES)
    assert stop.forbids(CARDS, later, 20, MORNING + timedelta(hours=2), RULES)
    assert not stop.forbids(Procedure.CERTIFICATE_RENEWAL, tomorrow, 20, MORNING, RULES)
    over = replace(stop, resumed_at=MORNING)
    assert not over.forbids(CARDS, tomorrow, 20, MORNING, RULES)
