"""Rooms believe what the development issuer signs, through what it publishes and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import jwt
import pytest
import pytest_asyncio

from deploy.embedded.issuer import create_issuer, sign
from deploy.embedded.keys import ISSUER, KeyStore
from shared.errors import Unauthorized
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
