"""Nobody overwrites what they have not read."""

import httpx
import pytest
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.requests import Request

from shared.errors import PreconditionFailed, PreconditionRequired
from shared.http.etag import IfMatch, etag, is_known, require_match, tagged
from shared.security.access import allow
from shared.security.principal import Role
from tests.support.http import MakeClient

router = APIRouter(prefix="/v1")


class Site(BaseModel):
    name: str


@router.get("/site")
async def read(request: Request) -> Response:
    return tagged(request, Site(name="minami"), 3)


@router.put("/site")
async def change(if_match: IfMatch = None) -> None:
    require_match(if_match, 3)


ACCESS = {(method, "/v1/site"): allow(Role.PUBLIC) for method in ("GET", "PUT")}


@pytest.fixture
async def client(make_client: MakeClient) -> httpx.AsyncClient:
    return await make_client(router, access=ACCESS)


@pytest.mark.parametrize("header", ['"3"', "*", '"1", "3"', ' "3" '])
def test_the_version_read_may_be_changed(header: str) -> None:
    require_match(header, 3)


@pytest.mark.parametrize("header", ['"2"', 'W/"3"', "3", "", '"33"', '"2", W/"3"'])
def test_any_other_may_not(header: str) -> None:
    with pytest.raises(PreconditionFailed):
        require_match(header, 3)


def test_a_change_without_having_read_is_refused() -> None:
    with pytest.raises(PreconditionRequired):
        require_match(None, 3)


def test_reading_compares_weakly() -> None:
    assert is_known('W/"3"', 3)
    assert is_known('"1", "3"', 3)
    assert is_known("*", 3)
    assert not is_known('"4"', 3)
    assert not is_known(None, 3)


async def test_over_http(client: httpx.AsyncClient) -> None:
    first = await client.get("/v1/site")
    assert (first.status_code, first.headers["etag"]) == (200, etag(3))
    again = await client.get("/v1/site", headers={"If-None-Match": etag(3)})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag(3))
    assert (await client.put("/v1/site")).status_code == 428
    assert (await client.put("/v1/site", headers={"If-Match": etag(2)})).status_code == 412
    assert (await client.put("/v1/site", headers={"If-Match": etag(3)})).status_code == 200
