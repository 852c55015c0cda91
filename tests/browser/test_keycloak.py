"""Staff sign in at a real Keycloak with the realm that is deployed, and programs get their tokens.

Run by ``make proofs``: Keycloak is fetched, builds itself and starts, which takes minutes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from deploy.embedded.ports import LOOPBACK, free_ports
from services.issuance.api import build
from services.reporting.api import build as build_reporting
from shared.clock import FixedClock
from shared.db import Database
from shared.http.resources import Resources
from shared.security.jwks import RemoteKeys
from shared.security.oidc import TokenVerifier, staff_issuer
from tests.issuance.support import OFFICE, TEN, resources
from tests.reporting.conftest import Reporting
from tests.support.browser import browse, served
from tests.support.keycloak import PASSWORD, SECRET, keycloak
from tests.support.messaging import metrics

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(1500),
    pytest.mark.whole,
]
SATELLITE = OFFICE
PATIENCE = 120
"""Seconds that Keycloak may take to answer on a busy machine."""


@dataclass
class House:
    """The pages of two rooms, and the issuer that both believe."""

    counter: str
    dashboard: str
    issuer: str

    async def token(self, http: httpx.AsyncClient, client: str) -> str:
        """A program's token."""
        answer = await http.post(
            f"{self.issuer}/protocol/openid-connect/token",
            data={
                "grant_type": "client_credentials",
                "client_id": client,
                "client_secret": SECRET,
            },
        )
        return str(answer.raise_for_status().json()["access_token"])


@asynccontextmanager
async def house(
    database: Database, reporting: Reporting, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """Both rooms on real ports, told of Keycloak as the containers are."""
    ports = dict(zip(("issuance", "reporting"), free_ports(2), strict=True))
    pages = {room: f"http://{LOOPBACK}:{port}" for room, port in ports.items()}
    told = {f"MADOGUCHI_{room.upper()}_PAGE_URL": url for room, url in pages.items()}
    satellite = {"MADOGUCHI_SATELLITE_ENABLED": "true", "MADOGUCHI_SATELLITE_SITE": SATELLITE}
    async with (
        keycloak(folder, {**told, **satellite}) as issuer,
        httpx.AsyncClient(timeout=30) as http,
    ):
        for name, value in told.items():
            monkeypatch.setenv(name, value)
            monkeypatch.setenv(name.replace("_URL", "_CLIENT_ID"), "madoguchi-pages")
        monkeypatch.setenv("MADOGUCHI_OIDC_ISSUER", issuer)
        keys = RemoteKeys(http, issuer)
        verifier = TokenVerifier([staff_issuer(issuer, keys)], audience="madoguchi")
        made = resources(database, FixedClock(TEN))
        settings = made.settings.model_copy(update={"oidc_issuer": issuer})
        counter = build(replace(made, settings=settings, authenticate=verifier.authenticate))
        dashboard = build_reporting(
            Resources(
                room="reporting",
                units=reporting.units,
                authenticate=verifier.authenticate,
                metrics=metrics(),
            )
        )
        async with (
            served(counter, ports["issuance"]) as at,
            served(dashboard, ports["reporting"]) as board,
        ):
            yield House(f"{at}/counter", f"{board}/dashboard", issuer)


async def at_keycloak(page: Page, name: str) -> None:
    """Fill in Keycloak's own page."""
    await expect(page.locator("#kc-page-title")).to_be_visible(timeout=PATIENCE * 1000)
    await page.locator("#username").fill(name)
    await page.locator("#password").fill(PASSWORD)
    await page.keyboard.press("Enter")


async def test_staff_and_programs_get_in_by_a_real_keycloak(
    database: Database, reporting: Reporting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(database, reporting, tmp_path, monkeypatch) as here:
        # First, because Keycloak makes its pages when they are asked for the first time.
        await _nobody_is_sent_elsewhere(here)
        await _programs_get_tokens(here)
        await _a_clerk_reaches_the_counter(here)
        await _a_planner_reaches_the_dashboard(here)


async def _a_clerk_reaches_the_counter(here: House) -> None:
    async with browse("en") as watched:
        page = watched.page
        await page.goto(f"{here.counter}/{OFFICE}/3")
        await page.locator("#site_id").fill(OFFICE)
        await page.locator("#counter").fill("3")
        await page.keyboard.press("Enter")
        await at_keycloak(page, "demo-clerk")
        await expect(page).to_have_url(f"{here.counter}/{OFFICE}/3")
        await expect(page.locator("h1")).to_contain_text("Counter 3")
        await page.keyboard.press("o")
        await expect(page.locator("h1")).to_contain_text("open")
        await page.goto(f"{here.counter}/elsewhere/3")
        await expect(page.locator("h1")).to_have_text("You may not do this")
        await page.get_by_role("button", name="Sign out").click()
        await page.locator("#kc-logout").click()
        await expect(page).to_have_url(f"{here.counter}/sign-in")


async def _a_planner_reaches_the_dashboard(here: House) -> None:
    async with browse("en") as watched:
        page = watched.page
        await page.goto(f"{here.dashboard}/booking?lang=en")
        await page.get_by_role("button").click()
        await at_keycloak(page, "demo-planner")
        await expect(page).to_have_url(f"{here.dashboard}/booking?lang=en")
        await expect(page.locator("h1")).to_have_text("Booking")


async def _programs_get_tokens(here: House) -> None:
    lease = "/v1/satellites/{}:lease"
    base = here.counter.removesuffix("/counter")
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as http:
        token = await here.token(http, "madoguchi-satellite")
        headers = {"Authorization": f"Bearer {token}"}
        body = {"holder": "00000000-0000-7000-8000-000000000001"}
        own = await http.post(lease.format(SATELLITE), json=body, headers=headers)
        assert own.json()["type"].endswith("satellite-not-known"), "let in; none is set up"
        other = await http.post(lease.format("elsewhere"), json=body, headers=headers)
        assert other.status_code == 403
        everywhere = {"Authorization": f"Bearer {await here.token(http, 'madoguchi-system')}"}
        assert (await http.get("/v1/dead-letters", headers=everywhere)).status_code == 200


async def _nobody_is_sent_elsewhere(here: House) -> None:
    asked = {"client_id": "madoguchi-pages", "response_type": "code", "scope": "openid"}
    proof = {"code_challenge": "a" * 43, "code_challenge_method": "S256"}
    door = f"{here.issuer}/protocol/openid-connect/auth"
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        for back, status in (
            (f"{here.counter}/callback", 200),
            (f"{here.counter}/callback/../elsewhere", 400),
            ("http://127.0.0.1:5173/anything", 400),
        ):
            params = {**asked, **proof, "redirect_uri": back}
            assert (await http.get(door, params=params)).status_code == status, back
        bare = {**asked, "redirect_uri": f"{here.counter}/callback"}
        answer = await http.get(door, params=bare)
        assert "code_challenge_method" in answer.headers["location"], "PKCE is required"
