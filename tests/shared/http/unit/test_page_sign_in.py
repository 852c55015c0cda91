"""The entrance of pages: nobody comes in by another's answer, and nobody is led elsewhere."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from shared.db import Database
from shared.errors import Forbidden, Problem
from shared.http.call import CallDep
from shared.http.page_session import Door, PageSession, mark, refusals
from shared.http.page_settings import PageSettings
from shared.http.page_sign_in import Asked, LeadsElsewhere, PageSignIn, Provider, within
from shared.security.access import allow
from shared.security.code_flow import CodeFlow
from shared.security.jwks import RemoteKeys
from shared.security.oidc import TokenVerifier, staff_issuer
from shared.security.principal import Role
from tests.support.http import make_app
from tests.support.provider import AUDIENCE, CLIENT, ISSUER, FakeProvider

HOME = "https://desk.example"
DOOR = Door("/desk", "desk", returns=True)
PAGE = {"Accept": "text/html"}
ELSEWHERE = [
    "https://elsewhere.example",
    "//elsewhere.example",
    "/\\elsewhere.example",
    "\\\\elsewhere.example",
    "/today",
    "../v1/cases",
    "today/../../v1",
    "javascript:alert(1)",
    "today?next=https://elsewhere.example",
    "today#x",
    "today\r\nSet-Cookie: a=b",
    "today\n",
    "%2F%2Felsewhere.example",
    "today;x",
    "x" * 2001,
]


class PlainLook:
    """Pages that say what a test asks about."""

    def entrance(
        self, request: Request, asked: Asked, problem: Problem | None, *, by_code: bool
    ) -> Response:
        told = f"{problem.slug if problem else 'ask'} {asked.get('next', '')} {by_code}"
        return PlainTextResponse(told, problem.status if problem else 200)

    def way(self, request: Request, url: str) -> HTMLResponse:
        return HTMLResponse(url)

    def target(self, asked: Asked) -> str:
        return asked.get("next") or "today"


class House:
    """A room with one door, as a browser at its address sees it."""

    def __init__(self, provider: FakeProvider, client: httpx.AsyncClient) -> None:
        self.provider = provider
        self.client = client

    async def begin(self, **form: str) -> tuple[str, str]:
        """Code and state with which the provider sends the browser back."""
        answer = await self.client.post("/desk/login", data=form)
        assert answer.status_code == 200, answer.text
        return self.provider.grant(answer.text)

    async def back(self, code: str, state: str) -> httpx.Response:
        """The browser comes back."""
        return await self.client.get("/desk/callback", params={"code": code, "state": state})


def room(no_database: Database, provider: FakeProvider, *, by_code: bool = True) -> Any:
    """An app with a page for planners behind the door."""
    http = provider.client()
    found = Provider(CodeFlow(http, ISSUER, CLIENT), HOME, http) if by_code else None
    entrance = PageSignIn(DOOR, PlainLook(), found)
    router = APIRouter(prefix="/desk")
    entrance.add_to(router, "Sign in")

    @router.post("/sign-out")
    async def sign_out(request: Request, call: CallDep) -> Response:
        return await entrance.leave(request)

    @router.get("/{page}")
    async def page(page: str, request: Request, call: CallDep) -> Response:
        return PlainTextResponse(mark(request))

    public = [("GET", "sign-in"), ("POST", "login"), ("GET", "callback"), ("POST", "session")]
    access = {(method, f"/desk/{name}"): allow(Role.PUBLIC) for method, name in public}
    access |= {
        ("POST", "/desk/sign-out"): allow(Role.PUBLIC),
        ("GET", "/desk/{page}"): allow(Role.PLANNER),
    }
    app = make_app([router], access, no_database)
    verifier = TokenVerifier([staff_issuer(ISSUER, RemoteKeys(http, ISSUER))], audience=AUDIENCE)
    app.state.resources = replace(app.state.resources, authenticate=verifier.authenticate)
    app.add_middleware(PageSession, door=DOOR)
    refused = refusals(DOOR, lambda request, problem: HTMLResponse(mark(request), problem.status))
    app.add_exception_handler(Forbidden, refused)
    return app


@pytest_asyncio.fixture
async def house(no_database: Database) -> AsyncIterator[House]:
    provider = FakeProvider()
    transport = httpx.ASGITransport(room(no_database, provider))
    async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
        yield House(provider, client)


async def test_who_asked_for_a_page_comes_back_to_it_signed_in(house: House) -> None:
    led = await house.client.get("/desk/demand?year=2026", headers=PAGE)
    assert led.headers["location"] == "sign-in?next=demand%3Fyear%3D2026"
    code, state = await house.begin(next="demand?year=2026")
    cookie = house.client.cookies.jar
    assert [one.name for one in cookie] == ["desk_login"]
    answer = await house.back(code, state)
    assert (answer.status_code, answer.text) == (200, "demand?year=2026")
    given = answer.headers["set-cookie"]
    for property_of_it in ("HttpOnly", "SameSite=strict", "Secure"):
        assert property_of_it in given
    assert [one.name for one in house.client.cookies.jar] == ["desk"], "what tied it is gone"
    assert (await house.client.get("/desk/demand", headers=PAGE)).status_code == 200


async def test_the_way_back_is_that_of_the_settings(house: House) -> None:
    code, _ = await house.begin()
    assert house.provider.granted[code]["redirect_uri"] == f"{HOME}/desk/callback"
    for host in ("elsewhere.example", "desk.example.elsewhere.example"):
        answer = await house.client.post("/desk/login", headers={"Host": host})
        assert answer.text == f"{HOME}/desk/sign-in", "first to where the answer will come"
        assert "set-cookie" not in answer.headers


async def refused(house: House, code: str, state: str) -> None:
    """The browser comes back with this, and is let in nowhere."""
    answer = await house.back(code, state)
    assert answer.status_code == 401
    assert answer.text.startswith("sign-in-refused")
    assert "desk" not in {one.name for one in house.client.cookies.jar}


@pytest.mark.parametrize("state", ["", "another"])
async def test_an_answer_to_another_question_is_refused(house: House, state: str) -> None:
    code, _ = await house.begin()
    await refused(house, code, state)
    assert house.provider.exchanges == 0


async def test_an_answer_nobody_asked_for_is_refused(house: House) -> None:
    code, state = await house.begin()
    house.client.cookies.clear()
    await refused(house, code, state)
    house.client.cookies.set("desk_login", "...today")
    await refused(house, code, "")
    assert house.provider.exchanges == 0


async def test_without_its_verifier_an_answer_is_refused(house: House) -> None:
    code, state = await house.begin()
    house.client.cookies.clear()
    house.client.cookies.set("desk_login", f"{state}..nonce.today")
    await refused(house, code, state)
    assert house.provider.exchanges == 0


async def test_a_code_counts_once(house: House) -> None:
    code, state = await house.begin()
    kept = house.client.cookies["desk_login"]
    assert (await house.back(code, state)).status_code == 200
    house.client.cookies.clear()
    await refused(house, code, state)
    house.client.cookies.set("desk_login", kept)
    await refused(house, code, state)


@pytest.mark.parametrize(
    "wrong",
    [{"aud": "another-house"}, {"aud": CLIENT}, {"sub": "somebody-else"}, {"exp": 1}],
)
async def test_a_token_for_another_house_or_person_is_refused(
    house: House, wrong: dict[str, Any]
) -> None:
    house.provider.access_claims = wrong
    await refused(house, *await house.begin())


async def test_an_answer_with_anothers_nonce_is_refused(house: House) -> None:
    house.provider.id_claims = {"nonce": "another"}
    await refused(house, *await house.begin())


@pytest.mark.parametrize("target", ELSEWHERE)
async def test_nobody_is_led_elsewhere(house: House, target: str) -> None:
    with pytest.raises(LeadsElsewhere):
        within(target)
    begun = await house.client.post("/desk/login", data={"next": target})
    assert (begun.status_code, begun.text) == (400, "leads-elsewhere  True")
    asked = await house.client.get("/desk/sign-in", params={"next": target})
    assert asked.status_code in (400, 422)
    assert "elsewhere.example" not in asked.text


async def test_an_address_that_cannot_be_come_back_to_is_left_out(house: House) -> None:
    led = await house.client.get("/desk/today?x=a.b", headers=PAGE)
    assert led.headers["location"] == "sign-in"


@pytest.mark.parametrize("target", ["//elsewhere.example", "https://elsewhere.example"])
async def test_a_planted_cookie_leads_nobody_elsewhere(house: House, target: str) -> None:
    code, state = await house.begin()
    _, verifier, nonce, _ = house.client.cookies["desk_login"].split(".", 3)
    planted = f"desk_login={state}.{verifier}.{nonce}.{target}"
    answer = await house.client.get(
        "/desk/callback", params={"code": code, "state": state}, headers={"Cookie": planted}
    )
    assert answer.status_code in (400, 401)
    assert "elsewhere.example" not in answer.text


@pytest.mark.parametrize("target", ["today", "a-b/3", "demand?fiscal_year=2026&lang=ja"])
def test_pages_of_the_door_may_be_asked_for(target: str) -> None:
    assert within(target) == target


async def test_another_sites_form_begins_and_ends_nothing(house: House) -> None:
    stranger = {"Origin": "https://elsewhere.example"}
    await house.back(*await house.begin())
    csrf = (await house.client.get("/desk/today", headers=PAGE)).text
    for name, form in (("login", {}), ("sign-out", {"csrf": csrf})):
        answer = await house.client.post(f"/desk/{name}", data=form, headers=stranger)
        assert answer.status_code == 400
    for wrong in ("", "0" * 64):
        answer = await house.client.post("/desk/sign-out", data={"csrf": wrong})
        assert answer.status_code == 400
    assert "desk" in house.client.cookies


@pytest.mark.parametrize("ends_sessions", [True, False])
async def test_signing_out_ends_the_session_here_and_there(
    house: House, *, ends_sessions: bool
) -> None:
    house.provider.ends_sessions = ends_sessions
    await house.back(*await house.begin())
    csrf = (await house.client.get("/desk/today", headers=PAGE)).text
    answer = await house.client.post("/desk/sign-out", data={"csrf": csrf})
    assert "desk" not in house.client.cookies
    if ends_sessions:
        assert re.match(f"{ISSUER}/end\\?", unescape(answer.text))
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, "sign-in")


async def test_who_has_no_right_sees_a_page_and_may_leave(house: House) -> None:
    house.provider.access_claims = {"roles": ["clerk"]}
    await house.back(*await house.begin())
    answer = await house.client.get("/desk/today", headers=PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    program = await house.client.get("/desk/today")
    assert program.headers["content-type"] == "application/problem+json"
    left = await house.client.post("/desk/sign-out", data={"csrf": answer.text})
    assert left.status_code == 303
    assert "desk" not in house.client.cookies


async def test_a_session_that_is_over_is_left_by_the_entrance(house: House) -> None:
    house.client.cookies.set("desk", house.provider.signed({"aud": AUDIENCE, "exp": 1}))
    left = await house.client.post("/desk/sign-out", data={"csrf": "x"}, headers=PAGE)
    assert (left.status_code, left.headers["location"]) == (303, "sign-in")


async def test_where_a_provider_is_set_no_token_is_taken(
    house: House, no_database: Database
) -> None:
    given = {"token": house.provider.signed({"aud": AUDIENCE, "roles": ["planner"]})}
    assert (await house.client.post("/desk/session", data=given)).status_code == 404
    app = room(no_database, house.provider, by_code=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOME) as client:
        assert (await client.post("/desk/session", data=given)).status_code == 303
        elsewhere = await client.post("/desk/session", data={**given, "next": ELSEWHERE[0]})
        assert (elsewhere.status_code, elsewhere.text) == (400, "leads-elsewhere  False")
        assert (await client.post("/desk/login")).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"page_client_id": "pages"},
        {"page_client_id": "pages", "page_url": "desk.example"},
        {"page_client_id": "pages", "page_url": "javascript:alert(1)"},
        {"page_client_id": "pages", "page_url": "https://desk.example?x"},
        {"page_client_id": "pages", "page_url": "https://desk.example:443"},
        {"page_client_id": "pages", "page_url": "https://user@desk.example"},
    ],
)
def test_settings_without_a_way_back_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PageSettings.model_validate(wrong)
