"""Words that were let in before are answered without a second look; who comes, never is."""

from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, Response

from shared.http.call import CallDep
from shared.http.known import LONGEST, KnownQuestions, known
from shared.security.access import allow
from shared.security.principal import Role
from shared.telemetry.metrics import Metrics
from tests.support.http import MakeClient, bearer

WORD = Annotated[str, Query(max_length=LONGEST)]
MY_NUMBER = "123456789018"
ACCESS = {
    ("GET", "/v1/open"): allow(Role.PUBLIC, Role.CLERK),
    ("GET", "/v1/closed"): allow(Role.CLERK),
}


class Shop:
    """Counts how often words were looked at; every answer says how many there were before."""

    def __init__(self) -> None:
        self.looked = 0
        self.answers: Iterator[int] = count()
        self.router = APIRouter(prefix="/v1", route_class=KnownQuestions)
        self.router.add_api_route("/open", self.read)
        self.router.add_api_route("/closed", self.read)

    async def read(self, call: CallDep, word: WORD) -> Response:
        self.looked += 1
        if call.principal.is_anonymous:
            return await known(call.request, partial(self.answer, word))
        return PlainTextResponse(f"{word} for {call.principal.subject}")

    async def answer(self, word: str, request: Request) -> Response:
        return PlainTextResponse(f"{word} {next(self.answers)} {request.headers.get('x', '')}")


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(service="test", role="api")


@pytest.fixture
async def client(make_client: MakeClient, shop: Shop, metrics: Metrics) -> httpx.AsyncClient:
    return await make_client(shop.router, access=ACCESS, metrics=metrics)


async def test_the_same_words_are_looked_at_once_and_answered_anew(
    client: httpx.AsyncClient, shop: Shop, metrics: Metrics
) -> None:
    said = [(await client.get("/v1/open?word=a", headers={"x": x})).text for x in "123"]
    assert said == ["a 0 1", "a 1 2", "a 2 3"]
    assert (await client.get("/v1/open?word=b")).text == "b 3 "
    assert shop.looked == 2
    assert 'route="/v1/open",status="200"} 4.0' in metrics.render().decode()


async def test_who_sends_credentials_goes_the_whole_way(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    await client.get("/v1/open?word=a")
    answer = await client.get("/v1/open?word=a", headers=bearer("clerk"))
    assert answer.text == "a for staff:clerk"
    refused = await client.get("/v1/open?word=a", headers=bearer("nobody"))
    assert refused.status_code == 401
    assert (await client.get("/v1/open?word=a")).text == "a 1 "


@pytest.mark.parametrize(
    ("words", "status"), [("", 422), (f"word={MY_NUMBER}", 422), ("word=" + "a" * 501, 422)]
)
async def test_what_is_refused_is_refused_again(
    client: httpx.AsyncClient, shop: Shop, words: str, status: int
) -> None:
    for _ in range(2):
        assert (await client.get(f"/v1/open?{words}")).status_code == status
    assert shop.looked == 0


async def test_words_known_at_one_route_open_no_other(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/closed?word=a", headers=bearer("clerk"))).status_code == 200
    assert (await client.get("/v1/open?word=a")).status_code == 200
    assert (await client.get("/v1/closed?word=a")).status_code == 401


async def test_long_words_are_answered_and_not_kept(client: httpx.AsyncClient, shop: Shop) -> None:
    for _ in range(2):
        assert (await client.get(f"/v1/open?word={'a' * LONGEST}")).status_code == 200
    assert shop.looked == 2
