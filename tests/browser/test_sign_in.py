"""A clerk signs in by authorization code with PKCE at the development issuer, in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from deploy.embedded.issuer import create_issuer, sign
from deploy.embedded.issuer_login import CLIENT
from deploy.embedded.keys import ISSUER, KeyStore
from deploy.embedded.ports import LOOPBACK, free_port
from services.issuance.api import build
from shared.clock import FixedClock
from shared.db import Database
from shared.security.jwks import RemoteKeys
from shared.security.oidc import TokenVerifier, staff_issuer
from shared.security.principal import Role
from tests.browser.test_counter import accessible
from tests.issuance.support import OFFICE, TEN, resources
from tests.support.browser import browse, served


@dataclass
class Entrance:
    """The room and the issuer on real ports, and a token of a clerk."""

    address: str
    token: str


@asynccontextmanager
async def entrance(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Entrance]:
    """A room that believes the development issuer alone."""
    own = free_port()
    monkeypatch.setenv("MADOGUCHI_ISSUANCE_PAGE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("MADOGUCHI_ISSUANCE_PAGE_URL", f"http://{LOOPBACK}:{own}")
    keys = KeyStore(folder / "keys")
    keys.ensure()
    port = free_port()
    issuer = f"http://{LOOPBACK}:{port}"
    async with httpx.AsyncClient() as http, served(create_issuer(keys.path(ISSUER), issuer), port):
        verifier = TokenVerifier(
            [staff_issuer(issuer, RemoteKeys(http, issuer))], audience="madoguchi"
        )
        made = resources(database, FixedClock(TEN))
        settings = made.settings.model_copy(update={"oidc_issuer": issuer})
        app = build(replace(made, settings=settings, authenticate=verifier.authenticate))
        token = sign(
            keys.path(ISSUER), issuer, subject="clerk-7", roles=[Role.CLERK], sites=[OFFICE]
        )
        async with served(app, own) as address:
            yield Entrance(address, token)


async def test_a_clerk_signs_in_at_the_issuer_and_comes_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with entrance(database, tmp_path, monkeypatch) as here, browse("en") as watched:
        page = watched.page
        await page.goto(f"{here.address}/counter/{OFFICE}/3")
        await accessible(page)
        assert await page.locator("#token").count() == 0, "no token is given to this page"
        await page.locator("#site_id").fill(OFFICE)
        await page.locator("#counter").fill("3")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("Development sign-in")
        await page.locator("#token").fill(here.token)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{here.address}/counter/{OFFICE}/3")
        await expect(page.locator("h1")).to_contain_text("Counter 3")
        cookies = {one["name"]: one for one in await page.context.cookies()}
        assert set(cookies) == {"madoguchi_counter"}, "what tied the answer is gone"
        kept = cookies["madoguchi_counter"]
        assert (kept["httpOnly"], kept["sameSite"]) == (True, "Strict")
        assert watched.complaints == []
        await page.goto(f"{here.address}/counter/elsewhere/3")
        await expect(page.locator("h1")).to_have_text("You may not do this")
        await accessible(page)
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_url(f"{here.address}/counter/sign-in")
        assert await page.context.cookies() == []


async def test_an_answer_to_another_question_lets_nobody_in(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with entrance(database, tmp_path, monkeypatch) as here, httpx.AsyncClient() as client:
        page = f"{here.address}/counter"
        begun = await client.post(f"{page}/login", data={"site_id": OFFICE, "counter": "3"})
        assert "code_challenge_method=S256" in begun.text
        kept = begun.headers["set-cookie"]
        assert "HttpOnly" in kept
        assert "samesite=lax" in kept.lower()
        for state in ("", "another"):
            params = {"code": "x", "state": state}
            answer = await client.get(f"{page}/callback", params=params)
            assert answer.status_code == 401
            assert "madoguchi_counter=" not in answer.headers.get("set-cookie", "")
        own = {"site_id": OFFICE, "counter": "3", "token": here.token}
        assert (await client.post(f"{page}/session", data=own)).status_code == 404
        foreign = await client.post(
            f"{page}/login", data=own, headers={"Origin": "https://elsewhere.example"}
        )
        assert foreign.status_code == 400
