"""The dashboard as people see it: in their language, on a small screen too, with no complaint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from services.reporting.api.board.words import PAGES
from shared.errors import Language
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import OFFICE, at, later_walk_in, story
from tests.reporting.histories import RENEWAL, done, tokyo
from tests.support.browser import Watched, browse, served

PICTURES = Path(__file__).parents[2] / "build/screenshots"


async def test_figures_are_seen_in_both_languages(reporting: Reporting) -> None:
    await reporting.hear([done(n, tokyo(2026, 4, 10)) for n in range(1201)])
    await reporting.hear([done(5000, tokyo(2026, 7, 1), procedure=RENEWAL)])
    async with served(reporting.app) as address, browse("ja") as watched:
        page = watched.page
        await page.goto(address)
        await expect(page.locator("html")).to_have_attribute("lang", "ja")
        await expect(page.locator(".figure.both dd")).to_have_text("1,202")
        await page.locator("a.language").click()
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await expect(page.get_by_role("row", name="(1) Cards issued")).to_contain_text("1,201")
        assert watched.complaints == []


async def test_the_style_sheet_applies_and_a_telephone_needs_no_scrolling_sideways(
    reporting: Reporting,
) -> None:
    await reporting.hear([done(1, tokyo(2026, 4, 10))])
    async with served(reporting.app) as address, browse() as watched:
        page = watched.page
        await page.set_viewport_size({"width": 360, "height": 740})
        await page.goto(address)
        assert await page.evaluate("getComputedStyle(document.body).margin") == "0px"
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        assert watched.complaints == []


async def test_years_are_turned_with_the_keyboard(reporting: Reporting) -> None:
    await reporting.hear([done(1, tokyo(2025, 4, 10)), done(2, tokyo(2026, 4, 10))])
    async with served(reporting.app) as address, browse("en") as watched:
        page = watched.page
        await page.goto(address)
        this_year = await page.locator("#year").inner_text()
        await page.locator("a[rel=prev]").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#year")).not_to_have_text(this_year)
        await expect(page.locator(".figure.both dd")).to_have_text("1")
        assert watched.complaints == []


@asynccontextmanager
async def signed_in(reporting: Reporting, language: Language) -> AsyncIterator[tuple[Watched, str]]:
    """A planner on the page of today, and the address of the dashboard."""
    async with served(reporting.app) as address, browse(language) as watched:
        page = watched.page
        await page.goto(f"{address}/dashboard/today")
        await page.locator("#token").fill("planner")
        await page.keyboard.press("Enter")
        await drawn(page)
        yield watched, f"{address}/dashboard"


async def drawn(page: Page) -> None:
    """Every chart of the page is there."""
    await expect(page.locator("body[data-ready]")).to_have_count(1)
    await expect(page.locator(".plot:not([data-drawn])")).to_have_count(0)


async def flaws(page: Page) -> list[str]:
    """What axe finds: WCAG 2.2 A and AA, and what is good practice."""
    found = await Axe().run(page)
    return [
        f"{each['id']}: {node['html']}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("ja", "light", 1280), ("en", "dark", 360)]
)
async def test_no_page_has_a_flaw_or_a_complaint(
    reporting: Reporting, language: Language, scheme: str, width: int
) -> None:
    await reporting.hear(story())
    reporting.clock.set(at(10, 45))
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with signed_in(reporting, language) as (watched, address):
        page, found = watched.page, dict[str, list[str]]()
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for name in (*PAGES, "sign-in"):
            await page.goto(f"{address}/{name}?lang={language}")
            if name in PAGES:
                await drawn(page)
                await expect(page.locator("nav [aria-current]")).to_have_text(
                    PAGES[name][0].to(language)
                )
            found[name] = await flaws(page)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
            await page.screenshot(path=PICTURES / f"{name}-{language}-{scheme}.png", full_page=True)
        await page.goto(f"{address}?lang={language}")
        found["the public page"] = await flaws(page)
        assert {name: each for name, each in found.items() if each} == {}
        assert watched.complaints == []


async def test_figures_are_those_of_the_api_and_change_with_them(reporting: Reporting) -> None:
    await reporting.hear(story())
    reporting.clock.set(at(10, 45))
    async with signed_in(reporting, "en") as (watched, _):
        page = watched.page
        row = page.get_by_role("row", name=f"Site {OFFICE}")
        told = (await reporting.get("/v1/reports/sites")).json()["rows"]
        (office,) = [each for each in told if each["site_id"] == OFFICE]
        keys = ("waiting", "longest_wait_minutes", "being_served", "served", "booked", "to_come")
        cells = [str(office[key]) for key in keys]
        assert (await row.locator("td").all_inner_texts())[: len(keys)] == cells
        await reporting.hear(later_walk_in())
        await expect(row.locator("td").first).to_have_text(str(office["waiting"] + 1))
        await drawn(page)
        await page.get_by_label("Live updates").uncheck()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="日本語")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("html")).to_have_attribute("lang", "ja")
        await page.wait_for_load_state()  # the choice is remembered by the page's script
        assert not await page.get_by_label("自動更新").is_checked()
        assert watched.complaints == []
