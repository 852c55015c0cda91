"""Cells follow the site's calendar, and no change of it takes a booked seat away."""

import json
from collections.abc import Awaitable, Callable
from datetime import date, time, timedelta

import pytest

from services.reservation.domain.availability import Question
from services.reservation.domain.booking import (
    AlreadyBooked,
    Booking,
    NoSuchSlot,
    PartyRefused,
    SiteDoesNotAccept,
    SlotTaken,
)
from services.reservation.domain.case import OutsideWindow
from services.reservation.domain.cells import midnight
from services.reservation.handlers import availability, bookings, capacity, daily, sites
from services.reservation.handlers.board import Board
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.calendar import BookingsInTheWay
from services.reservation.store import free_cells
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import OpeningHours, Site, Weekday
from shared.db import Database
from shared.ids import CaseId, SiteId
from shared.security.principal import Principal
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    OTHER_SITE,
    OTHER_WARD,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    TODAY,
    WARD,
    case,
    citizen,
    counts,
    events_of,
    invite,
    make_site,
    open_site,
    tokyo,
    types,
    units,
)

NINE = tokyo(THURSDAY, 9)
HOUR = timedelta(hours=1)
A, B, C = case("a"), case("b"), case("c")


@pytest.fixture
async def room(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    """A room with an open site and three cases."""
    database = await room_database("reservation")
    await open_site(database)
    await invite(database, A, B, C)
    return database


async def book(
    database: Database, *cases: CaseId, at: object = NINE, site_id: SiteId = SITE
) -> list[Booking]:
    """Book the cases together."""
    request = Request(cases, site_id, at)  # type: ignore[arg-type]
    async with units(database).begin(citizen(*cases)) as unit:
        return await bookings.book(unit, request, RULES)


async def put(database: Database, site: Site) -> None:
    """Change the site."""
    async with units(database).begin(PEOPLE["planner"]) as unit:
        await sites.put(unit, site, RULES, lambda _: None)


async def free(database: Database, day: date = THURSDAY, *, clock: FixedClock | None = None) -> int:
    """Seats of the day that can be booked."""
    question = Question((Procedure.CARD_ISSUANCE,), (WARD,), day, day)
    board = Board(database, units(database, clock), RULES, room="reservation")
    found = await availability.find(board, question)
    return sum(day_.free for site in found for day_ in site.days)


async def test_a_party_sits_side_by_side_or_not_at_all(room: Database) -> None:
    made = await book(room, A, B)
    assert {booking.starts_at for booking in made} == {NINE}
    assert len({booking.party_id for booking in made}) == 1
    assert await events_of(room, A) == await events_of(room, B) == ["booking.confirmed.v1"]
    with pytest.raises(SlotTaken):
        await book(room, C, at=NINE + timedelta(minutes=10))
    await book(room, C, at=NINE + timedelta(minutes=20))
    assert await free(room) == 15
    assert sorted(booked for booked, _ in await counts(room))[-4:] == [1, 1, 2, 2]


async def test_a_party_larger_than_what_is_left_gets_nothing(room: Database) -> None:
    await book(room, A)
    with pytest.raises(SlotTaken):
        await book(room, B, C)
    assert await events_of(room, B) == []
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_case_is_booked_once(room: Database) -> None:
    await book(room, A)
    with pytest.raises(AlreadyBooked):
        await book(room, A, at=NINE + timedelta(hours=1))
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_party_is_of_different_cases_and_not_too_large(room: Database) -> None:
    for party in ((A, A), tuple(case(number) for number in range(5))):
        with pytest.raises(PartyRefused) as refused:
            await book(room, *party)
        assert refused.value.errors[0].field == "case_ids"


@pytest.mark.parametrize(
    ("at", "refusal"),
    [
        (tokyo(THURSDAY, 12), NoSuchSlot),
        (tokyo(THURSDAY, 11, 50), NoSuchSlot),
        (tokyo(THURSDAY, 9, 5), NoSuchSlot),
        (tokyo(date(2026, 4, 4), 9), NoSuchSlot),
        (tokyo(TODAY, 11), OutsideWindow),
        (tokyo(date(2026, 6, 1), 9), OutsideWindow),
        (tokyo(date(2031, 6, 2), 9), OutsideWindow),
    ],
)
async def test_times_at_which_nobody_is_served(
    room: Database, at: object, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await book(room, A, at=at)


async def test_the_last_day_is_the_horizon_or_the_pickup_deadline(room: Database) -> None:
    soon, late = case("soon"), case("late")
    await invite(room, soon, pickup_deadline=FRIDAY)
    await invite(room, late, card_expires_on=THURSDAY)
    with pytest.raises(OutsideWindow) as refused:
        await book(room, soon, at=tokyo(date(2026, 4, 6), 9))
    assert refused.value.extras["bookable_until"] == FRIDAY.isoformat()
    with pytest.raises(OutsideWindow):
        await book(room, late, at=tokyo(FRIDAY, 9))
    await book(room, A, at=tokyo(date(2026, 5, 29), 9))


async def test_a_site_serves_only_whom_it_accepts(room: Database) -> None:
    stranger = case("stranger")
    await invite(room, stranger, ward=OTHER_WARD)
    with pytest.raises(SiteDoesNotAccept):
        await book(room, stranger)


async def test_a_card_elsewhere_needs_the_transfer_lead_time(room: Database) -> None:
    await open_site(room, make_site(OTHER_SITE))
    with pytest.raises(OutsideWindow) as refused:
        await book(room, A, site_id=OTHER_SITE)
    assert refused.value.extras["bookable_from"] == FRIDAY.isoformat()
    (booking,) = await book(room, A, at=tokyo(FRIDAY, 9), site_id=OTHER_SITE)
    assert booking.card_site_id == SITE


async def test_a_cancelled_seat_comes_back_after_its_delay(room: Database) -> None:
    (booking,) = await book(room, A)
    before = await free(room)
    async with units(room).begin(citizen(A)) as unit:
        await bookings.cancel(unit, booking.booking_id, RULES, lambda _: None)
    async with room.reader() as conn:
        due = await conn.fetchval("SELECT max(due_at) FROM seat_return")
    assert MORNING <= due <= MORNING + RULES.return_within
    if due > MORNING:
        assert await free(room) == before
    later = FixedClock(due)
    assert await free(room, clock=later) == before + 1
    async with units(room, later).begin(citizen(A, B)) as unit:
        await bookings.book(unit, Request((A, B), SITE, NINE), RULES)
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_seat_on_its_way_back_cannot_be_taken(room: Database) -> None:
    (booking, _) = await book(room, A, B)
    async with units(room).begin(citizen(A)) as unit:
        await bookings.cancel(unit, booking.booking_id, RULES, lambda _: None)
        await unit.conn.execute(
            "UPDATE seat_return SET due_at = $1", MORNING + timedelta(minutes=9)
        )
    with pytest.raises(SlotTaken):
        await book(room, C)


async def test_a_smaller_site_keeps_what_is_booked(room: Database) -> None:
    await book(room, A, B)
    with pytest.raises(BookingsInTheWay) as refused:
        await put(room, make_site(counters=1))
    assert refused.value.extras == {
        "seats_missing": 2,
        "first": "2026-04-02T09:00:00+09:00",
        "last": "2026-04-02T09:10:00+09:00",
    }
    assert await free(room) == 16


async def test_shorter_hours_take_free_cells_away(room: Database) -> None:
    await book(room, A, B)
    morning = tuple(
        OpeningHours(weekday=day, opens=time(9), closes=time(10)) for day in tuple(Weekday)[:5]
    )
    await put(room, make_site(hours=morning))
    assert await free(room) == 4
    with pytest.raises(BookingsInTheWay):
        await put(room, make_site(hours=()))


async def test_a_larger_site_sells_more_and_keeps_its_counts(room: Database) -> None:
    await book(room, A, B)
    await put(room, make_site(counters=3, terminals=3))
    assert await free(room) == 25
    await book(room, C)
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_seats_on_their_way_back_do_not_stand_in_the_way(room: Database) -> None:
    (booking, _) = await book(room, A, B)
    async with units(room).begin(citizen(A)) as unit:
        await bookings.cancel(unit, booking.booking_id, RULES, lambda _: None)
    await put(room, make_site(counters=1))
    assert await free(room) == 8
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_what_is_told_of_days_is_what_can_be_taken(room: Database) -> None:
    """Days are put together of cells and of returns that are due; each cell is looked at alone."""
    whole = (tokyo(THURSDAY, 0), tokyo(date(2026, 4, 4), 0))
    (booking, _) = await book(room, A, B)
    await book(room, C, at=tokyo(FRIDAY, 9))
    async with units(room).begin(citizen(A)) as unit:
        await bookings.cancel(unit, booking.booking_id, RULES, lambda _: None)
        await unit.conn.execute("UPDATE seat_return SET due_at = $1", MORNING + HOUR)
    seen = []
    async with room.reader() as conn:
        for now in (MORNING, MORNING + HOUR):
            cells = await free_cells.free(conn, [SITE], *whole, now)
            alone = {one.starts_at: (one.capacity, one.free) for one in cells}
            told = await free_cells.shapes(conn, SITE, *whole, now)
            by_cell = {
                midnight(day.business_date) + timedelta(minutes=minute): (total, free)
                for day in told
                for (minute, total), (_, free) in zip(day.total, day.free, strict=True)
            }
            assert by_cell == alone
            assert list(by_cell) == sorted(by_cell)
            seen.append(sum(free for _, free in by_cell.values()))
    assert seen[0] < seen[1]


async def test_days_beyond_are_made_when_they_are_asked_for(room: Database) -> None:
    later = FixedClock(MORNING + timedelta(days=70))
    day = date(2026, 8, 3)
    assert await free(room, day, clock=later) == 18
    async with room.reader() as conn:
        made = await conn.fetchval("SELECT made_until FROM site")
    assert made == date(2026, 6, 10) + timedelta(days=90)
    assert await free(room, day, clock=later) == 18
    assert len(types(await events_of(room, SITE), "capacity.published")) == 2


async def test_capacity_is_published_when_the_calendar_changes(room: Database) -> None:
    await put(room, make_site(counters=1))
    await put(room, make_site(counters=1))
    assert await events_of(room, SITE) == [
        "site.planned.v1",
        "site.opened.v1",
        "capacity.published.v1",
        "site.changed.v1",
        "capacity.published.v1",
    ]
    async with room.reader() as conn:
        days = await conn.fetchval(
            """
            SELECT convert_from(data, 'utf8')::jsonb -> 'days' -> 1 FROM outbox
            WHERE type = 'capacity.published.v1' ORDER BY xid DESC, pos DESC LIMIT 1
            """
        )
    assert json.loads(days) == {
        "business_date": "2026-04-02",
        "total": 9,
        "free": 9,
        "first_hour": 9,
        "minutes_by_hour": [60, 60, 60],
    }


async def test_what_is_free_is_told_again_each_day(room: Database) -> None:
    work = daily.once_a_day("free seats", time(0, 30), capacity.telling(RULES))
    clock = FixedClock(MORNING)

    async def told() -> int:
        while True:
            async with units(room, clock).begin(Principal.system("reservation")) as unit:
                if not await work(unit):
                    break
        async with room.reader() as conn:
            data = await conn.fetchval(
                "SELECT data FROM outbox WHERE type = 'capacity.published.v1'"
                " ORDER BY xid DESC, pos DESC LIMIT 1"
            )
        days = json.loads(data)["days"]
        return int(next(d["free"] for d in days if d["business_date"] == THURSDAY.isoformat()))

    assert await told() == 18
    await book(room, A)
    assert await told() == 18
    clock.advance(timedelta(days=1) - timedelta(hours=9))
    assert await told() == 18
    clock.advance(timedelta(minutes=30))
    assert await told() == 17
    assert len(types(await events_of(room, SITE), "capacity.published")) == 3
