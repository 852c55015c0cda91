"""What is answered straight is let in by the same rules, and refused in the same words."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.http.call import Call, CallDep
from shared.http.direct import straight
from shared.security.access import SiteRule, allow
from shared.security.principal import Role
from tests.support.http import MakeClient, bearer

MY_NUMBER = "123456789018"


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site_id: str
    amount: int = Field(1, gt=0)


class Shop:
    """The same command twice; ``straights`` counts how often the short way was taken."""

    def __init__(self) -> None:
        self.straights = 0
        self.router = APIRouter(prefix="/v1")
        quick = straight(Order, self.order_straight)
        self.router.add_api_route(
            "/straight", self.order, methods=["POST"], route_class_override=quick
        )
        self.router.add_api_route("/whole", self.order, methods=["POST"])

    async def order(self, body: Order, call: CallDep) -> Response:
        return JSONResponse({"amount": body.amount, "by": call.principal.subject}, 201)

    async def order_straight(self, call: Call, body: Order) -> Response:
        self.straights += 1
        return await self.order(body, call)


RULE = allow(Role.CLERK, site=SiteRule.BODY)
ACCESS = {("POST", "/v1/straight"): RULE, ("POST", "/v1/whole"): RULE}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def client(make_client: MakeClient, shop: Shop) -> httpx.AsyncClient:
    return await make_client(shop.router, access=ACCESS)


@pytest.mark.parametrize(
    ("sent", "status", "straights"),
    [
        ({"json": {"site_id": "minami", "amount": 2}}, 201, 1),
        ({"json": {"site_id": "minami"}}, 201, 1),
        ({"json": {"site_id": "kita"}}, 403, 0),
        ({"json": {"site_id": "minami", "amount": 0}}, 422, 0),
        ({"json": {"site_id": "minami", "other": 1}}, 422, 0),
        ({"json": {"site_id": "minami", "amount": MY_NUMBER}}, 422, 0),
        ({"json": ["minami"]}, 403, 0),
        ({"content": b'{"site_id": "minami"', "headers": {"content-type": "application/json"}},
         422, 0),
        ({"content": b'{"site_id": "minami"}'}, 403, 0),
        ({"content": b'{"site_id": "minami"}',
          "headers": {"content-type": "application/json; charset=utf-8"}}, 201, 0),
        ({}, 403, 0),
    ],
)  # fmt: skip
async def test_both_ways_say_the_same(
    client: httpx.AsyncClient, shop: Shop, sent: dict[str, Any], status: int, straights: int
) -> None:
    headers = {**bearer("clerk"), **sent.pop("headers", {})}
    one, other = [
        await client.post(path, headers=headers, **sent) for path in ("/v1/straight", "/v1/whole")
    ]
    assert (one.status_code, shop.straights) == (status, straights)
    assert other.status_code == status
    assert _without_trace(one) == _without_trace(other)


@pytest.mark.parametrize("who", [{}, bearer("citizen"), bearer("nobody")])
async def test_nobody_comes_in_by_the_short_way(
    client: httpx.AsyncClient, shop: Shop, who: dict[str, str]
) -> None:
    body = {"site_id": "minami"}
    one, other = [
        await client.post(path, headers=who, json=body) for path in ("/v1/straight", "/v1/whole")
    ]
    assert one.status_code == other.status_code
    assert one.status_code in (401, 403)
    assert shop.straights == 0


async def test_the_document_describes_both_alike(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    one, other = paths["/v1/straight"]["post"], paths["/v1/whole"]["post"]
    assert one["requestBody"] == other["requestBody"]
    assert one["responses"] == other["responses"]


def _without_trace(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    return {name: value for name, value in body.items() if name != "instance"}
