"""Printed, returned, repeated: what becomes of a notice after it was made."""

import csv
import io
from datetime import UTC, date, datetime
from uuid import UUID

import httpx
import pytest

from services.preparation.domain.addressee import Addressee
from services.preparation.gateways.postcards import drawable
from services.preparation.handlers import addressees
from services.preparation.settings import PreparationSettings
from services.preparation.tools import Tools
from shared.clock import FixedClock
from shared.db import Database
from shared.ids import CaseId
from tests.preparation.integration.test_transfers import booked, notified
from tests.preparation.support import (
    PEOPLE,
    SITE,
    bearer,
    dump,
    events_of,
    hear,
    import_rows,
    kernel_settings,
    once,
    room_doors,
    to_shelf,
    units,
)

AFTER = datetime(2026, 7, 16, 0, 0, tzinfo=UTC)
"""The pickup period of a notice of 14 April has ended."""
NAME = "川崎 𠮷太郎"


async def second(client: httpx.AsyncClient, case_ids: list[str]) -> httpx.Response:
    """Ask for second notices."""
    return await client.post("/v1/notices/second", json={"case_ids": case_ids}, headers=once())


async def numbers(client: httpx.AsyncClient, batch_id: str) -> list[str]:
    """The numbers of a batch as they are printed."""
    text = (await client.get(f"/v1/notices/{batch_id}/print-file", headers=bearer())).text
    return [line.split(",")[1] for line in text.splitlines()[1:]]


async def test_a_second_notice_repeats_the_number_with_a_new_deadline(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    (case_id,) = await import_rows(client, 1)
    await to_shelf(client)
    made = await client.post("/v1/notices", json={"case_ids": [case_id]}, headers=once())
    early = await second(client, [case_id])
    assert early.json()["results"][0]["code"] == "pickup_period_running"
    first = await numbers(client, made.json()["batch_id"])
    clock.advance(AFTER - clock.now())
    answer = await second(client, [case_id])
    assert (answer.status_code, answer.json()["notice_seq"]) == (201, 2)
    assert first == await numbers(client, answer.json()["batch_id"])
    assert (await second(client, [case_id])).json()["results"][0]["outcome"] == "already"
    assert (await events_of(database, case_id)).count("card.notified.v1") == 2


async def test_a_returned_notice_may_be_repeated_at_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id, other = await notified(client, 2)
    body = {"case_ids": [case_id]}
    for outcome in ("done", "already"):
        answer = await client.post("/v1/notices/returns", json=body, headers=bearer())
        assert answer.json()["results"][0]["outcome"] == outcome
    assert (await events_of(database, case_id))[-1] == "card.notice_returned.v1"
    listed = await client.get("/v1/notices/unclaimed", params={"site_id": SITE}, headers=bearer())
    assert [(r["case_id"], r["next"]) for r in listed.json()["rows"]] == [
        (case_id, "second_notice")
    ]
    answer = await second(client, [case_id, other])
    assert [r["outcome"] for r in answer.json()["results"]] == ["done", "refused"]


async def test_whoever_has_a_booking_is_not_reminded(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    (case_id,) = await notified(client, 1)
    clock.advance(AFTER - clock.now())
    await hear(database, booked(case_id, SITE, datetime(2026, 7, 20, 1, tzinfo=UTC)))
    assert (await second(client, [case_id])).json()["results"][0]["code"] == "booked"
    listed = await client.get("/v1/notices/unclaimed", headers=bearer())
    assert listed.json()["rows"] == []


async def addressed(client: httpx.AsyncClient, database: Database) -> str:
    """A batch of one notice whose addressee is known."""
    (case_id,) = await import_rows(client, 1)
    await to_shelf(client)
    tools = Tools.read(kernel_settings(), room_doors(), PreparationSettings())
    async with units(database).begin(PEOPLE["back_office"]) as unit:
        whom = {CaseId(UUID(case_id)): Addressee(NAME, "=川崎市川崎区宮本町1")}
        await addressees.seal(unit.conn, tools.vault, whom)
    made = await client.post("/v1/notices", json={"case_ids": [case_id]}, headers=once())
    return str(made.json()["batch_id"])


async def test_names_and_addresses_go_when_the_batch_is_printed(
    client: httpx.AsyncClient, database: Database
) -> None:
    batch_id = await addressed(client, database)
    path = f"/v1/notices/{batch_id}/print-file"
    before = (await client.get(path, headers=bearer())).text
    assert NAME in before
    assert ",'=川崎市" in before
    assert NAME not in await dump(database)
    for _ in range(2):
        answer = await client.post(f"/v1/notices/{batch_id}:printed", headers=bearer())
        assert answer.json()["printed_at"] is not None
    after = (await client.get(path, headers=bearer())).text
    assert NAME not in after
    (first,), (again,) = (list(csv.DictReader(io.StringIO(text))) for text in (before, after))
    assert first["notice_number"] == again["notice_number"]
    assert set(first) - set(again) == {"name", "address"}
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_addressee") == 0


async def test_postcards_are_pages_with_a_code(
    client: httpx.AsyncClient, database: Database
) -> None:
    batch_id = await addressed(client, database)
    answer = await client.get(
        f"/v1/notices/{batch_id}/print-file", params={"format": "pdf"}, headers=bearer()
    )
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"%PDF-")
    assert answer.content.count(b"/MediaBox [ 0 0 283.4646 419.5276 ]") == 1
    assert b"/Subtype /Form" in answer.content


@pytest.mark.parametrize(
    ("text", "yes"), [("川崎太郎", True), ("𠮷", False), ("葛\U000e0100", False)]
)
def test_what_the_font_draws(text: str, yes: bool) -> None:
    assert drawable(text) is yes


async def test_batches_are_listed_the_newest_first(client: httpx.AsyncClient) -> None:
    case_ids = await import_rows(client, 3)
    await to_shelf(client)
    made = [
        (await client.post("/v1/notices", json={"case_ids": [c]}, headers=once())).json()[
            "batch_id"
        ]
        for c in case_ids
    ]
    page = (await client.get("/v1/notices", params={"limit": 2}, headers=bearer())).json()
    rest = {"cursor": page["next_cursor"]}
    more = (await client.get("/v1/notices", params=rest, headers=bearer())).json()
    assert [b["batch_id"] for b in (*page["items"], *more["items"])] == made[::-1]


async def test_the_deadline_of_a_second_notice_is_the_citys(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    (case_id,) = await notified(client, 1)
    clock.advance(AFTER - clock.now())
    batch_id = (await second(client, [case_id])).json()["batch_id"]
    text = (await client.get(f"/v1/notices/{batch_id}/print-file", headers=bearer())).text
    assert date(2026, 10, 16).isoformat() in text
