"""A card that cannot be where it is awaited: somebody calls, and nobody's seat is taken."""

from datetime import datetime, timedelta

import pytest

from services.reservation.domain.booking import BookingState
from services.reservation.handlers import bookings
from services.reservation.handlers.bookings import Request
from services.reservation.store.bookings import read
from shared.contracts.preparation import CardTransferFailed, TransferFailure
from shared.db import Database
from shared.ids import BookingId, SiteId
from tests.reservation.support import (
    MORNING,
    OTHER_SITE,
    RULES,
    SITE,
    THURSDAY,
    case,
    citizen,
    hear,
    invite,
    make_site,
    open_site,
    tokyo,
    told,
    units,
)

MINE = case("mine")


@pytest.fixture
async def booked(database: Database) -> BookingId:
    """A citizen who comes on Thursday."""
    await open_site(database, make_site())
    await invite(database, MINE)
    async with units(database).begin(citizen(MINE)) as unit:
        request = Request((MINE,), SITE, tokyo(THURSDAY, 9))
        (made,) = await bookings.book(unit, request, RULES)
    return made.booking_id


async def fail(
    database: Database, site: SiteId = SITE, sequence: int = 9, at: datetime = MORNING
) -> None:
    """Preparation tells it."""
    event = CardTransferFailed(case_id=MINE, to_site_id=site, reason=next(iter(TransferFailure)))
    await hear(database, told(event, sequence, at=at))


async def calls(database: Database) -> list[tuple[str, BookingId]]:
    """Who is on the phone list, about what."""
    async with units(database).begin(citizen(MINE)) as unit:
        rows = await unit.conn.fetch("SELECT reason, booking_id FROM phone_entry")
    return [(row["reason"], BookingId(row["booking_id"])) for row in rows]


async def test_who_is_booked_there_is_called_and_keeps_the_seat(
    database: Database, booked: BookingId
) -> None:
    await fail(database)
    assert await calls(database) == [("card_not_there", booked)]
    async with units(database).begin(citizen(MINE)) as unit:
        booking = await read(unit.conn, booked)
    assert booking is not None
    assert booking.state is BookingState.ACTIVE


async def test_told_twice_or_all_over_again_somebody_calls_once(
    database: Database, booked: BookingId
) -> None:
    await fail(database)
    await fail(database)
    await fail(database, sequence=10, at=MORNING + timedelta(hours=1))
    assert await calls(database) == [("card_not_there", booked)]


@pytest.mark.parametrize(
    ("site", "at"),
    [
        (OTHER_SITE, MORNING),
        (SITE, MORNING - timedelta(days=1)),
        (SITE, tokyo(THURSDAY, 10)),
    ],
    ids=["booked elsewhere", "booked since", "the visit is over"],
)
async def test_news_that_does_not_touch_the_booking_calls_nobody(
    database: Database, booked: BookingId, site: SiteId, at: datetime
) -> None:
    await fail(database, site, at=at)
    assert await calls(database) == []


async def test_a_case_nobody_has_heard_of_is_no_trouble(database: Database) -> None:
    await fail(database)
    assert await calls(database) == []
