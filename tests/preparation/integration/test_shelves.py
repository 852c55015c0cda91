"""Shelves: each card has one place, a place one card, and no shelf more than it takes."""

import asyncio
from datetime import date

import asyncpg
import httpx
import pytest

from shared.contracts.place import SiteKind, SiteState
from shared.contracts.site import SiteOpened, SiteWindDownStarted
from shared.db import Database
from tests.contracts.samples import SITE as SAMPLE
from tests.preparation.support import SITE, bearer, hear, import_rows, lot_csv, row, to_shelf

SHELF = f"/v1/shelves/{SITE}/A"


async def preset(client: httpx.AsyncClient, count: int) -> list[str]:
    """Cards ready to be laid on a shelf."""
    case_ids = await import_rows(client, count)
    for stage in ("inspected", "registry_checked", "preset"):
        await client.post(f"/v1/stages/{stage}", json={"case_ids": case_ids}, headers=bearer())
    return case_ids


async def shelve(
    client: httpx.AsyncClient, case_ids: list[str], shelf: str = "A"
) -> httpx.Response:
    """Lay cards on a shelf of the site."""
    body = {"case_ids": case_ids, "site_id": SITE, "shelf": shelf}
    return await client.post("/v1/stages/shelved", json=body, headers=bearer())


async def limit(client: httpx.AsyncClient, capacity: int | None, shelf: str = "A") -> None:
    """Set the capacity of a shelf."""
    path = f"/v1/shelves/{SITE}/{shelf}"
    known = await client.get(path, headers=bearer())
    tag = {"If-Match": known.headers["etag"]} if known.status_code == 200 else {}
    answer = await client.put(path, json={"capacity": capacity}, headers=bearer(**tag))
    assert answer.status_code == 200, answer.text


async def positions(client: httpx.AsyncClient, shelf: str = "A") -> list[str]:
    """What is on a shelf."""
    answer = await client.get(f"/v1/shelves/{SITE}/{shelf}/cards", headers=bearer())
    return [card["shelf_position"] for card in answer.json()["items"]]


async def test_a_full_shelf_refuses_what_it_does_not_take(client: httpx.AsyncClient) -> None:
    await limit(client, 2)
    answer = (await shelve(client, await preset(client, 3))).json()
    assert (answer["done"], answer["refused"]) == (2, 1)
    assert answer["results"][2]["code"] == "shelf_full"
    shelf = (await client.get(SHELF, headers=bearer())).json()
    assert (shelf["cards"], shelf["capacity"]) == (2, 2)


async def test_places_that_become_free_are_given_again_where_there_is_a_capacity(
    client: httpx.AsyncClient,
) -> None:
    await limit(client, 3)
    case_ids = await preset(client, 4)
    await shelve(client, case_ids[:3])
    moved = {"case_ids": [case_ids[1]], "site_id": SITE, "shelf": "B"}
    assert (await client.post("/v1/shelves/moves", json=moved, headers=bearer())).json()[
        "done"
    ] == 1
    await shelve(client, case_ids[3:])
    assert await positions(client) == ["A-00001", "A-00002", "A-00003"]
    assert await positions(client, "B") == ["B-00001"]


async def test_numbers_go_on_after_the_highest_when_the_limit_goes(
    client: httpx.AsyncClient,
) -> None:
    await limit(client, 5)
    case_ids = await preset(client, 4)
    await shelve(client, case_ids[:3])
    await limit(client, None)
    await shelve(client, case_ids[3:])
    assert await positions(client) == ["A-00001", "A-00002", "A-00003", "A-00004"]


async def test_a_capacity_below_what_lies_there_is_refused(client: httpx.AsyncClient) -> None:
    await import_rows(client, 3)
    await to_shelf(client)
    tag = (await client.get(SHELF, headers=bearer())).headers["etag"]
    answer = await client.put(SHELF, json={"capacity": 2}, headers=bearer(**{"If-Match": tag}))
    assert (answer.status_code, answer.json()["cards"]) == (409, 3)
    stale = await client.put(SHELF, json={"capacity": 9}, headers=bearer(**{"If-Match": '"7"'}))
    assert stale.status_code == 412


async def test_without_a_site_cards_go_to_the_shelf_of_their_ward(
    client: httpx.AsyncClient, database: Database
) -> None:
    site = SAMPLE.model_copy(update={"kind": SiteKind.WARD_OFFICE, "state": SiteState.OPEN})
    await hear(database, SiteOpened(site=site))
    rows = [row(1), row(2, ward="141321")]
    answer = await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())
    case_ids = [result["case_id"] for result in answer.json()["results"]]
    for stage in ("inspected", "registry_checked", "preset"):
        await client.post(f"/v1/stages/{stage}", json={"case_ids": case_ids}, headers=bearer())
    answer = await client.post(
        "/v1/stages/shelved", json={"case_ids": case_ids}, headers=bearer("supervisor")
    )
    results = answer.json()["results"]
    assert [result["code"] for result in results] == [None, "no_default_shelf"]
    assert await positions(client) == ["A-00001"]


async def test_nothing_is_laid_at_a_site_that_nobody_knows(
    client: httpx.AsyncClient, database: Database
) -> None:
    """Before any site is known every name is good: stock may come before the news of sites."""
    (case_id, other) = await preset(client, 2)
    assert (await shelve(client, [case_id])).json()["done"] == 1
    elsewhere = SAMPLE.model_copy(update={"site_id": "center", "state": SiteState.OPEN})
    await hear(database, SiteOpened(site=elsewhere))
    unknown = await shelve(client, [other])
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "site_id")
    body = {"site_id": SITE, "shelf": "A"}
    one = await client.post(f"/v1/cards/{other}/stages/shelved", json=body, headers=bearer())
    assert one.status_code == 422
    made = await client.put(f"/v1/shelves/{SITE}/Z", json={"capacity": 9}, headers=bearer())
    assert (made.status_code, made.json()["type"]) == (
        422,
        "urn:madoguchi:problem:shelf-at-no-site",
    )


async def test_racers_lay_no_more_than_a_shelf_takes(client: httpx.AsyncClient) -> None:
    await limit(client, 7)
    case_ids = await preset(client, 20)
    answers = await asyncio.gather(*(shelve(client, [case_id]) for case_id in case_ids))
    assert sum(answer.json()["done"] for answer in answers) == 7
    assert len(await positions(client)) == 7


async def test_the_database_refuses_what_a_command_would_overlook(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await preset(client, 3)
    await shelve(client, case_ids[:2])
    await limit(client, 2)
    changes = {
        "shelf_position = 'A-00001'": asyncpg.UniqueViolationError,
        "site_id = NULL, shelf_position = NULL": asyncpg.CheckViolationError,
        "shelf_position = 'Z-00001'": asyncpg.ForeignKeyViolationError,
    }
    for change, error in changes.items():
        with pytest.raises(error):
            async with database.transaction() as conn:
                await conn.execute(f"UPDATE card SET {change} WHERE case_id = $1", case_ids[1])
    with pytest.raises(asyncpg.CheckViolationError, match="more cards than it takes"):
        async with database.transaction() as conn:
            await conn.execute(
                "UPDATE card SET stage = 'shelved', site_id = $2, shelf_position = 'A-00009' "
                "WHERE case_id = $1",
                case_ids[2],
                SITE,
            )


async def test_shelves_are_listed_by_site(client: httpx.AsyncClient) -> None:
    for shelf in ("B", "A", "C"):
        await limit(client, 10, shelf)
    page = await client.get("/v1/shelves", params={"site_id": SITE, "limit": 2}, headers=bearer())
    assert [shelf["shelf"] for shelf in page.json()["items"]] == ["A", "B"]
    rest = {"site_id": SITE, "cursor": page.json()["next_cursor"]}
    page = await client.get("/v1/shelves", params=rest, headers=bearer())
    assert [shelf["shelf"] for shelf in page.json()["items"]] == ["C"]
    answer = await client.put(SHELF, json={"capacity": 1}, headers=bearer("elsewhere"))
    assert answer.status_code == 403


async def test_what_is_said_of_sites_counts_in_its_order_whenever_it_comes(
    database: Database,
) -> None:
    opened = SiteOpened(site=SAMPLE.model_copy(update={"state": SiteState.OPEN}))
    closing = SAMPLE.model_copy(update={"state": SiteState.WINDING_DOWN})
    started = SiteWindDownStarted(site=closing, last_day=date(2026, 5, 29))
    for order in ([1, 0], [0, 1], [1, 1, 0, 0]):
        await hear(database, opened, started, order=order)
        async with database.transaction() as conn:
            found = await conn.fetchrow("SELECT state, last_day FROM site")
            assert found is not None
            assert tuple(found) == ("winding_down", date(2026, 5, 29))
            await conn.execute("TRUNCATE site, inbox")
