"""The dashboard's picture in the documentation, made from a house that runs beside it.

Nothing on them is drawn by hand: a planner signs in at the house's issuer and looks. Which day it
is, and how much happens, is the house's affair; take them while a day of the demo is under way.
"""

import argparse
import asyncio
import os
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from deploy.embedded.issuer import sign
from deploy.embedded.keys import ISSUER, KeyStore
from deploy.embedded.plan import Plan
from services.reporting.api.board.board import PageName
from shared.security.principal import EVERY_SITE, Role
from tests.support.browser import chromium

WIDTH, HEIGHT = 1280, 655
"""Pixels of the picture: what is seen without scrolling."""


async def take(page: Page, address: str, token: str, picture: Path) -> None:
    """Sign in, wait until each chart is drawn, and keep what is seen."""
    await page.goto(address)
    await page.get_by_role("button").click()
    await page.locator("#token").fill(token)
    await page.keyboard.press("Enter")
    await expect(page.locator("body[data-ready]")).to_have_count(1, timeout=60_000)
    await expect(page.locator(".plot:not([data-drawn])")).to_have_count(0)
    await page.screenshot(path=picture)


async def main() -> None:
    """Take one picture of the house that runs."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--page", choices=list(PageName), default=PageName.TODAY)
    asked.add_argument("--to", type=Path, default=Path("docs/dashboard.png"))
    asked.add_argument("--data", type=Path, default=Path(".madoguchi/demo"))
    wanted = asked.parse_args()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(locale="en", viewport={"width": WIDTH, "height": HEIGHT})
        plan = Plan.read(wanted.data, os.environ)
        keys = KeyStore(plan.home.keys).path(ISSUER)
        token = sign(keys, plan.issuer, subject="planner", roles=[Role.PLANNER], sites=[EVERY_SITE])
        address = f"{plan.url('reporting')}/dashboard/{wanted.page}?lang=en"
        await take(page, address, token, wanted.to)
        await browser.close()
    print(wanted.to)


if __name__ == "__main__":
    asyncio.run(main())
