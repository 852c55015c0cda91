"""From the lot file to the notice over HTTP: states, events, and what is kept of a birth date."""

import csv
import io
from datetime import date

import httpx
import pytest

from shared.contracts.preparation import CardNotified
from shared.db import Database
from shared.security.blind_index import BlindIndex
from simulation.lots import draw_lot, write_csv
from tests.preparation.support import (
    MORNING,
    SITE,
    bearer,
    days_of_stages_agree,
    dump,
    events_of,
    import_rows,
    once,
    row,
    to_shelf,
)
from tests.support.sizes import proof_size

LOT = {"lot_id": "L2026-0412"}
WAY = (
    "case.opened.v1",
    "card.applied.v1",
    "card.shipped.v1",
    "card.received.v1",
    "card.inspected.v1",
    "card.registry_checked.v1",
    "card.preset.v1",
    "card.shelved.v1",
    "card.notified.v1",
)


async def test_a_lot_goes_from_file_to_notice(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id, *_ = await import_rows(client, 3)
    await to_shelf(client)
    made = await client.post("/v1/notices", json=LOT, headers=once())

    assert made.status_code == 201, made.text
    assert made.json()["notices"] == made.json()["done"] == 3
    batch = made.headers["location"]
    assert (await client.get(batch, headers=bearer())).json()["notices"] == 3
    assert await events_of(database, case_id) == list(WAY)
    card = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    assert (card["stage"], card["site_id"], card["shelf_position"]) == ("notified", SITE, "A-00001")


MONTH = proof_size(300, 20_959)
"""Cards of July of FY R7, the city's greatest month (plan, table of demand)."""
LOT_SIZE = proof_size(100, 2_000)
SHIPPED = date(2026, 4, 10)


@pytest.mark.proof
async def test_a_month_goes_from_lots_to_notices_and_every_card_is_where_it_is_said_to_be(
    client: httpx.AsyncClient, database: Database
) -> None:
    sizes = [min(LOT_SIZE, MONTH - first) for first in range(0, MONTH, LOT_SIZE)]
    for number, size in enumerate(sizes):
        lot = {"lot_id": f"M{number:04d}"}
        body = write_csv(draw_lot(lot["lot_id"], size, SHIPPED))
        answer = await client.post("/v1/lots?results=refused", content=body, headers=bearer())
        assert answer.json()["accepted"] == size, answer.text
        for stage in ("inspected", "registry_checked", "preset"):
            await bulk(client, f"/v1/stages/{stage}", lot, size)
        await bulk(client, "/v1/stages/shelved", {**lot, "site_id": SITE}, size)
        await bulk(client, "/v1/notices", lot, size)
    async with database.reader() as conn:
        told = await conn.fetch("SELECT type, count(*) FROM outbox GROUP BY type")
        assert {row["type"]: row["count"] for row in told} == dict.fromkeys(WAY, MONTH)
        assert await conn.fetchval("SELECT count(DISTINCT number_key) FROM notice") == MONTH
        assert await conn.fetchval("SELECT count(DISTINCT login_key) FROM notice") == MONTH
        assert await conn.fetchval("SELECT count(DISTINCT shelf_position) FROM card") == MONTH
        assert await conn.fetchval("SELECT count(*) FROM sealed_birth_date") == 0
    shelves = (await client.get(f"/v1/shelves?site_id={SITE}", headers=bearer())).json()["items"]
    assert sum(shelf["cards"] for shelf in shelves) == MONTH
    assert await days_of_stages_agree(database)


async def bulk(client: httpx.AsyncClient, path: str, body: dict[str, str], size: int) -> None:
    """Take a lot one step further, every card of it."""
    answer = await client.post(f"{path}?results=refused", json=body, headers=once())
    assert answer.json()["done"] == size, answer.text


async def test_the_printed_number_is_the_one_that_was_told(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    await to_shelf(client)
    printed = await print_notices(client)

    async with database.reader() as conn:
        data = await conn.fetchval("SELECT data FROM outbox WHERE type = $1", CardNotified.type)
    told = CardNotified.model_validate_json(data)
    index = BlindIndex({"n1": bytes([1]) * 32})
    number = printed[0]["notice_number"]
    born = MORNING.date().fromisoformat(row(1)["birth_date"])
    assert str(told.case_id) == case_id
    assert told.number_key == index.number_key(number).value
    assert told.login_key == index.login_key(number, born).value
    assert (told.key_id, told.notice_seq, told.site_id) == ("n1", 1, SITE)
    assert printed[0]["pickup_deadline"] == told.pickup_deadline.isoformat() == "2026-07-14"


async def test_neither_birth_date_nor_number_is_kept(
    client: httpx.AsyncClient, database: Database
) -> None:
    await import_rows(client, 1)
    born = row(1)["birth_date"]
    assert born not in await dump(database)
    await to_shelf(client)
    (line,) = await print_notices(client)

    kept = await dump(database)
    assert born not in kept
    assert line["notice_number"] not in kept
    assert line["notice_number"].replace("-", "") not in kept
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_birth_date") == 0
        assert (
            await conn.fetchval("SELECT count(*) FROM subject_key WHERE wrapped IS NOT NULL") == 0
        )


async def test_each_act_is_audited_for_each_case(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    await to_shelf(client)
    await print_notices(client)
    await client.get(f"/v1/cards/{case_id}", headers=bearer("auditor"))
    async with database.reader() as conn:
        entries = await conn.fetch(
            "SELECT actor, action FROM audit_entry WHERE subject = $1 ORDER BY pos", case_id
        )
    assert [tuple(entry) for entry in entries] == [
        ("staff:b", "card.received"),
        ("staff:b", "card.inspected"),
        ("staff:b", "card.registry_checked"),
        ("staff:b", "card.preset"),
        ("staff:b", "card.shelved"),
        ("staff:b", "card.notified"),
        ("staff:b", "notice.print"),
        ("staff:a", "card.read"),
    ]


async def print_notices(client: httpx.AsyncClient) -> list[dict[str, str]]:
    """Make the notices of the lot and read their print file."""
    made = await client.post("/v1/notices", json=LOT, headers=once())
    assert made.status_code == 201, made.text
    answer = await client.get(f"{made.headers['location']}/print-file", headers=bearer())
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    return list(csv.DictReader(io.StringIO(answer.text)))
