"""Cursors come back as they went out, and anything else is refused in clear words."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from hypothesis import given
from hypothesis import strategies as st

from shared.http.paging import CursorRefused, Page, PageDep, PageRequest, packed
from shared.security.access import allow
from shared.security.principal import Role
from tests.support.http import MakeClient


class Key(NamedTuple):
    at: datetime
    id: UUID
    name: str
    number: int


router = APIRouter(prefix="/v1")
NUMBERS = range(120)


@router.get("/numbers")
async def numbers(page: PageDep) -> Page[int]:
    after = page.after(tuple[int])
    rows = [number for number in NUMBERS if after is None or number > after[0]][: page.fetch]
    return page.page(rows, key=lambda number: (number,), item=lambda number: number)


@pytest.fixture
async def client(make_client: MakeClient) -> httpx.AsyncClient:
    return await make_client(router, access={("GET", "/v1/numbers"): allow(Role.PUBLIC)})


@given(
    st.builds(
        Key, st.datetimes(timezones=st.just(UTC)), st.uuids(), st.text(max_size=40), st.integers()
    )
)
def test_a_cursor_comes_back_as_it_went_out(key: Key) -> None:
    assert PageRequest(cursor=packed(key)).after(Key) == key


@given(st.text(max_size=60) | st.binary().map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(CursorRefused):
        PageRequest(cursor=cursor).after(Key)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(CursorRefused):
        PageRequest(cursor=packed(("a", "b"))).after(tuple[int])


@pytest.mark.parametrize("limit", [1, 7, 60, 120, 500])
async def test_all_pages_together_are_the_list(client: httpx.AsyncClient, limit: int) -> None:
    seen: list[int] = []
    params: dict[str, str | int] = {"limit": limit}
    while True:
        page = (await client.get("/v1/numbers", params=params)).json()
        assert len(page["items"]) <= limit
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == list(NUMBERS)


async def test_fifty_by_default_and_five_hundred_at_most(client: httpx.AsyncClient) -> None:
    assert len((await client.get("/v1/numbers")).json()["items"]) == 50
    refused = await client.get("/v1/numbers?limit=501")
    assert refused.json()["errors"][0]["message"] == "Must be 500 or less."


async def test_a_bad_cursor_says_what_to_do(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/numbers?cursor=nonsense")
    problem = response.json()
    assert (response.status_code, problem["type"]) == (400, "urn:madoguchi:problem:cursor-refused")
    assert problem["errors"][0]["field"] == "cursor"
    assert "next_cursor" in problem["remedy"]
