"""Idempotency-Key: one effect, one answer, whatever the caller and the network do."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from shared.db import Database
from shared.errors import Conflict
from shared.http import idempotency
from shared.http.call import CallDep, OnceDep
from shared.security.access import allow
from shared.security.principal import Role
from shared.unit import Unit
from tests.support.http import MakeClient, bearer, make_app

RACERS = 20
PATHS = ("orders", "other-orders", "plain")

Before = Callable[[Unit], Awaitable[None]]


class Order(BaseModel):
    name: str
    amount: int = 1


class Placed(BaseModel):
    order_id: UUID
    name: str


class Shop:
    """A room with one command; ``before`` runs inside it, ahead of its effect."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.entered = 0
        self.before: Before | None = None
        self.router = APIRouter(prefix="/v1")
        self.router.add_api_route("/orders", self._order, methods=["POST"], status_code=201)
        self.router.add_api_route("/other-orders", self._order, methods=["POST"], status_code=201)
        self.router.add_api_route("/plain", self._plain, methods=["POST"])

    async def _order(self, order: Order, call: OnceDep) -> Response:
        async def place(unit: Unit) -> Placed:
            self.entered += 1
            if self.before:
                await self.before(unit)
            await unit.conn.execute("INSERT INTO placed (name) VALUES ($1)", order.name)
            return Placed(order_id=uuid4(), name=order.name)

        return await call.once(order, place, location="/v1/orders/{order_id}")

    async def _plain(self, call: CallDep) -> Response:
        async def nothing(unit: Unit) -> None:
            pass

        return await call.once(b"", nothing)

    async def effects(self) -> int:
        async with self.database.reader() as conn:
            count: int = await conn.fetchval("SELECT count(*) FROM placed")
            return count

    async def stored(self) -> int:
        async with self.database.reader() as conn:
            count: int = await conn.fetchval("SELECT count(*) FROM idempotency")
            return count


@pytest.fixture
async def shop(kernel_database: Database) -> Shop:
    async with kernel_database.transaction() as conn:
        await conn.execute("CREATE TABLE placed (name text)")
    return Shop(kernel_database)


@pytest.fixture
async def client(make_client: MakeClient, shop: Shop) -> httpx.AsyncClient:
    access = {("POST", "/v1/" + path): allow(Role.CLERK, Role.CITIZEN) for path in PATHS}
    return await make_client(shop.router, access=access, database=shop.database)


async def send(
    client: httpx.AsyncClient,
    key: str | None = "k-1",
    *,
    order: object = None,
    who: str = "clerk",
    path: str = "/v1/orders",
) -> httpx.Response:
    headers = bearer(who) | ({"Idempotency-Key": key} if key is not None else {})
    return await client.post(path, json=order or {"name": "hana"}, headers=headers)


async def test_the_same_answer_for_the_same_request(client: httpx.AsyncClient, shop: Shop) -> None:
    first = await send(client)
    again = await send(client, order={"amount": 1, "name": "hana"})
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["location"] == again.headers["location"]
    assert first.headers["location"] == f"/v1/orders/{first.json()['order_id']}"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await shop.effects() == 1


async def test_another_body_is_refused(client: httpx.AsyncClient, shop: Shop) -> None:
    await send(client)
    response = await send(client, order={"name": "taro"})
    assert response.status_code == 422
    assert response.json()["type"] == "urn:madoguchi:problem:idempotency-key-reused"
    assert await shop.effects() == 1


async def test_keys_belong_to_caller_and_route(client: httpx.AsyncClient, shop: Shop) -> None:
    answers = [
        await send(client),
        await send(client, who="other"),
        await send(client, path="/v1/other-orders"),
        await send(client, "k-2"),
    ]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["order_id"] for answer in answers}) == 4
    assert await shop.effects() == 4


@pytest.mark.parametrize(
    ("key", "slug"),
    [
        (None, "idempotency-key-missing"),
        ("", "bad-request"),
        ("x" * 256, "bad-request"),
        ("tab\there", "bad-request"),
    ],
)
async def test_a_key_is_needed_and_checked(
    client: httpx.AsyncClient, shop: Shop, key: str | None, slug: str
) -> None:
    response = await send(client, key)
    assert response.status_code == 400
    assert response.json()["type"] == f"urn:madoguchi:problem:{slug}"
    assert await shop.effects() == 0


async def test_the_longest_key(client: httpx.AsyncClient) -> None:
    assert (await send(client, "x" * 255)).status_code == 201


async def test_a_failed_command_leaves_nothing_and_may_be_repeated(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    async def refuse(unit: Unit) -> None:
        raise Conflict

    shop.before = refuse
    assert (await send(client)).status_code == 409
    assert (await shop.effects(), await shop.stored()) == (0, 0)
    shop.before = None
    assert (await send(client)).status_code == 201


async def test_twenty_racers_one_effect(client: httpx.AsyncClient, shop: Shop) -> None:
    """The winner waits inside its command until the others have their answers, or come in too."""
    answered, crowd = asyncio.Event(), asyncio.Event()

    async def linger(unit: Unit) -> None:
        if shop.entered > 1:
            crowd.set()
        waits = [asyncio.create_task(event.wait()) for event in (answered, crowd)]
        _, late = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in late:
            wait.cancel()

    shop.before = linger
    racers = [asyncio.create_task(send(client)) for _ in range(RACERS)]
    statuses = []
    for done in asyncio.as_completed(racers):
        statuses.append((await done).status_code)
        if len(statuses) == RACERS - 1:
            answered.set()
    assert shop.entered == 1
    assert sorted(statuses) == [201] + [409] * (RACERS - 1)
    assert await shop.effects() == 1


async def test_racers_who_ask_again_all_get_the_one_answer(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    async def persist() -> httpx.Response:
        while (response := await send(client)).status_code == 409:
            assert response.headers["retry-after"] == "1"
            assert response.json()["type"] == "urn:madoguchi:problem:request-in-flight"
            await asyncio.sleep(0.01)
        return response

    answers = await asyncio.gather(*(persist() for _ in range(RACERS)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await shop.effects() == 1


async def test_an_answer_without_a_body(client: httpx.AsyncClient) -> None:
    response = await send(client, path="/v1/plain")
    assert (response.status_code, response.content) == (201, b"")


async def test_old_answers_are_forgotten(client: httpx.AsyncClient, shop: Shop) -> None:
    await send(client, "old")
    async with shop.database.transaction() as conn:
        await conn.execute("UPDATE idempotency SET created_at = now() - interval '25 hours'")
    await send(client, "young")
    async with shop.database.transaction() as conn:
        assert await idempotency.purge(conn, older_than=timedelta(hours=24)) == 1
    assert (await send(client, "young")).headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in (await send(client, "old")).headers


async def test_the_app_forgets_by_itself(shop: Shop) -> None:
    async with shop.database.transaction() as conn:
        claim = idempotency.Claim("scope", "key", b"hash")
        await idempotency.remember(conn, claim, idempotency.Answer(201, b"{}"))
    kept = timedelta(0)
    access = {("POST", "/v1/" + path): allow(Role.CLERK) for path in PATHS}
    app = make_app([shop.router], access, shop.database, answers_kept=kept)
    async with app.router.lifespan_context(app):
        while await shop.stored():  # noqa: ASYNC110  a row has no event to wait for
            await asyncio.sleep(0.01)


def test_the_hash_knows_meaning_from_form() -> None:
    def digest(body: idempotency.Body, target: str = "/v1/x?") -> bytes:
        return idempotency.request_hash("POST", target, body)

    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({"a": 1}) != digest({"a": 1}, "/v1/y?")
    assert digest(b"file") != digest(b"other file")
