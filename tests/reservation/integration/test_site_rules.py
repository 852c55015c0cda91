"""What sites decide otherwise than their city: shares of seats, horizons, deadlines, lengths."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any

import httpx
import pytest

from services.reservation.domain.booking import Booking, ChangeTooLate, SlotTaken
from services.reservation.domain.case import OutsideWindow
from services.reservation.domain.site_rules import Overrides
from services.reservation.handlers import bookings, ruling
from services.reservation.handlers.bookings import Request
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.db import Database
from shared.ids import CaseId
from shared.security.principal import Principal
from tests.reservation.support import (
    MORNING,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    TODAY,
    bearer,
    case,
    citizen,
    invite,
    make_site,
    open_site,
    tokyo,
    units,
)

CASES = [case("one", number) for number in range(4)]
FAR = date(2026, 4, 20)
"""A Monday, 19 days ahead."""


@pytest.fixture
async def room(database: Database) -> Database:
    """A room with three seats at a time."""
    await open_site(database, make_site(counters=3, terminals=3))
    await invite(database, *CASES)
    return database


async def decide(database: Database, **own: Any) -> None:
    """Let the site decide for cards."""
    async with units(database).begin(PEOPLE["planner"]) as unit:
        await ruling.put(
            unit, SITE, Procedure.CARD_ISSUANCE, Overrides(**own), lambda _: None, rules=RULES
        )


async def book(
    database: Database,
    case_id: CaseId,
    at: datetime,
    *,
    by: Principal | None = None,
    now: datetime = MORNING,
) -> Booking:
    """Book one case."""
    async with units(database, FixedClock(now)).begin(by or citizen(case_id)) as unit:
        (made,) = await bookings.book(unit, Request((case_id,), SITE, at), RULES)
    return made


async def test_shares_keep_seats_for_the_call_centre_and_for_who_walks_in(room: Database) -> None:
    await decide(room, kept_call_centre=1, kept_walk_in=1)
    at = tokyo(FAR, 9)
    await book(room, CASES[0], at)
    with pytest.raises(SlotTaken):
        await book(room, CASES[1], at)
    await book(room, CASES[1], at, by=PEOPLE["clerk"])
    with pytest.raises(SlotTaken):
        await book(room, CASES[2], at, by=PEOPLE["clerk"])


async def test_shares_are_released_so_many_days_ahead(room: Database) -> None:
    await decide(
        room,
        kept_call_centre=1,
        call_centre_released_days=3,
        kept_walk_in=1,
        walk_in_released_days=1,
    )
    at, day = tokyo(FAR, 9), timedelta(days=1)
    await book(room, CASES[0], at)
    four, three, one = (at - number * day for number in (4, 3, 1))
    with pytest.raises(SlotTaken):
        await book(room, CASES[1], at, now=four)
    await book(room, CASES[1], at, now=three)
    with pytest.raises(SlotTaken):
        await book(room, CASES[2], at, now=three)
    # Sunday: Monday is the next business day.
    await book(room, CASES[2], at, now=one)


async def test_a_card_about_to_expire_may_have_every_seat(room: Database) -> None:
    await decide(room, kept_call_centre=1, kept_walk_in=2)
    urgent = case("urgent")
    await invite(room, urgent, pickup_deadline=TODAY + timedelta(days=10))
    at = tokyo(date(2026, 4, 10), 9)
    with pytest.raises(SlotTaken):
        await book(room, CASES[0], at)
    await book(room, urgent, at)


async def test_staff_book_who_cannot_wait_for_the_same_day(room: Database) -> None:
    urgent = case("urgent")
    await invite(room, urgent, card_expires_on=TODAY + timedelta(days=2))
    at = tokyo(TODAY, 10)
    with pytest.raises(OutsideWindow):
        await book(room, urgent, at)
    with pytest.raises(OutsideWindow):
        await book(room, CASES[0], at, by=PEOPLE["clerk"])
    await book(room, urgent, at, by=PEOPLE["clerk"])


async def test_the_last_day_opens_at_the_hour_of_the_site(room: Database) -> None:
    await decide(room, horizon_days=19, released_at=time(10))
    at = tokyo(FAR, 9)
    with pytest.raises(OutsideWindow):
        await book(room, CASES[0], at, now=tokyo(TODAY, 9, 59))
    await book(room, CASES[0], at, now=tokyo(TODAY, 10))


async def test_length_and_deadline_are_the_sites(room: Database) -> None:
    await decide(room, minutes=30, change_until=time(12))
    made = await book(room, CASES[0], tokyo(THURSDAY, 9))
    assert made.minutes == 30
    with pytest.raises(ChangeTooLate):
        async with units(room, FixedClock(tokyo(TODAY, 12))).begin(citizen(CASES[0])) as unit:
            await bookings.cancel(unit, made.booking_id, RULES, lambda _: None)
    await decide(room, minutes=60)
    async with units(room).begin(PEOPLE["clerk"]) as unit:
        assert (await bookings.find(unit, made.booking_id)).minutes == 30


async def test_rules_over_http(client: httpx.AsyncClient, room: Database) -> None:
    path = f"/v1/sites/{SITE}/rules/card_issuance"
    city = await client.get(path)
    assert city.json()["version"] == 0
    assert city.json()["in_force"]["horizon_days"] == 60
    body = {"horizon_days": 30, "change_until": "12:00", "kept_walk_in": 1}
    planner = bearer("planner")
    assert (await client.put(path, json=body, headers=bearer("clerk"))).status_code == 403
    put = await client.put(path, json=body, headers={**planner, "If-Match": '"7"'})
    assert put.status_code == 412, put.text
    read = {**planner, "If-Match": city.headers["ETag"]}
    put = await client.put(path, json=body, headers=read)
    assert put.status_code == 200, put.text
    assert put.json()["own"]["horizon_days"] == 30
    assert (
        put.json()["in_force"]
        | {
            "horizon_days": 30,
            "change_until": "12:00",
            "kept_walk_in": 1,
            "hold_minutes": 10,
        }
        == put.json()["in_force"]
    )
    wrong = await client.put(path, json={"horizon_days": 0}, headers=planner)
    assert wrong.status_code == 422


async def test_another_lateness_goes_with_the_site_and_another_length_with_its_seats(
    room: Database,
) -> None:
    await decide(room, lateness_minutes=20, horizon_days=30)
    await decide(room, lateness_minutes=20, horizon_days=20)
    await decide(room, lateness_minutes=20, minutes=30)
    await decide(room, minutes=30)
    async with room.reader() as conn:
        rows = await conn.fetch(
            "SELECT type, data FROM outbox WHERE subject = $1 ORDER BY xid, pos", SITE
        )
    told = [(row["type"], json.loads(row["data"])) for row in rows][3:]
    assert [one for one, _ in told] == [
        "site.changed.v1",
        "capacity.published.v1",
        "site.changed.v1",
    ]
    changed, seats, again = (data for _, data in told)
    assert changed["lateness"] == [{"procedure": "card_issuance", "minutes": 20}]
    assert (seats["minutes"], seats["days"][0]["total"]) == (30, 18)
    assert again["lateness"] == []
