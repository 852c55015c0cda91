"""Who may come in, and what may not be brought along: PINs, My Numbers, fields nobody asked for."""

import logging

import httpx
import pytest

from shared.clock import FixedClock
from shared.db import Database
from shared.ids import new_id
from tests.issuance.support import CENTER, LICENCE, OFFICE, PEOPLE, City, Clerk, ok

PIN = "918273"
MY_NUMBER = "123456789018"


async def everything_stored(database: Database) -> str:
    """All rows of all tables as text."""
    async with database.reader() as conn:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [
            row["row"]
            for table in tables
            for row in await conn.fetch(f'SELECT t::text AS row FROM "{table[0]}" t')
        ]
        bodies = await conn.fetch("SELECT convert_from(data, 'UTF8') AS data FROM outbox")
    return "\n".join([*rows, *(row["data"] for row in bodies)])


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("pin-set", {"confirmed": True, "pin": PIN}),
        ("pin-set", {"confirmed": PIN}),
        ("pin-set", {"pin": PIN}),
        ("pin-set", PIN),
        ("pin-set", {"confirmed": True, "memo": f"PIN {PIN}"}),
        ("identity", {**LICENCE, "pin": PIN}),
        ("identity", {"documents": [{"class": "A", "type": "passport", "number": PIN}]}),
        ("identity", {"documents": [{"class": "A", "type": PIN}]}),
        ("issue", {"pin": PIN}),
        ("renew", {"certificates": ["signing"], "pin": PIN}),
        ("defer", {"reason": "other", "note": PIN}),
        ("pin-set?pin=" + PIN, {"confirmed": True}),
        ("issue?pin=" + PIN, None),
    ],
)
async def test_a_pin_is_refused_and_appears_nowhere(
    city: City, clerk: Clerk, caplog: pytest.LogCaptureFixture, step: str, body: object
) -> None:
    caplog.set_level(logging.DEBUG)
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    before = ok(await clerk.get(f"/v1/visits/{visit_id}"))
    answer = await clerk.step(visit_id, case_id, step, body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["remedy"]
    assert PIN not in answer.text
    assert PIN not in str(answer.headers)
    ours = [record for record in caplog.records if not record.name.startswith("httpx")]
    assert not any(PIN in f"{record.getMessage()} {record.__dict__}" for record in ours)
    assert PIN not in await everything_stored(city.database)
    assert ok(await clerk.get(f"/v1/visits/{visit_id}")) == before


@pytest.mark.parametrize("field", ["counter", "notice_number", "site_id", "extra"])
async def test_a_my_number_is_refused_and_appears_nowhere(
    city: City, clerk: Clerk, field: str
) -> None:
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    if field == "counter":
        answer = await clerk.call(visit_id, MY_NUMBER)
    else:
        body = {"site_id": OFFICE, "notice_number": "A1B-234567", field: MY_NUMBER}
        answer = await clerk.post("/v1/visits", body)
    assert answer.status_code in {403, 422}
    assert MY_NUMBER not in answer.text
    assert MY_NUMBER not in await everything_stored(city.database)


async def test_a_notice_number_is_stored_nowhere(city: City, clerk: Clerk) -> None:
    await city.card(number="A1B-234567")
    ok(await clerk.check_in(notice_number="A1B-234567"))
    stored = await everything_stored(city.database)
    assert "234567" not in stored.replace("-", "")


async def test_another_sites_clerk_reaches_nothing(city: City, client: httpx.AsyncClient) -> None:
    clerk, stranger = Clerk(client), Clerk(client, "elsewhere")
    case_id = await city.card()
    booking = await city.booking(case_id)
    assert (await stranger.check_in(booking_id=booking.booking_id)).status_code == 403
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    answers = [
        await stranger.get(f"/v1/visits/{visit_id}"),
        await stranger.get(f"/v1/sites/{OFFICE}/day"),
        await stranger.call(visit_id),
        await stranger.step(visit_id, case_id, "identity", LICENCE),
        await stranger.step(visit_id, case_id, "pin-set", {"confirmed": True}),
        await stranger.step(visit_id, case_id, "issue"),
        await stranger.step(visit_id, case_id, "renew", {"certificates": ["signing"]}),
        await stranger.step(visit_id, case_id, "defer", {"reason": "other"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert "card.issued.v1" not in await city.types_said()


@pytest.mark.parametrize("name", sorted(set(PEOPLE) - {"clerk", "colleague", "supervisor"}))
async def test_others_cannot_check_in(client: httpx.AsyncClient, name: str) -> None:
    answer = await Clerk(client, name).check_in(booking_id=new_id())
    assert answer.status_code == 403


async def test_without_a_token(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/v1/sites/{OFFICE}/day")
    assert answer.status_code == 401


async def test_a_booking_elsewhere_tells_where(
    city: City, client: httpx.AsyncClient, clock: FixedClock
) -> None:
    booking = await city.booking(await city.card())
    stranger = Clerk(client, "elsewhere")
    answer = await stranger.check_in(CENTER, booking_id=booking.booking_id)
    assert answer.json()["type"] == "urn:madoguchi:problem:booking-elsewhere"


async def test_every_look_is_audited(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    ok(await clerk.get(f"/v1/visits/{visit_id}"))
    ok(await clerk.get(f"/v1/sites/{OFFICE}/day"))
    assert await city.actions() == ["visit.check_in", "visit.read", "day.read"]


async def test_a_check_in_needs_its_key_and_repeats_its_answer(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    body = {"site_id": OFFICE, "booking_id": str(booking.booking_id)}
    bare = await clerk.client.post("/v1/visits", json=body, headers=clerk.headers)
    assert bare.status_code == 400
    key = str(new_id())
    first = await clerk.post("/v1/visits", body, key)
    again = await clerk.post("/v1/visits", body, key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = await clerk.post("/v1/visits", {**body, "booking_id": str(new_id())}, key)
    assert other.json()["type"] == "urn:madoguchi:problem:idempotency-key-reused"


async def test_the_document_describes_every_operation(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert "Open to" in operation["description"], (method, path)
    for body in ("CheckIn", "CallTo", "Identity", "PinSet", "Renewal", "Deferral", "SignOff"):
        assert document["components"]["schemas"][body]["examples"], body
        assert document["components"]["schemas"][body]["additionalProperties"] is False
