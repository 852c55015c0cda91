"""Lot files in all their ways: whole or not, in the background, at cut-over, long, and broken."""

import asyncio
from datetime import date

import httpx
import pytest

from services.preparation.domain import slices
from services.preparation.domain.lot_file import COLUMNS, OPTIONAL
from services.preparation.handlers import uploads
from services.preparation.settings import PreparationSettings
from services.preparation.tools import Tools
from shared.db import Database
from shared.security.my_number import check_digit
from shared.security.principal import Principal
from tests.preparation.support import (
    SITE,
    bearer,
    days_of_stages_agree,
    dump,
    events_of,
    kernel_settings,
    lot_csv,
    room_doors,
    row,
    units,
)
from tests.support.sizes import proof_size

ELEVEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
MY_NUMBER = "".join(map(str, [*ELEVEN, check_digit(ELEVEN)]))
STOCK = (*COLUMNS, *OPTIONAL, "stage", "site_id", "shelf")


async def post(
    client: httpx.AsyncClient, body: bytes, who: str = "back_office", **mode: bool
) -> httpx.Response:
    """Send a lot file."""
    return await client.post("/v1/lots", content=body, params=mode, headers=bearer(who))


async def take_slices(database: Database, most: int = 1_000) -> int:
    """Do what is due; how many slices were taken."""
    tools = Tools.read(kernel_settings(), room_doors(), PreparationSettings())
    for done in range(most):
        async with units(database).begin(Principal.system("preparation")) as unit:
            if not await uploads.work(tools)(unit):
                return done
    return most


def stock(number: int, stage: str, **cells: object) -> dict[str, str]:
    """A row of the opening stock."""
    empty = dict.fromkeys((*OPTIONAL, "site_id", "shelf"), "")
    return {**row(number), **empty, "stage": stage, **{k: str(v) for k, v in cells.items()}}


async def test_all_or_nothing_leaves_nothing(client: httpx.AsyncClient, database: Database) -> None:
    await post(client, lot_csv([row(1)]))
    before = await dump(database)
    body = lot_csv([row(2), row(1), row(3, ward="1")])
    answer = await post(client, body, whole=True)
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:madoguchi:problem:lot-rows-refused"
    assert [(r["line"], r["code"]) for r in answer.json()["results"]] == [
        (3, "duplicate_card"),
        (4, "malformed"),
    ]
    assert await dump(database) == before
    good = await post(client, lot_csv([row(2), row(3)]), whole=True)
    assert (good.status_code, good.json()["accepted"]) == (201, 2)


async def test_optional_columns_are_sealed_or_told(
    client: httpx.AsyncClient, database: Database
) -> None:
    cells = {"old_card_expires_on": date(2026, 6, 1), "name": "川崎　花子", "address": "堤根1"}
    body = lot_csv([row(1, **cells)], columns=(*COLUMNS, *OPTIONAL))
    answer = await post(client, body)
    assert answer.json()["accepted"] == 1, answer.text
    case_id = answer.json()["results"][0]["case_id"]
    card = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    assert card["old_card_expires_on"] == "2026-06-01"
    kept = await dump(database)
    assert "花子" not in kept
    assert "堤根" not in kept
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_addressee") == 1
        told = await conn.fetchval("SELECT data FROM outbox WHERE type = 'card.received.v1'")
    assert b"2026-06-01" in told
    await client.post(
        f"/v1/cards/{case_id}/stages/voided", json={"reason": "other"}, headers=bearer()
    )
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_addressee") == 0


async def test_opening_stock_comes_with_stage_and_shelf(
    client: httpx.AsyncClient, database: Database
) -> None:
    rows = [
        stock(1, "received"),
        stock(2, "preset"),
        stock(3, "shelved", site_id=SITE, shelf="B"),
        stock(4, "shelved"),
        stock(5, "inspected", site_id=SITE),
        stock(6, "issued", site_id=SITE, shelf="B"),
    ]
    body = lot_csv(rows, columns=STOCK)
    refused = await post(client, body, opening_stock=True)
    assert (refused.status_code, refused.json()["roles"]) == (403, ["supervisor"])
    answer = await post(client, body, "supervisor", opening_stock=True)
    assert answer.status_code == 201, answer.text
    results = answer.json()["results"]
    assert [(r["code"], r["field"]) for r in results] == [
        (None, None),
        (None, None),
        (None, None),
        ("required", "site_id"),
        ("not_expected", "site_id"),
        ("malformed", "stage"),
    ]
    places = {}
    for result in results[:3]:
        card = (await client.get(f"/v1/cards/{result['case_id']}", headers=bearer())).json()
        places[card["stage"]] = (card["site_id"], card["shelf_position"])
    assert places["received"] == places["preset"] == (None, None)
    assert places["shelved"][0] == SITE
    assert (await events_of(database, results[2]["case_id"]))[3:] == [
        "card.received.v1",
        "card.inspected.v1",
        "card.registry_checked.v1",
        "card.preset.v1",
        "card.shelved.v1",
    ]
    assert await days_of_stages_agree(database)


async def test_stage_columns_belong_to_opening_stock_alone(client: httpx.AsyncClient) -> None:
    answer = await post(client, lot_csv([stock(1, "preset")], columns=STOCK))
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["stage", "site_id", "shelf"]


async def test_a_long_file_is_taken_in_slices_and_shows_how_far_it_is(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "ROWS", 50)
    rows = [row(n, kind="" if n % 10 == 0 else "new") for n in range(1, 171)]
    rows[3]["card_reference"] = MY_NUMBER
    body = lot_csv(rows)
    accepted = await post(client, body, background=True)
    assert accepted.status_code == 202, accepted.text
    path = accepted.headers["location"]
    kept = await dump(database)
    assert MY_NUMBER not in kept
    assert "KC26-000001" not in kept
    seen = []
    for _ in range(5):
        job = (await client.get(path, headers=bearer("auditor"))).json()
        seen.append((job["state"], job["rows_done"], job["rejected"]))
        await take_slices(database, 1)
    assert seen == [
        ("running", 0, 0),
        ("running", 50, 6),
        ("running", 100, 11),
        ("running", 150, 16),
        ("done", 170, 18),
    ]
    again = await post(client, body, background=True)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert await take_slices(database) == 0
    assert (await events_of(database)).count("card.received.v1") == 152
    bad = await client.get(
        f"{path}/rows", params={"rejected": True, "format": "csv"}, headers=bearer()
    )
    assert len(bad.text.splitlines()) == 19
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM lot_slice") == 0
        gone = "SELECT erased_at IS NOT NULL FROM subject_key WHERE subject LIKE 'lot-import:%'"
        assert await conn.fetchval(gone)


async def test_slices_taken_by_several_at_once_are_each_taken_once_and_counted_together(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "ROWS", 20)
    manifest = b"lot,cards,shipped_on\nL2026-0412,241,2026-04-10\n"
    await client.post("/v1/manifests", content=manifest, headers=bearer())
    rows = [row(n) for n in range(1, 241)]
    accepted = await post(client, lot_csv(rows), background=True)
    while sum(await asyncio.gather(*(take_slices(database, 1) for _ in range(5)))):
        pass
    job = (await client.get(accepted.headers["location"], headers=bearer())).json()
    assert (job["state"], job["rows_done"], job["accepted"]) == ("done", 240, 240)
    assert (await events_of(database)).count("card.received.v1") == 240
    (open_,) = (await client.get("/v1/discrepancies", headers=bearer())).json()["items"]
    assert (open_["expected"], open_["found"]) == (241, 240)


async def test_a_slice_that_fails_stays_due_and_nothing_of_it_is_kept(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "ROWS", 10)
    await post(client, lot_csv([row(n) for n in range(1, 31)]), background=True)
    await take_slices(database, 1)

    async def crash(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr("services.preparation.store.slices.drop", crash)
        with pytest.raises(ConnectionResetError):
            await take_slices(database, 1)
    assert (await events_of(database)).count("card.received.v1") == 10
    assert await take_slices(database) == 2
    assert (await events_of(database)).count("card.received.v1") == 30


async def test_megabytes_of_garbage_get_a_clear_answer(
    client: httpx.AsyncClient, database: Database
) -> None:
    before = await dump(database)
    garbage = bytes(range(1, 256)) * (proof_size(20, 200) * 1024 * 1024 // 255)
    answer = await post(client, garbage)
    assert (answer.status_code, answer.json()["type"]) == (
        413,
        "urn:madoguchi:problem:too-large",
    )
    for body, slug in (
        (garbage[: 15 * 1024 * 1024], "lot-file-unreadable"),
        (b"x" * 15 * 1024 * 1024, "lot-file-unreadable"),
        (b"lot,row\n" * 1_000_000, "lot-file-columns"),
        (lot_csv([row(n) for n in range(1, 40)])[:-60] + b',"x', "lot-file-unreadable"),
    ):
        for background in (False, True):
            answer = await post(client, body, background=background)
            assert (answer.status_code, answer.json()["type"]) == (
                422,
                f"urn:madoguchi:problem:{slug}",
            )
    assert await dump(database) == before


async def test_a_truncated_file_loses_only_the_row_that_is_cut(client: httpx.AsyncClient) -> None:
    answer = await post(client, lot_csv([row(n) for n in range(1, 6)])[:-30])
    codes = [(r["line"], r["code"]) for r in answer.json()["results"]]
    assert codes == [(2, None), (3, None), (4, None), (5, None), (6, "wrong_cell_count")]
