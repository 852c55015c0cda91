"""A real browser for tests: Debian's Chromium, which loads nothing but what the test serves."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route, async_playwright, expect
from starlette.types import ASGIApp

from deploy.embedded.ports import LOOPBACK, answers, free_port
from shared.http.server import serve

INSTALL = "apt-get install --no-install-recommends chromium fonts-ipafont-gothic"
REQUIRED = "MADOGUCHI_REQUIRE_BROWSER"
_PATIENCE_MS = 20_000  # what a busy machine may take: a promise kept late is still kept
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")


def chromium() -> str:
    """Its path; without it the test is skipped, or fails where a browser is required."""
    if found := shutil.which("chromium"):
        return found
    reason = f"Chromium is missing. Install it with: {INSTALL}"
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


class Watched:
    """A page, and what went wrong on it without anybody seeing."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda line: self.complaints.append(line.text) if line.type == "error" else None,
        )

    async def only_from_here(self, route: Route) -> None:
        """Let a page have what this machine serves, and nothing from elsewhere."""
        if urlsplit(route.request.url).hostname == LOOPBACK:
            await route.continue_()
        else:
            self.complaints.append(f"asked elsewhere: {route.request.url}")
            await route.abort()


async def refuse_first(page: Page, addresses: str) -> list[str]:
    """Let the first request to such an address be refused, as by a room that starts anew; which
    it was is in the list from then on."""
    refused: list[str] = []

    async def answer(route: Route) -> None:
        if refused:
            await route.fallback()
            return
        refused.append(route.request.url)
        await route.fulfill(status=503)

    await page.route(addresses, answer)
    return refused


@asynccontextmanager
async def browse(language: str = "ja") -> AsyncIterator[Watched]:
    """A new page of somebody who reads ``language``."""
    expect.set_options(timeout=_PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=[*_QUIET])
        try:
            watched = Watched(await browser.new_page(locale=language))
            await watched.page.route("**/*", watched.only_from_here)
            yield watched
        finally:
            await browser.close()


@asynccontextmanager
async def served(app: ASGIApp, port: int | None = None) -> AsyncIterator[str]:
    """The address under which ``app`` is there for a browser."""
    port = port or free_port()
    serving = asyncio.create_task(serve(app, host=LOOPBACK, port=port))
    try:
        await _until_it_answers(port)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def _until_it_answers(port: int) -> None:
    for _ in range(500):
        if answers(port):
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"nothing answers on port {port}")
