"""The public page as people see it: in their language, on a small screen too, with no complaint."""

from playwright.async_api import expect

from tests.reporting.conftest import Reporting
from tests.reporting.histories import RENEWAL, done, tokyo
from tests.support.browser import browse, served


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
