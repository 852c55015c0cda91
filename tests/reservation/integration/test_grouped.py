"""Bookings asked for at once, and in bulk: through the doors, as everybody would ask."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest

from services.reservation.handlers import together
from shared.db import Database
from shared.ids import CaseId, new_id
from tests.reservation.support import (
    FRIDAY,
    OTHER_SITE,
    SITE,
    bearer,
    case,
    counts,
    events_of,
    ids,
    invite,
    make_site,
    open_site,
)

NINE = "2026-04-02T09:00:00+09:00"
TWENTY_PAST = "2026-04-02T09:20:00+09:00"
CASES = [case("grouped", number) for number in range(40)]
TAKEN = "urn:madoguchi:problem:slot-taken"


@pytest.fixture
async def room(database: Database) -> Database:
    """Two seats at a time, and forty cases."""
    await open_site(database)
    await invite(database, *CASES)
    return database


def row(*cases: CaseId, at: str = NINE) -> dict[str, Any]:
    """What a party asks for."""
    return {"case_ids": ids(cases), "site_id": SITE, "starts_at": at}


async def book(client: httpx.AsyncClient, *cases: CaseId, at: str = NINE) -> httpx.Response:
    """Book by a clerk."""
    who = bearer("clerk", once=True)
    return await client.post("/v1/bookings", json=row(*cases, at=at), headers=who)


async def test_a_slot_that_everybody_wants_is_given_away_once(
    client: httpx.AsyncClient, room: Database
) -> None:
    answers = await asyncio.gather(*(book(client, one) for one in CASES))
    assert Counter(each.status_code for each in answers) == {201: 2, 409: 38}
    assert {each.json()["type"] for each in answers if each.status_code == 409} == {TAKEN}
    assert max(booked for booked, _ in await counts(room)) == 2
    assert all(booked == accounted for booked, accounted in await counts(room))
    assert Counter(await events_of(room))["booking.confirmed.v1"] == 2


async def test_a_party_that_does_not_fit_stands_in_nobodys_way(
    client: httpx.AsyncClient, room: Database
) -> None:
    answers = await asyncio.gather(
        book(client, CASES[0]),
        book(client, *CASES[1:4]),
        book(client, case("unknown")),
        book(client, CASES[4], CASES[4]),
        book(client, CASES[5], at="2026-04-02T03:00:00+09:00"),
        book(client, CASES[6]),
    )
    assert [each.status_code for each in answers] == [201, 409, 409, 422, 422, 201]
    assert all(booked == accounted for booked, accounted in await counts(room))


async def test_a_case_asked_for_many_times_at_once_is_booked_once(
    client: httpx.AsyncClient, room: Database
) -> None:
    times = [f"2026-04-02T{9 + n // 3:02}:{20 * (n % 3):02}:00+09:00" for n in range(9)]
    answers = await asyncio.gather(*(book(client, CASES[0], at=at) for at in times))
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 8}
    assert sum(booked for booked, _ in await counts(room)) == 2  # two cells of one booking


@pytest.mark.parametrize("guard", ["kept", "removed"])
async def test_without_sharing_out_the_group_asks_too_much(
    client: httpx.AsyncClient, room: Database, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    if guard == "removed":
        monkeypatch.setattr(together, "share_out", lambda line, _: [True] * len(line))
        async with room.reader() as conn:
            await conn.execute("ALTER TABLE cell DROP CONSTRAINT never_oversold")
    answers = await asyncio.gather(*(book(client, one) for one in CASES[:10]))
    won = sum(each.status_code == 201 for each in answers)
    assert won == (2 if guard == "kept" else 10)


async def test_a_batch_has_a_result_for_every_row(
    client: httpx.AsyncClient, room: Database
) -> None:
    await open_site(room, make_site(OTHER_SITE))
    first = (await book(client, CASES[0])).json()["bookings"][0]
    who = bearer("clerk", once=True)
    hold = await client.post("/v1/holds", json=row(CASES[1]), headers=bearer("clerk", once=True))
    rows: list[dict[str, Any]] = [
        {"verb": "move", "booking_id": first["booking_id"], "site_id": SITE,
         "starts_at": f"{FRIDAY}T10:00:00+09:00"},
        {"verb": "confirm", "hold_id": hold.json()["hold_id"]},
        *({"verb": "book", **row(one, at=TWENTY_PAST)} for one in CASES[2:6]),
        {"verb": "book", **row(CASES[6]), "site_id": OTHER_SITE},
        {"verb": "cancel", "booking_id": first["booking_id"]},
        {"verb": "cancel", "booking_id": str(new_id())},
    ]  # fmt: skip
    answer = await client.post("/v1/bookings:batch", json={"rows": rows}, headers=who)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [one["status"] for one in found["results"]] == [
        200, 200, 201, 201, 409, 409, 403, 200, 404
    ]  # fmt: skip
    assert (found["done"], found["refused"]) == (5, 4)
    assert found["results"][4]["problem"]["type"] == TAKEN
    assert found["results"][7]["body"]["state"] == "cancelled"

    told = await events_of(room)
    again = (await client.post("/v1/bookings:batch", json={"rows": rows}, headers=who)).json()
    assert [one["status"] for one in again["results"]] == [
        one["status"] for one in found["results"]
    ]
    assert [one["replayed"] for one in again["results"]] == [
        one["problem"] is None for one in found["results"]
    ]
    assert await events_of(room) == told
    assert all(booked == accounted for booked, accounted in await counts(room))
