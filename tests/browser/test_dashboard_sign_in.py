"""The dashboard's entrance in a real browser: a planner by authorization code, and who may not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from deploy.embedded.issuer import create_issuer, sign
from deploy.embedded.issuer_login import CLIENT
from deploy.embedded.keys import ISSUER, KeyStore
from deploy.embedded.ports import LOOPBACK, free_ports
from services.reporting.api import build
from shared.http.resources import Resources
from shared.security.jwks import RemoteKeys
from shared.security.oidc import TokenVerifier, staff_issuer
from shared.security.principal import EVERY_SITE, Role
from tests.browser.test_dashboard import flaws
from tests.reporting.conftest import Reporting
from tests.support.browser import browse, served
from tests.support.messaging import metrics


@dataclass
class Entrance:
    """Where the dashboard is, and who can sign tokens for it."""

    address: str
    keys: Path
    issuer: str

    def token(self, role: Role) -> str:
        """A token of somebody with this role."""
        return sign(self.keys, self.issuer, subject=role.value, roles=[role], sites=[EVERY_SITE])


@asynccontextmanager
async def entrance(
    reporting: Reporting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Entrance]:
    """The room and the development issuer on real ports."""
    store = KeyStore(folder / "keys")
    store.ensure()
    own, port = free_ports(2)
    issuer = f"http://{LOOPBACK}:{port}"
    monkeypatch.setenv("MADOGUCHI_OIDC_ISSUER", issuer)
    monkeypatch.setenv("MADOGUCHI_REPORTING_PAGE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("MADOGUCHI_REPORTING_PAGE_URL", f"http://{LOOPBACK}:{own}")
    async with httpx.AsyncClient() as http, served(create_issuer(store.path(ISSUER), issuer), port):
        verifier = TokenVerifier(
            [staff_issuer(issuer, RemoteKeys(http, issuer))], audience="madoguchi"
        )
        app = build(
            Resources(
                room="reporting",
                units=reporting.units,
                authenticate=verifier.authenticate,
                metrics=metrics(),
            )
        )
        async with served(app, own) as address:
            yield Entrance(f"{address}/dashboard", store.path(ISSUER), issuer)


async def test_staff_sign_in_by_code_and_who_may_not_is_told_so(
    reporting: Reporting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with entrance(reporting, tmp_path, monkeypatch) as here, browse("en") as watched:
        page = watched.page

        async def sign_in(role: Role) -> None:
            await expect(page.locator("h1")).to_have_text("Sign in to the dashboard")
            assert await page.locator("#token").count() == 0, "no token is given to this page"
            await page.get_by_role("button").focus()
            await page.keyboard.press("Enter")
            await expect(page.locator("h1")).to_contain_text("Development sign-in")
            await page.locator("#token").fill(here.token(role))
            await page.keyboard.press("Enter")

        await page.goto(f"{here.address}/booking?lang=en")
        assert await flaws(page) == []
        await sign_in(Role.PLANNER)
        await expect(page).to_have_url(f"{here.address}/booking?lang=en")
        await expect(page.locator("h1")).to_have_text("Booking")
        cookies = {one["name"]: one for one in await page.context.cookies()}
        assert set(cookies) == {"madoguchi_dashboard"}, "what tied the answer is gone"
        kept = cookies["madoguchi_dashboard"]
        assert (kept["httpOnly"], kept["sameSite"]) == (True, "Strict")
        await page.get_by_role("button", name="Sign out").click()
        assert watched.complaints == []

        await sign_in(Role.CLERK)
        await expect(page.locator("h1")).to_have_text("You may not do this")
        assert await flaws(page) == []
        await page.get_by_role("link", name="日本語").click()
        await expect(page.locator("html")).to_have_attribute("lang", "ja")
        await expect(page.locator("h1")).to_have_text("この操作は許可されていません")
        await page.get_by_role("button", name="サインアウト").focus()
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{here.address}/sign-in")
        assert await page.context.cookies() == []
