"""What is printed of a batch: nobody whose card was held or whose case is over, and it adds up."""

import csv
import io

import httpx
import pytest

from services.preparation.domain.printing import LeftOut, left_out
from services.preparation.domain.stages import Stage
from shared.db import Database
from tests.preparation.integration.test_facts import issued
from tests.preparation.support import bearer, hear, import_rows, once, to_shelf

CARDS = [f"KC26-{number:06d}" for number in range(1, 5)]


async def made(client: httpx.AsyncClient) -> tuple[list[str], str]:
    """Four notified cards, and their batch."""
    cases = await import_rows(client, 4, name="川崎 太郎", address="川崎市川崎区宮本町1")
    await to_shelf(client)
    answer = await client.post("/v1/notices", json={"case_ids": cases}, headers=once())
    return cases, answer.json()["batch_id"]


async def overtaken(client: httpx.AsyncClient, database: Database) -> tuple[list[str], str]:
    """The same; then the second is held, the third voided and the fourth issued."""
    cases, batch_id = await made(client)
    hold = {"case_ids": cases[1:2], "reason": "registry_mismatch"}
    assert (await client.post("/v1/stages/held", json=hold, headers=bearer())).json()["done"] == 1
    void = {"case_ids": cases[2:3], "reason": "died"}
    assert (await client.post("/v1/stages/voided", json=void, headers=bearer())).json()["done"] == 1
    await hear(database, issued(cases[3]))
    return cases, batch_id


async def file(client: httpx.AsyncClient, batch_id: str, **params: str) -> httpx.Response:
    """The print file."""
    return await client.get(f"/v1/notices/{batch_id}/print-file", params=params, headers=bearer())


def cards(answer: httpx.Response) -> list[str]:
    """The cards of a CSV."""
    return [row["card_reference"] for row in csv.DictReader(io.StringIO(answer.text))]


async def counts(client: httpx.AsyncClient, batch_id: str) -> tuple[int, int, int]:
    """To print, printed, left out."""
    batch = (await client.get(f"/v1/notices/{batch_id}", headers=bearer())).json()
    assert batch["to_print"] + batch["printed"] + batch["left_out"] == batch["notices"] == 4
    return batch["to_print"], batch["printed"], batch["left_out"]


async def test_who_was_held_or_whose_case_is_over_is_not_printed(
    client: httpx.AsyncClient, database: Database
) -> None:
    _, batch_id = await overtaken(client, database)
    answer = await file(client, batch_id)
    assert cards(answer) == CARDS[:1]
    assert (answer.headers["notice-count"], answer.headers["notice-left-out"]) == ("1", "3")
    pdf = await file(client, batch_id, format="pdf")
    assert pdf.content.count(b"/MediaBox") == 1
    assert await counts(client, batch_id) == (1, 0, 3)
    lines = await client.get(f"/v1/notices/{batch_id}/lines", headers=bearer())
    assert {(r["card_reference"], r["state"], r["reason"]) for r in lines.json()["rows"]} == {
        (CARDS[0], "to_print", None),
        (CARDS[1], "left_out", "held"),
        (CARDS[2], "left_out", "voided"),
        (CARDS[3], "left_out", "issued"),
    }


async def test_the_printers_count_has_to_agree(
    client: httpx.AsyncClient, database: Database
) -> None:
    cases, batch_id = await made(client)
    path = f"/v1/notices/{batch_id}:printed"
    hold = {"case_ids": cases[1:2], "reason": "registry_mismatch"}
    await client.post("/v1/stages/held", json=hold, headers=bearer())
    wrong = await client.post(path, json={"notices": 4}, headers=bearer())
    assert wrong.status_code == 409
    assert (wrong.json()["expected"], wrong.json()["left_out"]) == (3, 1)
    for _ in range(2):
        right = await client.post(path, json={"notices": 3}, headers=bearer())
        assert right.status_code == 200, right.text
    assert await counts(client, batch_id) == (0, 3, 1)
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_addressee") == 1


async def test_what_was_left_out_is_printed_once_it_goes_on(client: httpx.AsyncClient) -> None:
    cases, batch_id = await made(client)
    path = f"/v1/notices/{batch_id}:printed"
    hold = {"case_ids": cases[1:2], "reason": "registry_mismatch"}
    await client.post("/v1/stages/held", json=hold, headers=bearer())
    await client.post(path, headers=bearer())
    nothing = await file(client, batch_id, only="unprinted")
    assert (nothing.status_code, nothing.json()["type"]) == (
        409,
        "urn:madoguchi:problem:nothing-to-print",
    )
    await client.post("/v1/stages/released", json={"case_ids": cases[1:2]}, headers=bearer())
    late = await file(client, batch_id, only="unprinted")
    assert cards(late) == CARDS[1:2]
    assert "川崎市" in late.text
    await client.post(path, json={"notices": 1}, headers=bearer())
    assert await counts(client, batch_id) == (0, 4, 0)
    assert len(cards(await file(client, batch_id))) == 4


@pytest.mark.parametrize("stage", [Stage.ISSUED, Stage.VOIDED, Stage.DISPOSAL_DUE, Stage.DISPOSED])
def test_every_end_has_a_reason(stage: Stage) -> None:
    assert left_out(stage, held=False, repeated=False) == LeftOut(stage.value)


def test_a_repeated_notice_is_not_printed_with_its_old_deadline() -> None:
    assert left_out(Stage.NOTIFIED, held=False, repeated=True) is LeftOut.REPEATED
    assert left_out(Stage.NOTIFIED, held=True, repeated=True) is LeftOut.HELD
    assert left_out(Stage.NOTIFIED, held=False, repeated=False) is None
