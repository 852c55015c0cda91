"""Cut-over: cards whose citizens hold a postcard of the system before, and can log in with it."""

import csv
import io
from datetime import UTC, date, datetime

import httpx

from services.preparation.domain.lot_file import COLUMNS, OPTIONAL, STOCK
from shared.clock import FixedClock
from shared.contracts.preparation import CardNotified
from shared.db import Database
from shared.security.blind_index import BlindIndex
from shared.settings import key_ring
from tests.preparation.integration.test_facts import issued
from tests.preparation.integration.test_second_notices import second
from tests.preparation.support import (
    SITE,
    bearer,
    dump,
    events_of,
    hear,
    import_rows,
    kernel_settings,
    lot_csv,
    once,
    row,
    to_shelf,
)

ALL = (*COLUMNS, *OPTIONAL, *STOCK)
NUMBER = "K7Q-204816"
BORN = date(1961, 7, 9)
AFTER = datetime(2026, 7, 16, tzinfo=UTC)


def notified(number: int = 1, **cells: object) -> dict[str, str]:
    """A row of the opening stock whose citizen has a postcard."""
    told = {
        "stage": "notified",
        "site_id": SITE,
        "shelf": "A",
        "notice_number": NUMBER,
        "pickup_deadline": "2026-06-30",
        "birth_date": BORN,
    }
    empty = dict.fromkeys((*OPTIONAL, *STOCK), "")
    return {**empty, **row(number), **{k: str(v) for k, v in {**told, **cells}.items()}}


async def bring(client: httpx.AsyncClient, *rows: dict[str, str], **mode: bool) -> httpx.Response:
    """Send opening stock."""
    query = {"opening_stock": True, **mode}
    body = lot_csv(rows, columns=ALL)
    return await client.post("/v1/lots", content=body, params=query, headers=bearer("supervisor"))


async def told(database: Database, case_id: str) -> list[CardNotified]:
    """The notices told of a case."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT data FROM outbox WHERE type = 'card.notified.v1' AND subject = $1"
            " ORDER BY xid, pos",
            case_id,
        )
    return [CardNotified.model_validate_json(found["data"]) for found in rows]


async def test_who_holds_an_old_postcard_can_log_in(
    client: httpx.AsyncClient, database: Database
) -> None:
    answer = await bring(client, notified())
    assert answer.status_code == 201, answer.text
    case_id = answer.json()["results"][0]["case_id"]
    card = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    assert (card["stage"], card["site_id"]) == ("notified", SITE)
    assert (await events_of(database, case_id))[-2:] == ["card.shelved.v1", "card.notified.v1"]
    (notice,) = await told(database, case_id)
    index = BlindIndex(key_ring(kernel_settings().notice_keys, "NOTICE_KEYS"))
    assert notice.number_key == index.number_key(NUMBER).value
    assert notice.login_key == index.login_key(NUMBER, BORN).value
    assert (notice.notice_seq, notice.pickup_deadline) == (1, date(2026, 6, 30))
    kept = await dump(database)
    assert NUMBER not in kept
    assert NUMBER.replace("-", "") not in kept
    assert BORN.isoformat() not in kept


async def test_an_old_number_is_not_printed_and_the_second_notice_has_its_own(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    case_id = (await bring(client, notified())).json()["results"][0]["case_id"]
    (batch,) = (await client.get("/v1/notices", headers=bearer())).json()["items"]
    assert batch["printed_at"] is not None
    path = f"/v1/notices/{batch['batch_id']}"
    nothing = await client.get(f"{path}/print-file", headers=bearer())
    assert nothing.json()["type"] == "urn:madoguchi:problem:nothing-to-print"
    lines = (await client.get(f"{path}/lines", headers=bearer())).json()["rows"]
    assert [(line["state"], line["reason"]) for line in lines] == [("printed", "foreign_number")]
    clock.advance(AFTER - clock.now())
    again = await second(client, [case_id])
    assert again.status_code == 201, again.text
    first, last = await told(database, case_id)
    assert first.number_key != last.number_key
    assert last.notice_seq == 2
    text = await client.get(f"/v1/notices/{again.json()['batch_id']}/print-file", headers=bearer())
    (line,) = csv.DictReader(io.StringIO(text.text))
    index = BlindIndex(key_ring(kernel_settings().notice_keys, "NOTICE_KEYS"))
    assert index.login_key(line["notice_number"], BORN).value == last.login_key
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_birth_date") == 0


async def test_the_birth_date_goes_with_the_case_and_with_the_last_notice(
    client: httpx.AsyncClient, database: Database
) -> None:
    rows = (notified(1), notified(2, notice_number="AAA-000002", notice_seq=2))
    found = (await bring(client, *rows)).json()["results"]
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_birth_date") == 1
    await hear(database, issued(found[0]["case_id"]))
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_birth_date") == 0
    assert (await told(database, found[1]["case_id"]))[0].notice_seq == 2


async def test_a_number_belongs_to_one_case(client: httpx.AsyncClient, database: Database) -> None:
    cases = await import_rows(client, 1)
    await to_shelf(client)
    made = await client.post("/v1/notices", json={"case_ids": cases}, headers=once())
    text = await client.get(f"{made.headers['location']}/print-file", headers=bearer())
    (line,) = csv.DictReader(io.StringIO(text.text))
    rows = (
        notified(2, notice_number=line["notice_number"].replace("-", "")),
        notified(3),
        notified(4, notice_number=NUMBER.replace("-", "")),
        notified(5, notice_number="12-34"),
        notified(6, notice_number=""),
        notified(7, stage="shelved"),
    )
    wanted = [
        (2, "duplicate_number", "notice_number"),
        (3, None, None),
        (4, "duplicate_in_file", "notice_number"),
        (5, "malformed", "notice_number"),
        (6, "required", "notice_number"),
        (7, "not_expected", "notice_number"),
    ]
    for mode in ({"dry_run": True}, {}):
        answer = await bring(client, *rows, **mode)
        assert [(r["line"], r["code"], r["field"]) for r in answer.json()["results"]] == wanted


async def test_cards_notified_elsewhere_take_nothing_from_todays_pace(
    client: httpx.AsyncClient,
) -> None:
    await bring(client, notified())
    pace = (await client.get(f"/v1/notices/paces/{SITE}", headers=bearer())).json()
    assert (pace["invited"], pace["sent_today"]) == (1, 0)
