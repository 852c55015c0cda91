"""Rooms believe what the development issuer signs, through what it publishes and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jwt
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from deploy.embedded.issuer import create_issuer, sign
from deploy.embedded.issuer_login import CLIENT, Login, discovered
from deploy.embedded.keys import ISSUER, KeyStore
from shared.errors import Unauthorized
from shared.security.code_flow import Attempt, CodeFlow, Granted, SignInRefused
from shared.security.jwks import RemoteKeys
from shared.security.oidc import TokenVerifier, staff_issuer
from shared.security.principal import Role

URL = "http://issuer.test"


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    """Keys of this test."""
    store = KeyStore(tmp_path / "keys")
    store.ensure()
    return store


@pytest_asyncio.fixture
async def http(store: KeyStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client that reaches the issuer."""
    transport = httpx.ASGITransport(create_issuer(store.path(ISSUER), URL))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


def verifier(http: httpx.AsyncClient) -> TokenVerifier:
    keys = RemoteKeys(http, URL, min_interval=0.0)
    return TokenVerifier([staff_issuer(URL, keys)], audience="madoguchi")


def token(store: KeyStore, role: Role = Role.CLERK, minutes: int = 60) -> str:
    return sign(
        store.path(ISSUER),
        URL,
        subject="clerk-7",
        roles=[role],
        sites=["kawasaki-ward-office"],
        minutes=minutes,
    )


async def test_a_signed_token_is_believed(store: KeyStore, http: httpx.AsyncClient) -> None:
    principal = await verifier(http).verify(token(store))
    assert principal.roles == {Role.CLERK}
    assert principal.sites == {"kawasaki-ward-office"}


async def test_a_program_may_be_the_system(store: KeyStore, http: httpx.AsyncClient) -> None:
    principal = await verifier(http).verify(token(store, Role.SYSTEM))
    assert principal.roles == {Role.SYSTEM}


async def test_tokens_from_before_a_rotation_hold(store: KeyStore, http: httpx.AsyncClient) -> None:
    before, rooms = token(store), verifier(http)
    await rooms.verify(before)
    store.rotate_issuer()
    after = token(store)
    assert jwt.get_unverified_header(after)["kid"] != jwt.get_unverified_header(before)["kid"]
    assert (await rooms.verify(after)).subject == (await rooms.verify(before)).subject


async def test_an_expired_token_is_refused(store: KeyStore, http: httpx.AsyncClient) -> None:
    with pytest.raises(Unauthorized):
        await verifier(http).verify(token(store, minutes=-10))


async def test_another_installations_token_is_refused(
    tmp_path: Path, http: httpx.AsyncClient
) -> None:
    stranger = KeyStore(tmp_path / "other")
    stranger.ensure()
    with pytest.raises(Unauthorized):
        await verifier(http).verify(token(stranger))


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.PUBLIC])
def test_only_staff_roles_are_signed(store: KeyStore, role: Role) -> None:
    with pytest.raises(ValueError, match=role.value):
        token(store, role)


async def test_nothing_private_is_published(http: httpx.AsyncClient) -> None:
    document = (await http.get("/jwks")).json()
    assert all("d" not in key for key in document["keys"])
    discovery = (await http.get("/.well-known/openid-configuration")).json()
    assert discovery["issuer"] == URL
    assert discovery["jwks_uri"] == f"{URL}/jwks"


BACK = "http://127.0.0.1:8103/counter/callback"


def flow(http: httpx.AsyncClient) -> CodeFlow:
    """A page's side of the flow."""
    return CodeFlow(http, URL, CLIENT)


async def granted(http: httpx.AsyncClient, attempt: Attempt, shown: str, back: str = BACK) -> str:
    """The code that who shows a token is sent back with; empty where none was given."""
    asked = httpx.URL(await flow(http).address(attempt, back)).params
    answer = await http.post("/authorize", data={**asked, "token": shown})
    sent = httpx.URL(answer.headers.get("location", ""))
    assert sent.params.get("state", attempt.state) == attempt.state
    return str(sent.params.get("code", ""))


async def test_a_page_signs_in_by_code_with_its_verifier(
    store: KeyStore, http: httpx.AsyncClient
) -> None:
    attempt, shown = Attempt.new(), token(store)
    code = await granted(http, attempt, shown)
    assert await flow(http).token(attempt, code, BACK) == Granted(shown, "staff:clerk-7")
    with pytest.raises(SignInRefused):
        await flow(http).token(attempt, code, BACK)


async def test_a_code_is_worth_nothing_to_who_has_not_its_verifier(
    store: KeyStore, http: httpx.AsyncClient
) -> None:
    attempt, shown = Attempt.new(), token(store)
    code = await granted(http, attempt, shown)
    with pytest.raises(SignInRefused):
        await flow(http).token(Attempt.new(), code, BACK)
    with pytest.raises(SignInRefused):
        await flow(http).token(attempt, code, BACK)
    code = await granted(http, attempt, shown)
    with pytest.raises(SignInRefused):
        await flow(http).token(attempt, code, "http://127.0.0.1:1/elsewhere")


async def test_without_a_token_that_holds_there_is_no_code(
    store: KeyStore, http: httpx.AsyncClient
) -> None:
    assert await granted(http, Attempt.new(), "nothing") == ""
    assert await granted(http, Attempt.new(), token(store, minutes=-10)) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://elsewhere.example/"},
        {"redirect_uri": "http://127.0.0.1.elsewhere.example/"},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"client_id": "another"},
        {"response_type": "token"},
    ],
)
async def test_only_pages_of_this_machine_ask_and_only_with_pkce(
    store: KeyStore, http: httpx.AsyncClient, change: dict[str, str]
) -> None:
    asked = {**httpx.URL(await flow(http).address(Attempt.new(), BACK)).params, **change}
    assert (await http.get("/authorize", params=asked)).status_code == 400
    assert (await http.post("/authorize", data={**asked, "token": token(store)})).status_code == 400


async def test_a_code_lasts_a_minute(store: KeyStore) -> None:
    now = 0.0
    login = Login(store.path(ISSUER), URL, "madoguchi", monotonic=lambda: now)
    discovery = Route(
        "/.well-known/openid-configuration",
        lambda _: JSONResponse({"issuer": URL, **discovered(URL)}),
    )
    transport = httpx.ASGITransport(Starlette(routes=[discovery, *login.routes()]))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
        attempt = Attempt.new()
        code = await granted(http, attempt, token(store))
        now = 61.0
        with pytest.raises(SignInRefused):
            await flow(http).token(attempt, code, BACK)
