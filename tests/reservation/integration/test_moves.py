"""Moving: the new seats first, then the old ones go back; else everything stays as it was."""

from collections.abc import Sequence
from datetime import datetime

import httpx
import pytest

from services.reservation.domain.booking import Booking, ChangeTooLate, SlotTaken
from services.reservation.handlers import bookings, moves
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.moves import Target
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance
from shared.db import Database
from shared.ids import BookingId, CaseId, SiteId
from shared.security.principal import SiteForbidden
from tests.reservation.support import (
    FRIDAY,
    OTHER_SITE,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    TODAY,
    bearer,
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

NINE, TEN = tokyo(THURSDAY, 9), tokyo(THURSDAY, 10)
ANNA, BEN, CARA = case("anna"), case("ben"), case("cara")


@pytest.fixture
async def room(database: Database) -> Database:
    """Two sites with two seats at a time."""
    await open_site(database)
    everywhere = Acceptance(procedure=Procedure.CARD_ISSUANCE, wards=None)
    await open_site(database, make_site(OTHER_SITE, acceptance=(everywhere,)))
    await invite(database, ANNA, BEN, CARA)
    return database


async def book(database: Database, *cases: CaseId, at: datetime = NINE) -> list[Booking]:
    """Book the cases together."""
    async with units(database).begin(citizen(*cases)) as unit:
        return await bookings.book(unit, Request(cases, SITE, at), RULES)


async def move(
    database: Database, who: Sequence[CaseId], booking_id: BookingId, target: Target
) -> list[Booking]:
    """Move, as the citizen of these cases."""
    async with units(database).begin(citizen(*who)) as unit:
        return await moves.move(unit, booking_id, target, RULES, lambda _: None)


async def seats_at(database: Database, site_id: SiteId, at: datetime) -> int:
    """Seats taken in one cell, those on their way back left out."""
    async with database.reader() as conn:
        found: int = await conn.fetchval(
            """
            SELECT booked - coalesce((SELECT sum(seats) FROM seat_return r
                WHERE r.site_id = c.site_id AND r.starts_at = c.starts_at), 0)::int
            FROM cell c WHERE site_id = $1 AND starts_at = $2
            """,
            site_id,
            at,
        )
    return found


async def test_a_party_moves_together_and_says_where_it_was(room: Database) -> None:
    first, second = await book(room, ANNA, BEN)
    moved = await move(room, (ANNA, BEN), first.booking_id, Target(SITE, TEN))
    assert {one.booking_id for one in moved} == {first.booking_id, second.booking_id}
    assert {(one.starts_at, one.version, one.party_id) for one in moved} == {
        (TEN, 2, first.party_id)
    }
    assert [await seats_at(room, SITE, at) for at in (NINE, TEN)] == [0, 2]
    for case_id in (ANNA, BEN):
        told = types(await events_of(room, case_id), "booking")
        assert told == ["booking.confirmed.v1", "booking.moved.v1"]
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_one_of_a_party_may_move_alone(room: Database) -> None:
    first, _ = await book(room, ANNA, BEN)
    target = Target(SITE, TEN, together=False)
    (moved,) = await move(room, (ANNA, BEN), first.booking_id, target)
    assert moved.case_id == ANNA
    assert [await seats_at(room, SITE, at) for at in (NINE, TEN)] == [1, 1]


async def test_moving_by_one_cell_needs_only_the_cell_it_lacks(room: Database) -> None:
    (mine,) = await book(room, ANNA)
    await book(room, BEN)
    await move(room, (ANNA,), mine.booking_id, Target(SITE, tokyo(THURSDAY, 9, 10)))
    taken = [await seats_at(room, SITE, tokyo(THURSDAY, 9, minute)) for minute in (0, 10, 20)]
    assert taken == [1, 2, 1]
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_where_the_new_time_is_full_everything_stays(room: Database) -> None:
    (mine,) = await book(room, ANNA)
    await book(room, BEN, CARA, at=TEN)
    before = await counts(room)
    with pytest.raises(SlotTaken):
        await move(room, (ANNA,), mine.booking_id, Target(SITE, TEN))
    assert await counts(room) == before
    assert types(await events_of(room, ANNA), "booking") == ["booking.confirmed.v1"]


async def test_moving_where_it_is_already_changes_nothing(room: Database) -> None:
    (mine,) = await book(room, ANNA)
    assert await move(room, (ANNA,), mine.booking_id, Target(SITE, NINE)) == [mine]


async def test_a_card_that_must_travel_needs_its_days_there(
    client: httpx.AsyncClient, room: Database
) -> None:
    (mine,) = await book(room, ANNA)
    clerk = bearer("clerk")
    path = f"/v1/bookings/{mine.booking_id}:move"
    body = {"site_id": OTHER_SITE, "starts_at": "2026-04-03T09:00:00+09:00"}
    assert (await client.post(path, json=body, headers=clerk)).status_code == 403
    moved = await move(room, (ANNA,), mine.booking_id, Target(OTHER_SITE, tokyo(FRIDAY, 9)))
    assert (moved[0].site_id, moved[0].card_site_id) == (OTHER_SITE, SITE)


async def test_citizens_move_until_the_evening_before_and_staff_until_the_visit(
    room: Database, clock: FixedClock
) -> None:
    (mine,) = await book(room, ANNA)
    late = FixedClock(tokyo(TODAY, 17))
    target = Target(SITE, tokyo(FRIDAY, 9))
    with pytest.raises(ChangeTooLate):
        async with units(room, late).begin(citizen(ANNA)) as unit:
            await moves.move(unit, mine.booking_id, target, RULES, lambda _: None)
    with pytest.raises(SiteForbidden):
        async with units(room, late).begin(PEOPLE["elsewhere"]) as unit:
            await moves.move(unit, mine.booking_id, target, RULES, lambda _: None)
    async with units(room, late).begin(PEOPLE["clerk"]) as unit:
        (moved,) = await moves.move(unit, mine.booking_id, target, RULES, lambda _: None)
    assert moved.starts_at == tokyo(FRIDAY, 9)


async def test_moving_over_http_says_what_was_read(
    client: httpx.AsyncClient, room: Database
) -> None:
    (mine,) = await book(room, ANNA)
    path, who = f"/v1/bookings/{mine.booking_id}:move", bearer("clerk")
    body = {"site_id": SITE, "starts_at": "2026-04-02T10:00:00+09:00"}
    stale = await client.post(path, json=body, headers={**who, "If-Match": '"7"'})
    assert stale.status_code == 412
    moved = await client.post(path, json=body, headers={**who, "If-Match": '"1"'})
    assert moved.status_code == 200, moved.text
    assert moved.json()["bookings"][0]["version"] == 2
