"""Seats held while the form is filled, over HTTP: one per session, kept, given up, run out."""

from datetime import time, timedelta
from typing import Any

import httpx
import pytest

from services.reservation.handlers import holds, sites
from shared.clock import FixedClock
from shared.contracts.place import OpeningHours, Weekday
from shared.db import Database
from shared.ids import CaseId
from shared.security.principal import Principal
from tests.reservation.support import (
    NUMBER,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    WARD,
    bearer,
    case,
    counts,
    events_of,
    ids,
    invite,
    make_site,
    open_site,
    types,
    units,
)

NINE, TEN = "2026-04-02T09:00:00+09:00", "2026-04-02T10:00:00+09:00"
MINE, THEIRS = case("mine"), case("theirs")
BIRTH = {"birth_date": "1990-02-03"}
OTHER_NUMBER = "7K2-481517"


@pytest.fixture
async def room(database: Database) -> Database:
    """A room with one seat at a time, and two citizens."""
    await open_site(database, make_site(counters=1))
    await invite(database, MINE)
    await invite(database, THEIRS, number=OTHER_NUMBER)
    return database


async def log_in(client: httpx.AsyncClient, number: str = NUMBER) -> dict[str, str]:
    """A citizen's headers, good for one command."""
    answer = await client.post("/v1/sessions", json={"notice_number": number, **BIRTH})
    return bearer(answer.json()["access_token"], once=True)


async def hold(
    client: httpx.AsyncClient, who: dict[str, str], *cases: CaseId, at: str = NINE
) -> httpx.Response:
    """Hold seats for the cases."""
    body = {"case_ids": ids(cases), "site_id": SITE, "starts_at": at}
    again = {**who, "Idempotency-Key": f"{who['Idempotency-Key']}{at}{ids(cases)}"}
    return await client.post("/v1/holds", json=body, headers=again)


async def free_at(client: httpx.AsyncClient) -> list[str]:
    """The starts that are free on Thursday."""
    query = {"procedure": "card_issuance", "ward": WARD, "from": THURSDAY, "to": THURSDAY}
    found = await client.get("/v1/availability", params={k: str(v) for k, v in query.items()})
    sites: list[dict[str, Any]] = found.json()["sites"]
    return [one["starts_at"] for day in sites[0]["days"] for one in day["starts"]]


async def test_what_is_held_is_nobody_elses_and_becomes_a_booking(
    client: httpx.AsyncClient, room: Database
) -> None:
    me, other = await log_in(client), await log_in(client, OTHER_NUMBER)
    held = await hold(client, me, MINE)
    assert held.status_code == 201, held.text
    hold_id = held.json()["hold_id"]
    assert held.json()["expires_at"] == "2026-04-01T09:10:00+09:00"
    assert NINE not in await free_at(client)
    refused = await hold(client, other, THEIRS)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:madoguchi:problem:slot-taken",
    )
    mine = (await client.get("/v1/holds", headers=me)).json()["items"]
    assert [one["hold_id"] for one in mine] == [hold_id]

    made = await client.post(f"/v1/holds/{hold_id}:confirm", headers=me)
    assert made.status_code == 200, made.text
    (booking,) = made.json()["bookings"]
    assert booking["starts_at"] == NINE
    again = await client.post(f"/v1/holds/{hold_id}:confirm", headers=me)
    assert again.json() == made.json()
    assert types(await events_of(room, MINE), "booking") == ["booking.confirmed.v1"]
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_holding_the_same_again_gives_the_same_hold_and_no_more_time(
    client: httpx.AsyncClient, room: Database, clock: FixedClock
) -> None:
    me = await log_in(client)
    first = (await hold(client, me, MINE)).json()
    clock.advance(timedelta(minutes=4))
    me["Idempotency-Key"] += "again"
    assert (await hold(client, me, MINE)).json() == first


async def test_holding_something_else_lets_the_first_go(
    client: httpx.AsyncClient, room: Database, clock: FixedClock
) -> None:
    me = await log_in(client)
    first = (await hold(client, me, MINE)).json()
    second = (await hold(client, me, MINE, at=TEN)).json()
    assert second["state"] == "held"
    seen = (await client.get(f"/v1/holds/{first['hold_id']}", headers=me)).json()
    assert seen["state"] == "released"
    clock.advance(timedelta(minutes=16))
    assert NINE in await free_at(client)
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_what_one_holds_serves_the_next_hold_at_the_same_site(
    client: httpx.AsyncClient, room: Database, clock: FixedClock
) -> None:
    me = await log_in(client)
    first = (await hold(client, me, MINE)).json()
    later = await hold(client, me, MINE, at="2026-04-02T09:10:00+09:00")
    assert later.status_code == 201, later.text
    assert (await client.get(f"/v1/holds/{first['hold_id']}", headers=me)).json()["state"] == (
        "released"
    )
    assert all(booked == accounted <= 1 for booked, accounted in await counts(room))
    clock.advance(timedelta(minutes=9))
    made = await client.post(f"/v1/holds/{later.json()['hold_id']}:confirm", headers=me)
    assert made.status_code == 200, made.text
    assert all(booked == accounted <= 1 for booked, accounted in await counts(room))


async def test_a_hold_that_runs_out_returns_by_itself(
    client: httpx.AsyncClient, room: Database, clock: FixedClock
) -> None:
    me, other = await log_in(client), await log_in(client, OTHER_NUMBER)
    hold_id = (await hold(client, me, MINE)).json()["hold_id"]
    clock.advance(timedelta(minutes=10))
    ended = await client.post(f"/v1/holds/{hold_id}:confirm", headers=me)
    assert ended.json()["type"] == "urn:madoguchi:problem:hold-ended"
    clock.advance(timedelta(minutes=16))
    assert (await hold(client, other, THEIRS)).status_code == 201
    async with units(room, clock).begin(Principal.system("reservation")) as unit:
        assert await holds.tidy(unit) == 1
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_hold_given_up_returns_after_its_delay(
    client: httpx.AsyncClient, room: Database, clock: FixedClock
) -> None:
    me = await log_in(client)
    hold_id = (await hold(client, me, MINE)).json()["hold_id"]
    for _ in range(2):
        assert (await client.delete(f"/v1/holds/{hold_id}", headers=me)).status_code == 204
    clock.advance(timedelta(minutes=16))
    assert NINE in await free_at(client)
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_only_its_citizen_and_staff_of_its_site_see_a_hold(
    client: httpx.AsyncClient, room: Database
) -> None:
    me, other = await log_in(client), await log_in(client, OTHER_NUMBER)
    hold_id = (await hold(client, me, MINE)).json()["hold_id"]
    statuses = [
        (await client.get(f"/v1/holds/{hold_id}", headers=who)).status_code
        for who in (me, other, bearer("clerk"), bearer("elsewhere"))
    ]
    assert statuses == [200, 403, 200, 403]


async def test_a_group_holds_seats_for_all_or_for_none(
    client: httpx.AsyncClient, room: Database
) -> None:
    clerk = bearer("clerk", once=True)
    refused = await hold(client, clerk, MINE, THEIRS)
    assert refused.json()["type"] == "urn:madoguchi:problem:slot-taken"
    assert (await client.get("/v1/holds", headers=clerk)).json()["items"] == []
    assert all(booked == accounted == 0 for booked, accounted in await counts(room))


async def test_a_smaller_calendar_ends_holds_and_keeps_bookings(
    client: httpx.AsyncClient, room: Database
) -> None:
    me = await log_in(client)
    hold_id = (await hold(client, me, MINE)).json()["hold_id"]
    hours = tuple(
        OpeningHours(weekday=day, opens=time(10), closes=time(12)) for day in tuple(Weekday)[:5]
    )
    async with units(room).begin(PEOPLE["planner"]) as unit:
        await sites.put(unit, make_site(counters=1, hours=hours), RULES, lambda _: None)
    ended = await client.post(f"/v1/holds/{hold_id}:confirm", headers=me)
    assert ended.status_code == 409
    assert all(booked == accounted == 0 for booked, accounted in await counts(room))


async def test_staff_hold_on_behalf_and_it_is_audited(
    client: httpx.AsyncClient, room: Database
) -> None:
    clerk = bearer("clerk", once=True)
    assert (await hold(client, clerk, MINE)).status_code == 201
    async with room.reader() as conn:
        found = await conn.fetch(
            "SELECT actor, subject FROM audit_entry WHERE action = 'hold.placed'"
        )
    assert [(row["actor"], row["subject"]) for row in found] == [
        (PEOPLE["clerk"].subject, str(MINE))
    ]
