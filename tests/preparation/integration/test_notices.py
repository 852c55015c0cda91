"""Notices: repeated commands, taken numbers, turned keys, and cards that must not have one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import httpx
import pytest_asyncio
from pydantic import SecretStr

from services.preparation.api import build
from services.preparation.domain.notices import derive_number
from services.preparation.settings import PreparationSettings
from services.preparation.tools import Tools
from shared.db import Database
from shared.ids import CaseId, new_id
from tests.preparation.support import (
    NEW_KEY,
    OLD_KEY,
    bearer,
    events_of,
    import_rows,
    kernel_settings,
    once,
    resources,
    room_doors,
    to_shelf,
)

LOT = {"lot_id": "L2026-0412"}
Clients = Callable[..., Awaitable[httpx.AsyncClient]]


async def test_a_repeated_command_gets_the_same_batch(
    client: httpx.AsyncClient, database: Database
) -> None:
    await import_rows(client, 2)
    await to_shelf(client)
    headers = once()
    first = await client.post("/v1/notices", json=LOT, headers=headers)
    again = await client.post("/v1/notices", json=LOT, headers=headers)
    assert (first.status_code, again.json()) == (201, first.json())
    assert (await events_of(database)).count("card.notified.v1") == 2
    other = await client.post("/v1/notices", json={"case_ids": [str(new_id())]}, headers=headers)
    assert other.status_code == 422


async def test_without_a_ready_card_no_batch_is_made(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    answer = await client.post("/v1/notices", json={"case_ids": [case_id]}, headers=once())
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:madoguchi:problem:nothing-to-notify"
    assert answer.json()["results"][0]["code"] == "stage_missing"
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM notice_batch") == 0


async def test_an_expired_card_gets_no_notice(client: httpx.AsyncClient) -> None:
    await import_rows(client, 1, card_expires_on="2026-04-13")
    await to_shelf(client)
    answer = await client.post("/v1/notices", json=LOT, headers=once())
    assert answer.json()["results"][0]["code"] == "card_expired"


async def test_the_deadline_never_lies_past_the_card(client: httpx.AsyncClient) -> None:
    await import_rows(client, 1, card_expires_on="2026-05-01")
    await to_shelf(client)
    made = await client.post("/v1/notices", json=LOT, headers=once())
    printed = await client.get(f"{made.headers['location']}/print-file", headers=bearer())
    assert printed.text.splitlines()[1].endswith(",2026-05-01")


async def test_a_number_that_is_taken_is_drawn_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    first, second = await import_rows(client, 2)
    await to_shelf(client)
    await client.post("/v1/notices", json={"case_ids": [first]}, headers=once())
    await occupy(database, "n1", OLD_KEY, second)
    made = await client.post("/v1/notices", json={"case_ids": [second]}, headers=once())
    assert made.status_code == 201
    assert await attempt_of(database, second) == 1


async def test_a_number_taken_under_an_older_key_is_drawn_again(
    clients: Clients, database: Database
) -> None:
    before = await clients()
    first, second = await import_rows(before, 2)
    await to_shelf(before)
    await before.post("/v1/notices", json={"case_ids": [first]}, headers=once())
    await occupy(database, "n1", OLD_KEY, second)
    after = await clients(notice_keys=f"n2:{NEW_KEY},n1:{OLD_KEY}")
    await after.post("/v1/notices", json={"case_ids": [second]}, headers=once())
    assert await attempt_of(database, second) == 1


async def test_numbers_outlive_a_turn_of_the_master_key_but_not_its_loss(clients: Clients) -> None:
    before = await clients()
    await import_rows(before, 1)
    await to_shelf(before)
    made = await before.post("/v1/notices", json=LOT, headers=once())
    path = f"{made.headers['location']}/print-file"
    printed = await before.get(path, headers=bearer())

    turned = await clients(master_keys=f"m2:{NEW_KEY},m1:{OLD_KEY}")
    assert (await turned.get(path, headers=bearer())).text == printed.text
    lost = await (await clients(master_keys=f"m2:{NEW_KEY}")).get(path, headers=bearer())
    assert (lost.status_code, lost.json()["secret_id"]) == (409, "m1")


@pytest_asyncio.fixture
async def clients(database: Database) -> AsyncIterator[Clients]:
    """Call for a client of the room under other keys."""
    opened: list[httpx.AsyncClient] = []

    async def make(
        notice_keys: str = f"n1:{OLD_KEY}", master_keys: str = f"m1:{OLD_KEY}"
    ) -> httpx.AsyncClient:
        app = build(
            resources(
                database,
                settings=kernel_settings(notice_keys=SecretStr(notice_keys)),
                doors=room_doors(master_keys),
            )
        )
        transport = httpx.ASGITransport(app)
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://test"))
        return opened[-1]

    yield make
    for client in opened:
        await client.aclose()


async def occupy(database: Database, key_id: str, key: str, case_id: str) -> None:
    """Give the number that ``case_id`` would draw first to the notice there is."""
    settings = kernel_settings(notice_keys=SecretStr(f"{key_id}:{key}"))
    tools = Tools.read(settings, room_doors(), PreparationSettings())
    number = derive_number(tools.secrets["m1"], CaseId(UUID(case_id)), 1, 0)
    taken = tools.index.number_key(number).value
    async with database.transaction() as conn:
        await conn.execute("UPDATE notice SET number_key = $1", taken)


async def attempt_of(database: Database, case_id: str) -> int:
    """With which attempt the case found its number."""
    async with database.reader() as conn:
        attempt: int = await conn.fetchval(
            "SELECT attempt FROM notice WHERE case_id = $1", UUID(case_id)
        )
    return attempt
