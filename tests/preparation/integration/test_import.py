"""Importing lot files: what is taken, what is not, and that nothing happens twice."""

import logging

import httpx
import pytest

from services.preparation.domain.lot_file import COLUMNS
from shared.db import Database
from shared.security.my_number import check_digit
from tests.preparation.support import bearer, dump, events_of, lot_csv, row

ELEVEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
MY_NUMBER = "".join(map(str, [*ELEVEN, check_digit(ELEVEN)]))


async def post(
    client: httpx.AsyncClient, body: bytes, *, dry_run: bool = False, language: str = "en"
) -> httpx.Response:
    """Send a lot file."""
    return await client.post(
        "/v1/lots",
        content=body,
        params={"dry_run": dry_run},
        headers=bearer(**{"Content-Type": "text/csv", "Accept-Language": language}),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
async def test_each_encoding_is_imported(client: httpx.AsyncClient, encoding: str) -> None:
    body = lot_csv([row(1), row(2, kind="更新")]).decode().encode(encoding)
    answer = await post(client, body)
    assert answer.status_code == 201
    outcomes = [(r["outcome"], r["code"], r["field"]) for r in answer.json()["results"]]
    assert outcomes == [("accepted", None, None), ("rejected", "malformed", "kind")]


async def test_a_result_names_line_row_and_remedy(client: httpx.AsyncClient) -> None:
    body = lot_csv([row(7, ward="141312")])
    (result,) = (await post(client, body, language="ja")).json()["results"]
    assert (result["line"], result["row"], result["lot_id"]) == (2, 7, "L2026-0412")
    assert result["message"] == "ward の形式が正しくありません。"
    assert "区コード" in result["remedy"]
    assert result["case_id"] is None


async def test_wrong_columns_are_named(client: httpx.AsyncClient) -> None:
    columns = [*COLUMNS[:-1], "phone"]
    answer = await post(client, (",".join(columns) + "\n").encode())
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:madoguchi:problem:lot-file-columns"
    assert [error["field"] for error in answer.json()["errors"]] == ["birth_date", "phone"]


async def test_the_same_file_gets_the_first_result_and_changes_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    body = lot_csv([row(1), row(2, ward="1")])
    first, told = await post(client, body), await events_of(database)
    again = await post(client, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert await events_of(database) == told


async def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    await post(client, lot_csv([row(1)]))
    before = await dump(database)
    body = lot_csv([row(1), row(1, card_reference="KC26-000099"), row(2), row(3, kind="")])
    answer = await post(client, body, dry_run=True)
    assert answer.status_code == 200
    assert answer.json()["import_id"] is None
    codes = [result["code"] for result in answer.json()["results"]]
    assert codes == ["duplicate_card", "duplicate_in_file", None, "required"]
    assert await dump(database) == before

    imported = await post(client, body)
    assert imported.status_code == 201
    assert [result["code"] for result in imported.json()["results"]] == codes


async def test_a_known_card_and_a_known_place_are_left_out(client: httpx.AsyncClient) -> None:
    await post(client, lot_csv([row(1)]))
    body = lot_csv([row(2, card_reference="KC26-000001"), row(1, card_reference="KC26-000077")])
    results = (await post(client, body)).json()["results"]
    assert [(r["code"], r["field"]) for r in results] == [
        ("duplicate_card", "card_reference"),
        ("duplicate_row", "row"),
    ]


async def test_a_my_number_quarantines_its_row_and_is_written_nowhere(
    client: httpx.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hidden = [(column, form) for column in COLUMNS for form in ("{}", "{} 様", "x{}")]
    bad = [row(n, **{c: f.format(MY_NUMBER)}) for n, (c, f) in enumerate(hidden, 1)]
    answer = await post(client, lot_csv([*bad, row(99)]))
    *quarantined, good = answer.json()["results"]
    assert good["outcome"] == "accepted"
    assert [(r["code"], r["field"]) for r in quarantined] == [("my_number", c) for c, _ in hidden]
    assert {r["case_id"] for r in quarantined} == {None}
    kept = await dump(database)
    for place in (answer.text, caplog.text, kept):
        assert MY_NUMBER not in place
    assert "KC26-000001" not in kept


async def test_a_lot_shows_its_cards_and_every_row(client: httpx.AsyncClient) -> None:
    await post(client, lot_csv([row(n, kind="" if n == 2 else "new") for n in range(1, 6)]))
    await post(client, lot_csv([row(2)]))
    lot = (await client.get("/v1/lots/L2026-0412", headers=bearer())).json()
    assert (lot["accepted"], lot["rejected"], lot["stages"]) == (5, 1, {"received": 5})

    seen: list[tuple[int, str]] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        params = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        page = await client.get("/v1/lots/L2026-0412/rows", params=params, headers=bearer())
        seen += [(item["line"], item["outcome"]) for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert seen == [
        (2, "accepted"),
        (3, "rejected"),
        (4, "accepted"),
        (5, "accepted"),
        (6, "accepted"),
        (2, "accepted"),
    ]


async def test_lots_come_newest_first_in_pages(client: httpx.AsyncClient) -> None:
    for number in range(1, 4):
        await post(client, lot_csv([row(number, lot=f"L{number}")]))
    first = (await client.get("/v1/lots", params={"limit": 2}, headers=bearer())).json()
    params = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await client.get("/v1/lots", params=params, headers=bearer())).json()
    lots = [lot["lot_id"] for lot in (*first["items"], *second["items"])]
    assert lots == ["L3", "L2", "L1"]
    assert second["next_cursor"] is None


async def test_an_unknown_lot_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("/v1/lots/L9", "/v1/lots/L9/rows"):
        answer = await client.get(path, headers=bearer())
        assert (answer.status_code, answer.json()["type"]) == (
            404,
            "urn:madoguchi:problem:lot-unknown",
        )


async def test_an_expiry_against_the_rule_is_taken_and_told(client: httpx.AsyncClient) -> None:
    right = row(1, birth_date="1986-05-14", card_expires_on="2035-05-14")
    rows = [
        right,
        {**row(2), **{k: right[k] for k in ("birth_date",)}, "card_expires_on": "2036-05-14"},
        {**row(3), **{k: right[k] for k in ("birth_date",)}, "card_expires_on": "2027-03-31"},
        {**right, **{k: row(4)[k] for k in ("row", "card_reference")}, "kind": "next_generation"},
    ]
    tried = await client.post(
        "/v1/lots", content=lot_csv(rows), params={"dry_run": True}, headers=bearer()
    )
    answer = await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())
    again = await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())
    for found in (tried.json(), answer.json(), again.json()):
        assert (found["accepted"], found["warned"]) == (4, 3)
        assert [[w["code"] for w in r["warnings"]] for r in found["results"]] == [
            [],
            ["expires_late"],
            ["expires_early"],
            ["not_yet_next_generation"],
        ]
    path = f"/v1/imports/{answer.json()['import_id']}"
    job = (await client.get(path, headers=bearer())).json()
    assert (job["rejected"], job["warned"]) == (0, 3)
    odd = await client.get(
        f"{path}/rows", params={"warned": True, "format": "csv"}, headers=bearer()
    )
    assert len(odd.text.splitlines()) == 4
    assert "expires_late" in odd.text
