"""Names and addresses that the registry corrects: sealed, printed once, never kept of who hides."""

from datetime import UTC, datetime

import httpx
import pytest

from shared.clock import FixedClock
from shared.db import Database
from tests.preparation.integration.test_registry import (
    NEW_WARD,
    addresses,
    change,
    send,
    wait_for_cards,
)
from tests.preparation.integration.test_second_notices import second
from tests.preparation.support import bearer, dump, import_rows, once, to_shelf

OLD, NEW, NEWEST = "川崎市川崎区宮本町1", "川崎市中原区小杉町3-245", "川崎市高津区下作延2-8-1"
NAME = "川崎 \u845b\U000e0100子"
AFTER = datetime(2026, 7, 16, tzinfo=UTC)


def corrected(number: int = 1, address: str = NEW, **fields: object) -> dict[str, object]:
    """A change that says where the citizen lives now."""
    kind = "name_or_address_changed"
    return {**change(number, kind=kind), "name": NAME, "address": address, **fields}


async def released_to_shelf(client: httpx.AsyncClient, case_ids: list[str]) -> None:
    """Clear the holds, and take the lot to its shelf."""
    await client.post("/v1/stages/released", json={"case_ids": case_ids}, headers=bearer())
    await to_shelf(client)


async def notify(client: httpx.AsyncClient, case_ids: list[str]) -> str:
    """Make notices; their batch."""
    made = await client.post("/v1/notices", json={"case_ids": case_ids}, headers=once())
    assert made.status_code == 201, made.text
    return str(made.json()["batch_id"])


async def kept(database: Database) -> tuple[int, int]:
    """How many names and addresses there are, and how many keys that would open one."""
    async with database.reader() as conn:
        return (
            await conn.fetchval("SELECT count(*) FROM sealed_addressee"),
            await conn.fetchval(
                "SELECT count(*) FROM subject_key"
                " WHERE subject LIKE 'addressee:%' AND wrapped IS NOT NULL"
            ),
        )


@pytest.mark.parametrize("kind", ["name_or_address_changed", "moved_within_city"])
async def test_the_first_notice_goes_to_the_corrected_address(
    client: httpx.AsyncClient, database: Database, kind: str
) -> None:
    cases = await import_rows(client, 1, name="前の名", address=OLD)
    ward = NEW_WARD if kind == "moved_within_city" else None
    await send(client, corrected(kind=kind, ward=ward))
    assert NEW not in await dump(database)
    await released_to_shelf(client, cases)
    batch_id = await notify(client, cases)
    assert await addresses(client, batch_id) == {"KC26-000001": NEW}
    await client.post(f"/v1/notices/{batch_id}:printed", headers=bearer())
    assert await kept(database) == (0, 0)


async def test_a_second_notice_goes_to_the_address_corrected_after_the_first(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    cases = await import_rows(client, 2, name=NAME, address=OLD)
    await to_shelf(client)
    first = await notify(client, cases)
    await client.post(f"/v1/notices/{first}:printed", headers=bearer())
    await send(client, corrected())
    await client.post("/v1/stages/released", json={"case_ids": cases}, headers=bearer())
    clock.advance(AFTER - clock.now())
    again = (await second(client, cases)).json()["batch_id"]
    assert await addresses(client, again) == {"KC26-000001": NEW, "KC26-000002": ""}
    batch = (await client.get(f"/v1/notices/{again}", headers=bearer())).json()
    assert (batch["to_print"], batch["address_missing"]) == (2, 1)
    lines = (await client.get(f"/v1/notices/{again}/lines", headers=bearer())).json()["rows"]
    assert [line["addressee"] for line in lines] == ["kept", "missing"]


async def test_the_change_in_effect_last_counts_whenever_it_is_told(
    client: httpx.AsyncClient,
) -> None:
    cases = await import_rows(client, 3, name=NAME, address=OLD)
    late = {"effective_on": "2026-04-12"}
    two, three = {"card_reference": "KC26-000002"}, {"card_reference": "KC26-000003"}
    await send(client, corrected(1, NEWEST, **late))
    await send(client, corrected(2, NEW))
    await send(client, corrected(3, NEW, **two), corrected(4, NEWEST, **two, **late))
    await send(client, corrected(5, NEW, **three))
    await send(client, {**change(6, kind="name_or_address_changed"), **three, **late})
    await released_to_shelf(client, cases)
    found = await addresses(client, await notify(client, cases))
    assert found == {"KC26-000001": NEWEST, "KC26-000002": NEWEST, "KC26-000003": ""}


async def test_a_correction_waits_for_its_card(
    client: httpx.AsyncClient, database: Database
) -> None:
    await send(client, corrected())
    assert NEW not in await dump(database)
    cases = await import_rows(client, 1, name=NAME, address=OLD)
    assert await wait_for_cards(database) == 1
    await released_to_shelf(client, cases)
    assert await addresses(client, await notify(client, cases)) == {"KC26-000001": NEW}


@pytest.mark.parametrize("by_hand", [False, True])
async def test_no_address_is_kept_of_who_is_under_support_measures(
    client: httpx.AsyncClient, database: Database, by_hand: bool
) -> None:
    cases = await import_rows(client, 1, name=NAME, address=OLD)
    if by_hand:
        body = {"case_ids": cases, "reason": "support_measures"}
        await client.post("/v1/stages/held", json=body, headers=bearer())
    else:
        await send(client, change(9, kind="support_measures"))
    assert await kept(database) == (0, 0)
    (result,) = await send(client, corrected(effective_on="2026-04-13"))
    assert result["effect"] == "held"
    assert await kept(database) == (0, 0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "support_measures"}, "takes no name"),
        ({"name": ""}, "go together"),
        ({"address": "a" * 201}, "200"),
    ],
)
async def test_what_does_not_fit_is_refused_without_being_repeated(
    client: httpx.AsyncClient, fields: dict[str, object], said: str
) -> None:
    body = {"changes": [{**corrected(), **fields}]}
    headers = {**once(), "Accept-Language": "en"}
    answer = await client.post("/v1/registry-changes", json=body, headers=headers)
    assert answer.status_code == 422
    assert said in answer.text
    assert NEW not in answer.text
    assert NAME not in answer.text


async def test_a_file_brings_corrections_too(client: httpx.AsyncClient) -> None:
    cases = await import_rows(client, 2)
    file = (
        "change_reference,card_reference,kind,effective_on,name,address\n"
        f"REG-000001,KC26-000001,name_or_address_changed,2026-04-10,{NAME},{NEW}\n"
        f"REG-000002,KC26-000002,died,2026-04-10,{NAME},{NEW}\n"
    )
    answer = await client.post("/v1/registry-changes/files", content=file, headers=bearer())
    assert [r["code"] for r in answer.json()["results"]] == [None, "addressee_not_expected"]
    await released_to_shelf(client, cases)
    found = await addresses(client, await notify(client, cases))
    assert found["KC26-000001"] == NEW
