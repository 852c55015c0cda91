"""Dead letters over HTTP: systems list, see, replay and discard them; nobody else does."""

import httpx
import pytest

from shared.db import Database
from tests.support.http import MakeClient, bearer

SYSTEM = bearer("system")
LIST = "/v1/dead-letters"


@pytest.fixture
async def client(make_client: MakeClient, kernel_database: Database) -> httpx.AsyncClient:
    async with kernel_database.transaction() as conn:
        await conn.execute(
            """INSERT INTO parked (consumer, subject, event_id, topic, partition, offset_, headers,
                                   value, attempt, dead, reason)
               SELECT 'test', 'case-' || k, gen_random_uuid(), 't', k, n,
                      '{"ce_type": "test.v1"}', '', CASE n WHEN 1 THEN 4 ELSE 0 END, n = 1, 'why'
               FROM generate_series(1, 3) k, generate_series(1, 3) n ORDER BY k, n"""
        )
    return await make_client(access={}, database=kernel_database)


async def _ids(client: httpx.AsyncClient) -> list[int]:
    answer = await client.get(LIST, headers=SYSTEM)
    return [item["id"] for item in answer.json()["items"]]


async def test_the_list_is_in_order_and_comes_in_pages(client: httpx.AsyncClient) -> None:
    first = (await client.get(LIST, headers=SYSTEM, params={"limit": 2})).json()
    rest = (
        await client.get(LIST, headers=SYSTEM, params={"cursor": first["next_cursor"], "limit": 2})
    ).json()
    assert [item["subject"] for item in first["items"] + rest["items"]] == [
        "case-1",
        "case-2",
        "case-3",
    ]
    assert rest["next_cursor"] is None


async def test_one_tells_where_it_came_from_and_what_waits(client: httpx.AsyncClient) -> None:
    first = (await _ids(client))[0]
    shown = (await client.get(f"{LIST}/{first}", headers=SYSTEM)).json()
    assert (shown["topic"], shown["partition"], shown["offset"]) == ("t", 1, 1)
    assert (shown["type"], shown["reason"], shown["attempts"]) == ("test.v1", "why", 4)
    assert shown["waiting"] == 2


@pytest.mark.parametrize("verb", ["replay", "discard"])
async def test_it_is_replayed_or_discarded_once(client: httpx.AsyncClient, verb: str) -> None:
    first, *others = await _ids(client)
    body = {"reason": "closed by hand"} if verb == "discard" else None
    done = await client.post(f"{LIST}/{first}:{verb}", headers=SYSTEM, json=body)
    assert done.status_code == 204
    assert await _ids(client) == others
    again = await client.post(f"{LIST}/{first}:{verb}", headers=SYSTEM, json=body)
    assert again.status_code == 404
    assert again.json()["type"] == "urn:madoguchi:problem:no-such-dead-letter"


async def test_both_are_audited(client: httpx.AsyncClient, kernel_database: Database) -> None:
    first, second, _ = await _ids(client)
    await client.post(f"{LIST}/{first}:replay", headers=SYSTEM)
    await client.post(f"{LIST}/{second}:discard", headers=SYSTEM, json={"reason": "a test"})
    async with kernel_database.reader() as conn:
        rows = await conn.fetch("SELECT action, actor, subject FROM audit_entry ORDER BY pos")
    assert [tuple(row) for row in rows] == [
        ("dead_letter.replayed", "system:test", "case-1"),
        ("dead_letter.discarded", "system:test", "case-2"),
    ]


async def test_a_reason_with_an_address_is_refused_and_nothing_is_dropped(
    client: httpx.AsyncClient,
) -> None:
    before = await _ids(client)
    answer = await client.post(
        f"{LIST}/{before[0]}:discard", headers=SYSTEM, json={"reason": "asked by a@example.jp"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "reason"
    assert "example" not in answer.text
    assert await _ids(client) == before


@pytest.mark.parametrize("id_", [0, -1, 2**63, 10**30])
async def test_an_id_that_cannot_be_is_the_callers_mistake(
    client: httpx.AsyncClient, id_: int
) -> None:
    assert (await client.get(f"{LIST}/{id_}", headers=SYSTEM)).status_code in {404, 422}


@pytest.mark.parametrize("who", ["clerk", "planner", "citizen"])
async def test_it_is_no_business_of_people(client: httpx.AsyncClient, who: str) -> None:
    assert (await client.get(LIST, headers=bearer(who))).status_code == 403
