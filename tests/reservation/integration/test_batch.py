"""The bulk door: renewals opened and booked in one row, and what a key stands for."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.reservation.api import build
from services.reservation.api.booking_rows import MOST_ROWS
from services.reservation.handlers import moving
from services.reservation.store import cases
from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance
from shared.db import Database
from shared.ids import CaseId, new_id
from tests.reservation.mailbox import TOOLS
from tests.reservation.support import (
    FRIDAY,
    OTHER_SITE,
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
    resources,
)

BOTH = tuple(Acceptance(procedure=one, wards=(WARD,)) for one in Procedure)
PHONE = "044-200-0001"


@pytest.fixture(autouse=True)
async def site(database: Database) -> None:
    """Two seats at a time, for cards and renewals."""
    await open_site(database, make_site(acceptance=BOTH))


def renew(hour: int = 9, minute: int = 0, **values: Any) -> dict[str, Any]:
    """A row that opens a renewal and books it."""
    return {
        "verb": "renew",
        "ward": WARD,
        "certificate_expires_on": "2026-05-20",
        "site_id": SITE,
        "starts_at": f"{THURSDAY}T{hour:02}:{minute:02}:00+09:00",
        **values,
    }


async def send(
    client: httpx.AsyncClient, *rows: dict[str, Any], who: dict[str, str] | None = None
) -> httpx.Response:
    """The rows, by a clerk."""
    headers = who or bearer("clerk", once=True)
    return await client.post("/v1/bookings:batch", json={"rows": rows}, headers=headers)


async def results(client: httpx.AsyncClient, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each row."""
    answer = await send(client, *rows)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


async def count(database: Database, table: str) -> int:
    """Rows of a table."""
    async with database.reader() as conn:
        found: int = await conn.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def test_renewals_are_opened_and_booked_in_their_row(
    client: httpx.AsyncClient, database: Database
) -> None:
    card = case("card")
    await invite(database, card)
    book = {"verb": "book", "case_ids": ids([card]), "site_id": SITE}
    found = await results(
        client,
        renew(phone=PHONE),
        {**book, "starts_at": f"{THURSDAY}T09:00:00+09:00"},
        renew(10),
        renew(10),
        renew(10),
    )
    assert [one["status"] for one in found] == [201, 201, 201, 201, 409]
    assert [one["code"] for one in found] == [None, None, None, None, "slot-taken"]
    assert found[4]["remedy"] == found[4]["problem"]["remedy"]
    for one in found[:4]:
        (booking,) = one["body"]["bookings"]
        assert (one["case_id"], one["booking_id"]) == (booking["case_id"], booking["booking_id"])
    assert found[1]["case_id"] == str(card)
    told = [await events_of(database, one["case_id"]) for one in (found[0], found[2], found[3])]
    assert told == [["case.opened.v1", "booking.confirmed.v1"]] * 3
    assert Counter(await events_of(database))["case.opened.v1"] == 3
    assert all(booked == accounted for booked, accounted in await counts(database))


async def test_a_renewal_opened_in_bulk_is_one_like_any_other(
    client: httpx.AsyncClient, database: Database
) -> None:
    (with_phone, without) = await results(client, renew(phone=PHONE), renew(10))
    for one in (with_phone, without):
        path = f"/v1/renewals/{one['case_id']}"
        shown = (await client.get(path, headers=bearer("clerk"))).json()
        assert (shown["ward"], shown["renewable_from"]) == (WARD, "2026-02-20")
    contact = await client.get(f"/v1/contacts/{with_phone['case_id']}", headers=bearer("clerk"))
    assert contact.json()["phone"] == "0442000001"
    erased = await client.delete(f"/v1/contacts/{with_phone['case_id']}", headers=bearer("clerk"))
    assert erased.status_code == 204, erased.text
    path = f"/v1/renewals/{without['case_id']}:withdraw"
    ended = await client.post(path, headers=bearer("clerk", once=True))
    assert ended.json()["ended_at"] is not None
    for one in (with_phone, without):
        assert "booking.cancelled.v1" in await events_of(database, one["case_id"])


async def test_a_telephone_has_one_renewal_at_a_time(
    client: httpx.AsyncClient, database: Database
) -> None:
    first, again = await results(
        client, renew(phone=PHONE), renew(10, phone="０４４２０００００１")
    )
    assert (first["status"], again["code"]) == (201, "renewal-active")
    assert again["problem"]["status"] == 409
    (later,) = await results(client, renew(11, phone=PHONE))
    assert later["code"] == "renewal-active"
    assert await count(database, "contact") == 1
    assert all(booked == accounted for booked, accounted in await counts(database))


async def test_who_is_refused_leaves_nothing(client: httpx.AsyncClient, database: Database) -> None:
    await open_site(database, make_site(OTHER_SITE, acceptance=BOTH))
    phones = [f"044-200-1{number:03}" for number in range(9)]
    found = await results(
        client,
        renew(phone=phones[0]),
        renew(phone=phones[1]),
        renew(phone=phones[2]),
        renew(3, phone=phones[3]),
        renew(phone=phones[4], ward="141321"),
        renew(phone=phones[5], certificate_expires_on="2026-12-01"),
        renew(phone=phones[6], site_id=OTHER_SITE),
    )
    assert [one["code"] for one in found] == [
        None, None, "slot-taken", "no-such-slot", "site-does-not-accept", "not-renewable-yet",
        "forbidden",
    ]  # fmt: skip
    for table in ("renewal", "case_facts", "contact", "case_contact", "booking", "subject_key"):
        assert await count(database, table) == 2, table
    assert Counter(await events_of(database))["case.opened.v1"] == 2


async def test_a_seat_that_a_telephone_cannot_use_goes_to_who_comes_next(
    client: httpx.AsyncClient, database: Database
) -> None:
    await results(client, renew(11, phone=PHONE))
    found = await results(client, renew(phone=PHONE), renew(), renew(), renew())
    assert [one["code"] for one in found] == ["renewal-active", None, None, "slot-taken"]
    assert all(booked == accounted for booked, accounted in await counts(database))


async def test_a_batch_sent_again_opens_nothing_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    rows, who = [renew(phone=PHONE), renew(10), renew(10), renew(10)], bearer("clerk", once=True)
    first = (await send(client, *rows, who=who)).json()
    again = (await send(client, *rows, who=who)).json()
    assert [one["case_id"] for one in again["results"]] == [
        one["case_id"] for one in first["results"]
    ]
    assert [one["replayed"] for one in again["results"]] == [True, True, True, False]
    assert await count(database, "renewal") == 3


@pytest.mark.parametrize("change", ["fewer", "more", "other"])
async def test_a_key_stands_for_all_its_rows(
    client: httpx.AsyncClient, database: Database, change: str
) -> None:
    rows, who = [renew(), renew(10)], bearer("clerk", once=True)
    await send(client, *rows, who=who)
    others = {"fewer": rows[:1], "more": [*rows, renew(11)], "other": [rows[0], renew(11)]}
    answer = await send(client, *others[change], who=who)
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:madoguchi:problem:idempotency-key-reused"
    assert await count(database, "renewal") == 2


async def test_staff_alone_open_renewals_in_bulk_and_not_without_end(
    client: httpx.AsyncClient, database: Database
) -> None:
    assert (await send(client, renew(), who=bearer("planner", once=True))).status_code == 403
    answer = await send(client, *[renew()] * (MOST_ROWS + 1))
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["rows"]


@pytest.mark.parametrize("guard", ["kept", "removed"])
async def test_two_processes_open_one_renewal_for_a_telephone(
    database: Database, clock: FixedClock, key_file: Path, guard: str
) -> None:
    if guard == "removed":
        async with database.reader() as conn:
            await conn.execute("DROP INDEX one_active_renewal_per_contact")
    made = [build(resources(database, clock, key_file)) for _ in range(2)]
    clients = [
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
        for app in made
    ]
    rows = [renew(9 + number // 3, 20 * (number % 3), phone=PHONE) for number in range(6)]
    rows += [
        {**row, "starts_at": row["starts_at"].replace(str(THURSDAY), str(FRIDAY))} for row in rows
    ]
    answers = await asyncio.gather(*(send(clients[n % 2], row) for n, row in enumerate(rows)))
    done = [one["done"] for one in (each.json() for each in answers)]
    for client in clients:
        await client.aclose()
    assert await count(database, "contact") == 1
    assert sum(done) == (1 if guard == "kept" else len(rows))


async def test_what_a_caller_left_is_found_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    """A contact kept by the single door is the contact of a row, and the other way round."""
    (opened,) = await results(client, renew(phone=PHONE))
    await client.post(
        f"/v1/renewals/{CaseId(opened['case_id'])}:withdraw", headers=bearer("clerk", once=True)
    )
    body = {"ward": WARD, "certificate_expires_on": "2026-05-20", "phone": PHONE}
    single = await client.post("/v1/renewals", json=body, headers=bearer("clerk", once=True))
    assert single.status_code == 201, single.text
    (refused,) = await results(client, renew(10, phone=PHONE))
    assert refused["code"] == "renewal-active"
    assert refused["problem"]["type"].endswith("renewal-active")
    async with database.reader() as conn:
        key = await conn.fetchval("SELECT address_key FROM contact")
    assert key == TOOLS.address_keys("tel:0442000001")[0]


async def test_bookings_are_cancelled_together_each_by_itself(
    client: httpx.AsyncClient, database: Database
) -> None:
    made = await results(client, renew(), renew(), renew(10), renew(10), renew(11))
    await open_site(database, make_site(OTHER_SITE, acceptance=BOTH))
    (elsewhere,) = (
        await send(client, renew(site_id=OTHER_SITE), who=bearer("elsewhere", once=True))
    ).json()["results"]
    cancels = [{"verb": "cancel", "booking_id": one["booking_id"]} for one in (*made, elsewhere)]
    rows = [*cancels[:3], cancels[0], {**cancels[0], "booking_id": str(new_id())}, cancels[5]]
    who = bearer("clerk", once=True)
    found = (await send(client, *rows, who=who)).json()["results"]
    assert [one["code"] for one in found] == [
        None, None, None, None, "no-such-booking", "forbidden",
    ]  # fmt: skip
    assert [one["body"]["state"] for one in found[:4]] == ["cancelled"] * 4
    told = await events_of(database)
    assert Counter(told)["booking.cancelled.v1"] == 3
    again = (await send(client, *rows, who=who)).json()["results"]
    assert [one["replayed"] for one in again] == [True] * 4 + [False] * 2
    assert await events_of(database) == told
    assert await count(database, "seat_return") == 6
    assert all(booked == accounted for booked, accounted in await counts(database))


async def test_a_case_in_other_hands_stops_its_own_row_alone(
    client: httpx.AsyncClient, database: Database
) -> None:
    made = await results(client, renew(), renew(10))
    rows = [{"verb": "cancel", "booking_id": one["booking_id"]} for one in made]
    async with database.transaction() as conn:
        await cases.lock_free(conn, [CaseId(UUID(made[0]["case_id"]))])
        found = await results(client, *rows)
    assert [one["code"] for one in found] == ["case-busy", None]
    again = await results(client, *rows)
    assert [one["body"]["version"] for one in again] == [2, 2]


async def test_bookings_are_moved_together_each_by_itself(
    client: httpx.AsyncClient, database: Database
) -> None:
    family = [case("mother"), case("child")]
    await invite(database, *family)
    party = {"verb": "book", "case_ids": ids(family), "site_id": SITE}
    made = await results(
        client,
        {**party, "starts_at": f"{THURSDAY}T09:00:00+09:00"},
        *(renew(10) for _ in range(2)),
        renew(11),
    )
    first, second, third, fourth = (one["booking_id"] for one in made)

    def move(booking_id: str, at: str, **values: Any) -> dict[str, Any]:
        starts_at = f"{FRIDAY}T{at}:00+09:00"
        row = {"verb": "move", "booking_id": booking_id, "site_id": SITE, "starts_at": starts_at}
        return {**row, **values}

    rows = [
        move(first, "09:00"),
        move(second, "09:20"),
        move(second, "10:00"),
        move(third, "09:20"),
        move(fourth, "09:20"),
        move(fourth, "03:00"),
        move(str(new_id()), "09:00"),
        move(third, "09:00", site_id=OTHER_SITE),
        move(first, "09:00"),
    ]
    who = bearer("clerk", once=True)
    found = (await send(client, *rows, who=who)).json()["results"]
    assert [one["code"] for one in found] == [
        None, None, None, None, "slot-taken", "no-such-slot", "no-such-booking", "forbidden",
        None,
    ]  # fmt: skip
    assert len(found[0]["body"]["bookings"]) == 2
    assert found[2]["body"]["starts_at"] == f"{FRIDAY}T10:00:00+09:00"
    assert found[2]["body"]["bookings"][0]["version"] == 3
    told = await events_of(database)
    assert Counter(told)["booking.moved.v1"] == 5
    again = (await send(client, *rows, who=who)).json()["results"]
    assert [one["replayed"] for one in again] == [one["code"] is None for one in found]
    assert await events_of(database) == told
    assert all(booked == accounted for booked, accounted in await counts(database))


async def test_one_of_a_party_moves_alone(client: httpx.AsyncClient, database: Database) -> None:
    family = [case("mother"), case("child")]
    await invite(database, *family)
    at = {"site_id": SITE, "starts_at": f"{THURSDAY}T09:00:00+09:00"}
    (made,) = await results(client, {"verb": "book", "case_ids": ids(family), **at})
    alone = {"verb": "move", "booking_id": made["booking_id"], "together": False, **at}
    (moved,) = await results(client, {**alone, "starts_at": f"{THURSDAY}T09:10:00+09:00"})
    assert [one["case_id"] for one in moved["body"]["bookings"]] == [made["case_id"]]
    assert all(booked == accounted for booked, accounted in await counts(database))


@pytest.mark.parametrize("guard", ["kept", "removed"])
async def test_moves_of_a_batch_share_out_what_is_left(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    if guard == "removed":
        monkeypatch.setattr(moving, "share_out", lambda line, _: [True] * len(line))
        async with database.reader() as conn:
            await conn.execute("ALTER TABLE cell DROP CONSTRAINT never_oversold")
    made = await results(client, *(renew(9 + n // 3, 20 * (n % 3)) for n in range(6)))
    at = f"{FRIDAY}T09:00:00+09:00"
    target = {"verb": "move", "site_id": SITE, "starts_at": at}
    found = await results(client, *({**target, "booking_id": b["booking_id"]} for b in made))
    assert sum(one["code"] is None for one in found) == (2 if guard == "kept" else 6)
