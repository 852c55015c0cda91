"""Whom no mail reaches is called: the list, the log of messages, and both as files."""

import csv
import io
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from services.reservation.domain.message import CallReason, Kind, Note, PhoneCall
from services.reservation.handlers import citizens, contacts
from services.reservation.handlers.contacts import Wish
from shared.db import Database
from shared.ids import CaseId, new_id
from tests.reservation.mailbox import TOOLS
from tests.reservation.support import (
    OTHER_SITE,
    PEOPLE,
    SITE,
    THURSDAY,
    bearer,
    case,
    citizen,
    invite,
    tokyo,
    units,
)

PHONE = "0442000000"
MINE, NOBODY = case("mine"), case("nobody")
NINE = tokyo(THURSDAY, 9).isoformat()


@pytest.fixture(autouse=True)
async def news(database: Database) -> None:
    """News for two citizens of the site, one with a telephone, and for one elsewhere."""
    await invite(database, MINE, NOBODY)
    async with units(database).begin(citizen(MINE)) as unit:
        await contacts.put(unit, TOOLS, MINE, Wish(None, PHONE, "ja"))
    async with units(database).begin(PEOPLE["clerk"]) as unit:
        facts = {"starts_at": NINE}
        await citizens.notify(
            unit,
            [
                Note(Kind.CANCELLED, one, "n", unit.now, site_id=site, facts=facts, by_city=True)
                for one, site in ((MINE, SITE), (NOBODY, SITE), (case("far"), OTHER_SITE))
            ],
        )


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> httpx.Response:
    """Ask as a clerk of the site."""
    answer = await client.get(path, params={"site_id": SITE, **query}, headers=bearer("clerk"))
    assert answer.status_code == 200, answer.text
    return answer


async def test_the_list_says_whom_to_call_about_what_and_where(
    client: httpx.AsyncClient, database: Database
) -> None:
    items = {one["case_id"]: one for one in (await get(client, "/v1/phone-list")).json()["items"]}
    assert items.keys() == {str(MINE), str(NOBODY)}
    mine = items[str(MINE)]
    assert (mine["phone"], mine["reason"], mine["about"]) == (PHONE, "no_contact", "cancelled")
    assert mine["visit_at"] == "2026-04-02T09:00:00+09:00"
    assert items[str(NOBODY)]["phone"] is None
    async with database.reader() as conn:
        rows = await conn.fetch("SELECT subject FROM audit_entry WHERE action = 'phone_list.read'")
    assert {row["subject"] for row in rows} == {str(MINE), str(NOBODY)}


async def test_the_list_is_of_ones_own_site(client: httpx.AsyncClient) -> None:
    other = await client.get(
        "/v1/phone-list", params={"site_id": SITE}, headers=bearer("elsewhere")
    )
    everywhere = await client.get("/v1/phone-list", headers=bearer("clerk"))
    assert (other.status_code, everywhere.status_code) == (403, 403)


async def test_pages_of_the_list_follow_each_other(client: httpx.AsyncClient) -> None:
    first = (await get(client, "/v1/phone-list", limit=1)).json()
    second = (await get(client, "/v1/phone-list", limit=1, cursor=first["next_cursor"])).json()
    assert second["next_cursor"] is None
    shown = {one["case_id"] for page in (first, second) for one in page["items"]}
    assert shown == {str(MINE), str(NOBODY)}


async def test_a_call_that_is_made_leaves_the_list(
    client: httpx.AsyncClient, database: Database
) -> None:
    for entry in (await get(client, "/v1/phone-list")).json()["items"]:
        door = f"/v1/phone-list/{entry['entry_id']}:done"
        body = {"outcome": "reached"}
        elsewhere = await client.post(door, json=body, headers=bearer("elsewhere"))
        assert elsewhere.status_code == 403
        for _ in range(2):
            done = await client.post(door, json=body, headers=bearer("clerk"))
            assert done.status_code == 204, done.text
    assert (await get(client, "/v1/phone-list")).json()["items"] == []
    async with database.reader() as conn:
        actions = await conn.fetch("SELECT 1 FROM audit_entry WHERE action = 'phone_list.closed'")
    assert len(actions) == 2
    unknown = await client.post(
        f"/v1/phone-list/{new_id()}:done", json={"outcome": "reached"}, headers=bearer("clerk")
    )
    assert unknown.status_code == 404


async def test_the_list_as_files(client: httpx.AsyncClient) -> None:
    answer = await get(client, "/v1/phone-list", format="csv", limit=1)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["Telephone"] for row in rows} == {PHONE, ""}, "a file has all rows"
    answer = await client.get(
        "/v1/phone-list",
        params={"site_id": SITE, "format": "xlsx"},
        headers={**bearer("clerk"), "Accept-Language": "ja"},
    )
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    titles, *cells = sheet.iter_rows(values_only=True)
    assert "電話番号" in titles
    assert PHONE in [row[titles.index("電話番号")] for row in cells]


async def test_the_log_of_messages_can_be_asked_and_taken_as_a_file(
    client: httpx.AsyncClient,
) -> None:
    items = (await get(client, "/v1/messages", state="not_possible")).json()["items"]
    assert {(one["kind"], one["reason"]) for one in items} == {("cancelled", "no_contact")}
    one = (await get(client, "/v1/messages", case_id=str(MINE))).json()["items"]
    assert [shown["case_id"] for shown in one] == [str(MINE)]
    assert (await get(client, "/v1/messages", state="sent")).json()["items"] == []
    text = (await get(client, "/v1/messages", format="csv")).text
    assert text.splitlines()[0].startswith("Message,About,")
    assert len(text.splitlines()) == 3


async def test_the_same_call_is_listed_once(database: Database) -> None:
    async def add(case_id: CaseId) -> None:
        async with units(database).begin(PEOPLE["clerk"]) as unit:
            call = PhoneCall(case_id, "closure:1", "alternative", CallReason.NO_ANSWER, unit.now)
            await citizens.call(unit, [call])

    for one in (MINE, MINE, NOBODY):
        await add(one)
    async with database.reader() as conn:
        count = await conn.fetchval("SELECT count(*) FROM phone_entry WHERE reason = 'no_answer'")
    assert count == 2
