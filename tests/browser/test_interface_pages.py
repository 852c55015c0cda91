"""Every room's interface page shows its operations, with nothing asked from elsewhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import expect

from shared.db import Database
from tests.rooms.worlds import world
from tests.support.browser import browse, served
from tests.support.rooms import NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_operations_are_shown_with_their_examples(
    room_database: Callable[[str], Awaitable[Database]], tmp_path: Path, name: str
) -> None:
    made = await world(name, await room_database(name), tmp_path)
    async with served(made.app) as address, browse("en") as watched:
        page = watched.page
        document = await (await page.request.get(f"{address}/openapi.json")).json()
        operations = sum(len(item) for item in document["paths"].values())
        await page.goto(f"{address}/docs")
        await expect(page.locator(".opblock")).to_have_count(operations, timeout=30_000)
        first = page.locator(".opblock-post, .opblock-get").first
        await first.locator(".opblock-summary-control").click()
        await expect(first.locator(".responses-inner").first).to_be_visible()
        assert watched.complaints == []
