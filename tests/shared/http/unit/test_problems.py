"""Errors reach the caller as problem documents: complete, in their language, without a secret."""

import logging
from collections.abc import AsyncIterator
from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field

from shared.errors import Conflict, Problem, RejectedValueError, Text, TooManyRequests
from shared.security.access import allow
from shared.security.principal import Role
from tests.support.http import MakeClient

SECRET = "himitsu-4711"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def _even(number: int) -> int:
    if number % 2:
        raise RejectedValueError(
            Text("Must be even.", "偶数が必要です。"), Text("Add one.", "1を足してください。")
        )
    return number


def _plain(text: str) -> str:
    raise ValueError(f"{text} is not good")


class Guest(BaseModel):
    birth_date: date


class Form(BaseModel, extra="forbid"):
    name: str = Field(min_length=2, max_length=5)
    code: str = Field("A1", pattern=r"^[A-Z]\d$")
    even: Annotated[int, AfterValidator(_even)] = 0
    plain: Annotated[str, AfterValidator(_plain)] | None = None
    id: UUID | None = None
    colour: Colour = Colour.RED
    count: int = Field(1, ge=1, le=9)
    guests: list[Guest] = Field(default_factory=list, max_length=2)


class SeatTaken(Conflict):
    slug = "seat-taken"
    title = Text("The seat is taken", "その枠は埋まっています")


router = APIRouter(prefix="/v1")


@router.post("/forms")
async def post_form(form: Form) -> None:
    pass


@router.get("/things/{number}")
async def get_thing(number: int, limit: Annotated[int, Query(le=10)] = 1) -> None:
    pass


@router.get("/taken")
async def taken() -> None:
    raise SeatTaken(Text("11:00 is full.", "11:00は満席です。"), extras={"seats": 0, "status": 1})


@router.get("/later")
async def later() -> None:
    raise TooManyRequests(retry_after=7)


@router.get("/away")
async def away() -> None:
    raise ConnectionRefusedError(SECRET)


@router.get("/broken")
async def broken() -> None:
    raise RuntimeError(SECRET)


ACCESS = {
    ("POST", "/v1/forms"): allow(Role.PUBLIC),
    ("GET", "/v1/things/{number}"): allow(Role.PUBLIC),
    ("GET", "/v1/taken"): allow(Role.PUBLIC),
    ("GET", "/v1/later"): allow(Role.PUBLIC),
    ("GET", "/v1/broken"): allow(Role.PUBLIC),
    ("GET", "/v1/away"): allow(Role.PUBLIC),
}


@pytest.fixture
async def client(make_client: MakeClient) -> httpx.AsyncClient:
    return await make_client(router, access=ACCESS, body_limit=2000)


async def test_a_problem_says_all_it_should(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/taken", headers={"traceparent": f"00-{TRACE}-{'1' * 16}-01"})
    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["content-language"] == "en"
    assert response.json() == {
        "type": "urn:madoguchi:problem:seat-taken",
        "title": "The seat is taken",
        "status": 409,
        "detail": "11:00 is full.",
        "remedy": Conflict.remedy.en,
        "instance": f"urn:madoguchi:trace:{TRACE}",
        "seats": 0,
    }


async def test_it_speaks_japanese(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/taken", headers={"accept-language": "ja"})
    assert response.headers["content-language"] == "ja"
    assert response.json()["detail"] == "11:00は満席です。"
    assert "\\u" not in response.text


async def test_it_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/later")
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


async def test_unknown_addresses_and_methods(client: httpx.AsyncClient) -> None:
    missing = await client.get("/v1/nowhere")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:madoguchi:problem:not-found")
    wrong = await client.delete("/v1/taken")
    assert wrong.json()["type"] == "urn:madoguchi:problem:method-not-allowed"
    assert wrong.headers["allow"] == "GET"


async def test_the_unforeseen_stays_inside(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = await client.get("/v1/broken")
    assert response.status_code == 500
    assert response.json()["instance"].startswith("urn:madoguchi:trace:")
    assert SECRET not in response.text
    assert "RuntimeError" not in response.text
    assert [record.message for record in caplog.records] == ["unexpected error"]


async def test_a_database_that_is_away_is_no_fault_of_the_request(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/v1/away")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert response.json()["type"] == "urn:madoguchi:problem:service-unavailable"
    assert SECRET not in response.text


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "name", "This field is required."),
        ({"name": "x"}, "name", "Needs at least 2 characters."),
        ({"name": SECRET}, "name", "At most 5 characters."),
        ({"name": 12}, "name", "Must be text."),
        ({"name": "xx", "code": SECRET}, "code", r"Does not have the form ^[A-Z]\d$."),
        ({"name": "xx", "even": 3}, "even", "Must be even."),
        ({"name": "xx", "plain": SECRET}, "plain", "This value is not accepted."),
        ({"name": "xx", "id": SECRET}, "id", "Must be a UUID."),
        ({"name": "xx", "colour": SECRET}, "colour", "Must be one of 'red' or 'blue'."),
        ({"name": "xx", "count": 0}, "count", "Must be 1 or more."),
        ({"name": "xx", "count": 10}, "count", "Must be 9 or less."),
        ({"name": "xx", "count": SECRET}, "count", "Must be a whole number."),
        ({"name": "xx", SECRET: 1}, SECRET, "This field is not known here."),
        ({"name": "xx", "guests": [{}] * 3}, "guests", "At most 2 entries."),
        (
            {"name": "xx", "guests": [{"birth_date": SECRET}]},
            "guests.0.birth_date",
            "Must be a date: YYYY-MM-DD.",
        ),
        ([], "body", "Must be an object."),
    ],
)
async def test_a_field_is_named_and_its_value_is_not(
    client: httpx.AsyncClient, body: object, field: str, message: str
) -> None:
    response = await client.post("/v1/forms", json=body)
    problem = response.json()
    assert (response.status_code, problem["type"]) == (422, "urn:madoguchi:problem:invalid-request")
    assert [(each["field"], each["message"]) for each in problem["errors"]] == [(field, message)]
    assert all(each["remedy"] for each in problem["errors"])
    assert field == SECRET or SECRET not in response.text


async def test_parameters_are_named_as_sent(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/things/x?limit=11", headers={"accept-language": "ja"})
    errors = [(each["field"], each["message"]) for each in response.json()["errors"]]
    assert errors == [("number", "整数が必要です。"), ("limit", "10以下の値が必要です。")]


async def test_broken_json(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    response = await client.post("/v1/forms", content=b'{"name": ', headers=headers)
    assert response.json()["errors"][0]["message"] == "The body is not valid JSON."
    response = await client.post("/v1/forms", content=b'{"name": "\xff"}', headers=headers)
    assert response.json()["type"] == "urn:madoguchi:problem:bad-request"


async def test_a_large_body_is_refused_declared_or_not(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b"0123456789"

    declared = await client.post("/v1/forms", content=b"0" * 2001)
    streamed = await client.post("/v1/forms", content=pieces())
    for response in (declared, streamed):
        assert response.status_code == 413
        assert response.json()["type"] == "urn:madoguchi:problem:too-large"


def test_every_problem_has_both_languages_and_a_slug_of_its_own() -> None:
    def family(kind: type[Problem]) -> list[type[Problem]]:
        return [kind, *(each for sub in kind.__subclasses__() for each in family(sub))]

    for kind in family(Problem):
        assert kind.title.en
        assert kind.title.ja
        assert kind.remedy.en
        assert kind.remedy.ja
        assert kind.slug == kind.slug.lower()
