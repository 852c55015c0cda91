"""A satellite fetches its tokens itself, and anew before they end or where they are refused."""

from collections.abc import Callable

import httpx
import pytest

from services.issuance.credentials import ClientCredentials, FixedToken
from services.issuance.gateways import Headquarters, HeadquartersError
from services.issuance.instance import InstanceSettings
from services.issuance.post import authentication

URL = "http://issuer.test/token"
NO_SUCH = {"type": "urn:madoguchi:problem:checklist-not-known"}


class City:
    """A provider that gives tokens 1, 2, … and headquarters that accept those not revoked."""

    def __init__(self) -> None:
        self.given = 0
        self.revoked: set[str] = set()
        self.shown: list[str] = []
        self.token_answer: Callable[[], httpx.Response] = lambda: httpx.Response(
            200, json={"access_token": str(self.given), "expires_in": 300}
        )
        self.now = 0.0
        auth = ClientCredentials(URL, "satellite", "secret", lambda: self.now)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url="http://hq")
        self.headquarters = Headquarters(http, auth)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        shown = request.headers["Authorization"]
        if str(request.url) == URL:
            assert shown.startswith("Basic ")
            assert request.content == b"grant_type=client_credentials"
            self.given += 1
            return self.token_answer()
        token = shown.removeprefix("Bearer ")
        self.shown.append(token)
        if token in self.revoked:
            return httpx.Response(401, json={"type": "urn:madoguchi:problem:unauthorized"})
        return httpx.Response(404, json=NO_SUCH)


async def test_a_token_is_kept_for_most_of_its_life() -> None:
    city = City()
    for city.now in (0.0, 200.0, 250.0, 400.0):
        assert await city.headquarters.checklist(2) is None
    assert city.shown == ["1", "1", "2", "2"]


async def test_a_token_that_is_refused_is_replaced_once() -> None:
    city = City()
    await city.headquarters.checklist(2)
    city.revoked = {"1"}
    await city.headquarters.checklist(2)
    assert city.shown == ["1", "1", "2"]
    city.revoked = {"2", "3"}
    with pytest.raises(HeadquartersError, match="401"):
        await city.headquarters.checklist(2)
    assert city.shown[3:] == ["2", "3"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "invalid_client"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"token_type": "Bearer"}),
        httpx.Response(200, json=["token"]),
        httpx.Response(302, headers={"location": "http://portal/"}),
    ],
)
async def test_without_a_token_headquarters_are_not_asked(answer: httpx.Response) -> None:
    city = City()
    city.token_answer = lambda: answer
    with pytest.raises(HeadquartersError, match="NoTokenError"):
        await city.headquarters.checklist(2)
    assert city.shown == []


def test_credentials_count_before_a_token_and_one_of_both_is_needed() -> None:
    client = {
        "headquarters_token_url": URL,
        "headquarters_client_id": "satellite",
        "headquarters_client_secret": "secret",
    }
    token = {"headquarters_token": "token"}
    made = [
        authentication(InstanceSettings.model_validate(one))
        for one in ({**client, **token}, token, {**client, "headquarters_client_id": None}, {})
    ]
    assert [type(one) for one in made] == [ClientCredentials, FixedToken, type(None), type(None)]
