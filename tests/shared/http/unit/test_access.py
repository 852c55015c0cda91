"""No route runs before its entry of the access table let the caller pass."""

import httpx
import pytest
from fastapi import APIRouter, Form
from pydantic import BaseModel

from shared.db import Database
from shared.http.call import CallDep
from shared.security.access import AccessTableError, SiteRule, allow
from shared.security.principal import Role
from tests.support.http import MakeClient, bearer, make_app

MY_NUMBER = "1234" + "5678" + "9018"
"""The sample of every textbook: valid check digit, nobody's."""

inner = APIRouter()
router = APIRouter(prefix="/v1")


class Body(BaseModel):
    site_id: str | None = None
    note: str = ""


@router.get("/who")
async def who(call: CallDep) -> str:
    return f"{call.principal.subject} {call.route}"


@router.get("/by-path/{site_id}")
async def by_path(site_id: str) -> None:
    pass


@router.get("/by-query")
async def by_query(site_id: str | None = None) -> None:
    pass


@router.post("/by-body")
async def by_body(body: Body) -> None:
    pass


@router.post("/by-form")
async def by_form(site_id: str = Form()) -> None:
    pass


@inner.get("/deep")
async def deep() -> None:
    pass


router.include_router(inner, prefix="/inner")

CLERK_AT = {
    rule: allow(Role.CLERK, Role.PLANNER, site=rule)
    for rule in (SiteRule.PATH, SiteRule.QUERY, SiteRule.BODY)
}
ACCESS = {
    ("GET", "/v1/who"): allow(Role.PUBLIC),
    ("GET", "/v1/by-path/{site_id}"): CLERK_AT[SiteRule.PATH],
    ("GET", "/v1/by-query"): CLERK_AT[SiteRule.QUERY],
    ("POST", "/v1/by-body"): CLERK_AT[SiteRule.BODY],
    ("POST", "/v1/by-form"): CLERK_AT[SiteRule.BODY],
    ("GET", "/v1/inner/deep"): allow(Role.PLANNER),
}


@pytest.fixture
async def client(make_client: MakeClient) -> httpx.AsyncClient:
    return await make_client(router, access=ACCESS)


async def test_public_routes_know_who_comes(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/who")).json() == "anonymous /v1/who"
    assert (await client.get("/v1/who", headers=bearer("clerk"))).json() == "staff:clerk /v1/who"


async def test_a_bad_token_is_refused_even_where_none_is_needed(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/who", headers=bearer("nobody"))
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer ")
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


SITED = [
    ("GET", "/v1/by-path/{}", ""),
    ("GET", "/v1/by-query?site_id={}", ""),
    ("POST", "/v1/by-body", "json"),
    ("POST", "/v1/by-form", "form"),
]


@pytest.mark.parametrize(("method", "path", "body"), SITED)
async def test_staff_act_at_their_sites(
    client: httpx.AsyncClient, method: str, path: str, body: str
) -> None:
    for name, site, status in [
        ("clerk", "minami", 200),
        ("clerk", "kita", 403),
        ("other", "minami", 403),
        ("planner", "minami", 200),
        ("citizen", "minami", 403),
    ]:
        sent = {"site_id": site}
        response = await client.request(
            method,
            path.format(site),
            headers=bearer(name),
            json=sent if body == "json" else None,
            data=sent if body == "form" else None,
        )
        assert response.status_code == status, (name, site, response.text)


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/by-query"), ("POST", "/v1/by-body")])
async def test_no_site_means_every_site(client: httpx.AsyncClient, method: str, path: str) -> None:
    sent = {"note": "x"} if method == "POST" else None
    refused = await client.request(method, path, headers=bearer("clerk"), json=sent)
    passed = await client.request(method, path, headers=bearer("planner"), json=sent)
    assert (refused.status_code, passed.status_code) == (403, 200)


async def test_a_nested_router_is_guarded_by_its_whole_path(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/inner/deep")).status_code == 401
    assert (await client.get("/v1/inner/deep", headers=bearer("clerk"))).status_code == 403
    assert (await client.get("/v1/inner/deep", headers=bearer("planner"))).status_code == 200


async def test_authorization_comes_before_validation(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/by-body", json={"site_id": 3}, headers=bearer("citizen"))
    assert response.status_code == 403


@pytest.mark.parametrize(
    "note",
    [
        MY_NUMBER,
        f"no. {MY_NUMBER}",
        MY_NUMBER.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}),
    ],
)
async def test_a_my_number_is_refused_and_not_repeated(
    client: httpx.AsyncClient, note: str
) -> None:
    answers = [
        await client.post(
            "/v1/by-body", json={"site_id": "minami", "note": note}, headers=bearer("clerk")
        ),
        await client.get("/v1/by-query", params={"site_id": note}, headers=bearer("planner")),
        await client.get(
            "/v1/by-query", params=[("q", note), ("q", "x")], headers=bearer("planner")
        ),
        await client.post("/v1/by-form", data={"site_id": note}, headers=bearer("planner")),
    ]
    for response in answers:
        assert response.json()["type"] == "urn:madoguchi:problem:my-number-refused"
        assert note not in response.text
    assert answers[0].json()["errors"][0]["field"] == "note"


def test_routes_and_table_must_agree(no_database: Database) -> None:
    fewer = {key: access for key, access in ACCESS.items() if key[1] != "/v1/who"}
    with pytest.raises(AccessTableError, match="no access entry for the route GET /v1/who"):
        make_app([router], fewer, no_database)
    more = {**ACCESS, ("GET", "/v1/gone"): allow(Role.CLERK)}
    with pytest.raises(AccessTableError, match="access entry without a route: GET /v1/gone"):
        make_app([router], more, no_database)


def test_a_router_included_twice_is_refused(no_database: Database) -> None:
    both, twice = APIRouter(), APIRouter()
    twice.add_api_route("/x", who)
    both.include_router(twice, prefix="/a")
    both.include_router(twice, prefix="/b")
    access = {("GET", "/a/x"): allow(Role.PUBLIC), ("GET", "/b/x"): allow(Role.CLERK)}
    with pytest.raises(ValueError, match="included twice"):
        make_app([both], access, no_database)
