"""Whom staff have to look after: notices that came back, and visits that nobody signed off."""

from datetime import datetime, time, timedelta

import httpx
import pytest

from services.reservation.domain.booking import AlreadyBooked, BookingEnded, ChangeTooLate
from services.reservation.handlers import bookings, daily, moves, unsigned
from services.reservation.handlers.moves import Target
from shared.clock import FixedClock
from shared.contracts.preparation import CardNoticeReturned, CardReleased
from shared.db import Database
from shared.due import DueWork
from shared.ids import BookingId
from shared.security.principal import Principal
from tests.reservation.life import ROOM, book, named, reachable
from tests.reservation.support import (
    FRIDAY,
    OTHER_WARD,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    WARD,
    bearer,
    case,
    citizen,
    events_of,
    hear,
    invite,
    issued,
    missed,
    notified,
    open_site,
    tokyo,
    told,
    types,
    units,
)

MINE, OTHER = case("mine"), case("other")
NINE = tokyo(THURSDAY, 9)


@pytest.fixture
async def room(database: Database) -> Database:
    """A site and two citizens with notices."""
    await open_site(database)
    await invite(database, MINE, OTHER)
    return database


async def come_back(database: Database, *, seq: int = 1, sequence: int = 7) -> None:
    """Preparation tells that a notice came back."""
    await hear(database, told(CardNoticeReturned(case_id=MINE, notice_seq=seq), sequence))


async def calls(database: Database) -> list[tuple[str, object]]:
    """Open calls: about what, and for which booking."""
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT about, booking_id FROM phone_entry WHERE done_at IS NULL")
    return [(row["about"], row["booking_id"]) for row in rows]


async def state(database: Database, booking_id: BookingId) -> str:
    """Where a booking stands."""
    async with database.reader() as conn:
        found: str = await conn.fetchval(
            "SELECT state FROM booking WHERE booking_id = $1", booking_id
        )
    return found


async def run(database: Database, clock: FixedClock, work: DueWork) -> int:
    """Let due work run once."""
    async with units(database, clock).begin(ROOM) as unit:
        return await work(unit)


async def test_whose_notice_came_back_is_called_once_where_a_visit_is_booked(
    room: Database, client: httpx.AsyncClient
) -> None:
    (booking,) = await book(room, MINE, at=NINE)
    await come_back(room)
    await come_back(room)
    await come_back(room, sequence=8)
    assert await calls(room) == [("notice_returned", booking.booking_id)]
    assert await named(room, MINE) == [booking]
    shown = await client.get(f"/v1/phone-list?site_id={SITE}", headers=bearer("clerk"))
    (item,) = shown.json()["items"]
    assert (item["reason"], item["visit_at"]) == ("notice_returned", "2026-04-02T09:00:00+09:00")


async def test_who_left_a_contact_is_called_and_others_wait_for_the_second_notice(
    room: Database,
) -> None:
    await come_back(room)
    assert await calls(room) == []
    await reachable(room, MINE)
    await come_back(room, sequence=8)
    assert await calls(room) == [("notice_returned", None)]


async def test_a_later_notice_makes_the_call_needless_in_any_order(room: Database) -> None:
    await book(room, MINE, at=NINE)
    await hear(room, told(notified(MINE, notice_seq=2), 8))
    await come_back(room, sequence=9)
    assert await calls(room) == []
    unheard = CardNoticeReturned(case_id=case("unheard"), notice_seq=1)
    await hear(room, told(unheard, 1))
    async with room.reader() as conn:
        kept = await conn.fetchval(
            "SELECT notice_returned_seq FROM case_facts WHERE case_id = $1", case("unheard")
        )
    assert kept == 1


async def test_the_second_notice_closes_the_call_about_the_first_and_no_other(
    room: Database,
) -> None:
    (booking,) = await book(room, MINE, at=NINE)
    await come_back(room)
    first = told(notified(MINE), 1)
    await hear(room, first)
    assert await calls(room) == [("notice_returned", booking.booking_id)]
    second = told(notified(MINE, notice_seq=2), 8)
    await hear(room, second)
    assert await calls(room) == []
    await come_back(room, seq=2, sequence=9)
    await hear(room, second, first)
    assert await calls(room) == [("notice_returned", booking.booking_id)]
    await hear(room, told(notified(MINE, notice_seq=3), 10))
    assert await calls(room) == []


async def test_who_moved_to_a_ward_that_is_not_served_is_called_and_keeps_the_seat(
    room: Database,
) -> None:
    (booking,) = await book(room, MINE, at=NINE)
    await hear(room, told(CardReleased(case_id=MINE, ward=WARD), 5))
    assert await calls(room) == []
    moved = told(CardReleased(case_id=MINE, ward=OTHER_WARD), 6)
    await hear(room, moved)
    await hear(room, moved, told(CardReleased(case_id=MINE, ward=OTHER_WARD), 7))
    await hear(room, told(CardReleased(case_id=OTHER, ward=OTHER_WARD), 6))
    assert await calls(room) == [("ward_changed", booking.booking_id)]
    assert await named(room, MINE) == [booking]


async def test_a_move_told_late_changes_nothing(room: Database) -> None:
    await book(room, MINE, at=NINE)
    await hear(room, told(CardReleased(case_id=MINE, ward=WARD), 9))
    await hear(room, told(CardReleased(case_id=MINE, ward=OTHER_WARD), 8))
    assert await calls(room) == []


async def test_a_visit_without_sign_off_is_listed_and_leaves_the_list_with_it(
    room: Database,
) -> None:
    (booking,) = await book(room, MINE, at=NINE)
    await book(room, OTHER, at=tokyo(FRIDAY, 9))
    listing = daily.once_a_day("unsigned", time(6), unsigned.listing(2))
    at = FixedClock(tokyo(FRIDAY, 6))
    assert await run(room, at, listing) == 0
    at.advance(timedelta(days=1))
    assert await run(room, at, listing) == 1
    assert await run(room, at, listing) == 0
    at.advance(timedelta(days=1))
    assert await run(room, at, listing) == 1
    assert ("not_signed_off", booking.booking_id) in await calls(room)
    assert await run(room, at, unsigned.settle) == 0
    await hear(room, told(missed(MINE, booking.booking_id), 3))
    assert await run(room, at, unsigned.settle) == 1
    assert [booking_id for _, booking_id in await calls(room)] != [booking.booking_id]


@pytest.mark.parametrize("by_staff", [False, True])
async def test_from_the_next_day_on_nobody_is_kept_from_booking_again(
    room: Database, *, by_staff: bool
) -> None:
    (booking,) = await book(room, MINE, at=NINE)
    who = PEOPLE["clerk"] if by_staff else citizen(MINE)
    with pytest.raises(BookingEnded if by_staff else ChangeTooLate):
        await cancel(room, who, booking.booking_id, tokyo(THURSDAY, 15))
    friday = tokyo(FRIDAY, 8)
    with pytest.raises(AlreadyBooked):
        await again(room, friday)
    async with units(room, FixedClock(friday)).begin(who) as unit:
        target = Target(SITE, NEXT)
        with pytest.raises(BookingEnded):
            await moves.move(unit, booking.booking_id, target, RULES, lambda _: None)
    await cancel(room, who, booking.booking_id, friday)
    await again(room, friday)
    assert [one.starts_at for one in await named(room, MINE)] == [NEXT]
    assert await state(room, booking.booking_id) == "missed"
    told_ = [one for one in await events_of(room, MINE) if "missed" in one or "cancelled" in one]
    assert told_ == ["booking.missed.v1"]
    await hear(room, told(missed(MINE, booking.booking_id), 3))
    assert len(types(await events_of(room, MINE), "booking.missed")) == 1
    await hear(room, told(issued(MINE, booking.booking_id), 4))
    assert await state(room, booking.booking_id) == "fulfilled"


NEXT = tokyo(FRIDAY, 9) + timedelta(days=3)


async def cancel(database: Database, who: Principal, booking: BookingId, at: datetime) -> None:
    """Cancel at a moment."""
    async with units(database, FixedClock(at)).begin(who) as unit:
        await bookings.cancel(unit, booking, RULES, lambda _: None)


async def again(database: Database, at: datetime) -> None:
    """Book once more."""
    async with units(database, FixedClock(at)).begin(citizen(MINE)) as unit:
        await bookings.book(unit, bookings.Request((MINE,), SITE, NEXT), RULES)
