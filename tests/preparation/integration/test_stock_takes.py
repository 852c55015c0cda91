"""Stock-takes: book and shelf are compared, and what differs is worked until they agree."""

import asyncio

import httpx

from shared.db import Database
from tests.preparation.integration.test_facts import issued
from tests.preparation.integration.test_transfers import notified, send
from tests.preparation.support import SITE, bearer, events_of, hear, once

SHELF = f"/v1/shelves/{SITE}/A"
TAKES = f"{SHELF}/stock-takes"


def reference(number: int) -> str:
    """What is scanned from the card of a row."""
    return f"KC26-{number:06d}"


async def begin(client: httpx.AsyncClient) -> str:
    """Begin to count shelf A."""
    answer = await client.post(TAKES, headers=once())
    assert answer.status_code == 201, answer.text
    return f"{TAKES}/{answer.json()['stock_take_id']}"


async def scan(client: httpx.AsyncClient, take: str, *references: str) -> httpx.Response:
    """Scan cards."""
    body = {"card_references": list(references)}
    return await client.post(f"{take}/scans", json=body, headers=bearer())


async def differing(client: httpx.AsyncClient, take: str) -> list[tuple[int, str, str]]:
    """The differences after counting."""
    rows = (await client.get(f"{take}/differences", headers=bearer())).json()["rows"]
    return [(row["number"], row["kind"], row["card_reference"]) for row in rows]


async def resolve(
    client: httpx.AsyncClient, take: str, number: int, resolution: str
) -> httpx.Response:
    """Work a difference."""
    path = f"{take}/differences/{number}:resolve"
    return await client.post(path, json={"resolution": resolution}, headers=bearer())


async def test_a_shelf_that_is_as_the_book_says_needs_nothing(client: httpx.AsyncClient) -> None:
    await notified(client, 3)
    take = await begin(client)
    await scan(client, take, reference(1), reference(2))
    await scan(client, take, reference(2), reference(3))
    answer = (await client.post(f"{take}:count", headers=bearer())).json()
    assert (answer["expected"], answer["scanned"], answer["differences"]) == (3, 3, 0)
    assert answer["closed_at"] is not None
    assert (await scan(client, take, reference(1))).status_code == 409


async def test_each_difference_is_worked_and_the_last_one_closes(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await notified(client, 4)
    moved = {"case_ids": [case_ids[3]], "site_id": SITE, "shelf": "B"}
    await client.post("/v1/shelves/moves", json=moved, headers=bearer())
    take = await begin(client)
    await scan(client, take, reference(1), reference(4), "STRANGER-1")
    answer = (await client.post(f"{take}:count", headers=bearer())).json()
    assert (answer["differences"], answer["closed_at"]) == (4, None)
    assert await differing(client, take) == [
        (1, "elsewhere", reference(4)),
        (2, "missing", reference(2)),
        (3, "missing", reference(3)),
        (4, "unknown", "STRANGER-1"),
    ]
    wrong = await resolve(client, take, 1, "found")
    assert (wrong.status_code, "moved_here" in wrong.text) == (422, True)
    await resolve(client, take, 1, "moved_here")
    await resolve(client, take, 2, "found")
    await resolve(client, take, 3, "gone")
    last = (await resolve(client, take, 4, "set_aside")).json()
    assert (last["unresolved"], last["closed_at"] is not None) == (0, True)
    card = (await client.get(f"/v1/cards/{case_ids[3]}", headers=bearer())).json()
    assert card["shelf_position"].startswith("A-")
    assert (await events_of(database, case_ids[2]))[-1] == "card.held.v1"
    assert (await client.get(SHELF, headers=bearer())).json()["cards"] == 4


async def test_cards_that_leave_while_a_shelf_is_counted_are_no_difference(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await notified(client, 4)
    take = await begin(client)
    await scan(client, take, reference(1), reference(2), reference(4))
    await hear(database, issued(case_ids[0]), issued(case_ids[2]))
    await send(client, [case_ids[1]])
    answer = (await client.post(f"{take}:count", headers=bearer())).json()
    assert answer["differences"] == 0


async def test_a_card_found_here_that_the_book_has_under_way_is_laid_here(
    client: httpx.AsyncClient,
) -> None:
    (case_id,) = await notified(client, 1)
    batch = (await send(client, [case_id])).json()
    take = await begin(client)
    await scan(client, take, reference(1))
    await client.post(f"{take}:count", headers=bearer())
    await resolve(client, take, 1, "moved_here")
    found = await client.get(f"/v1/transfers/{batch['transfer_id']}", headers=bearer())
    assert found.json()["state"] == "arrived"
    card = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    assert card["site_id"] == SITE


async def test_a_shelf_has_one_stock_take_at_a_time_and_a_difference_one_answer(
    client: httpx.AsyncClient,
) -> None:
    await notified(client, 1)
    answers = await asyncio.gather(*(client.post(TAKES, headers=once()) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    listed = (await client.get(TAKES, headers=bearer())).json()["items"]
    take = f"{TAKES}/{listed[0]['stock_take_id']}"
    await client.post(f"{take}:count", headers=bearer())
    worked = await asyncio.gather(*(resolve(client, take, 1, "gone") for _ in range(6)))
    assert sorted(answer.status_code for answer in worked) == [200, *[409] * 5]


async def test_staff_of_other_sites_do_not_count_here(client: httpx.AsyncClient) -> None:
    await notified(client, 1)
    headers = {**once(), **bearer("elsewhere")}
    assert (await client.post(TAKES, headers=headers)).status_code == 403
    unknown = await client.post(f"/v1/shelves/{SITE}/Z/stock-takes", headers=once())
    assert unknown.status_code == 404
