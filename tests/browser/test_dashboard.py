"""The dashboard as people see it: in their language, on a small screen too, with no complaint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from services.reporting.api.board.words import PAGES
from shared.errors import Language
from tests.reporting.board_scene import scene, with_processes
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import OFFICE, at, later_walk_in, story
from tests.reporting.histories import RENEWAL, done, tokyo
from tests.support.browser import Watched, browse, refuse_first, served

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
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


async def drawn(page: Page, scheme: Scheme = "light") -> None:
    """Every chart of the page is there, in the colours of this scheme."""
    await expect(page.locator("body[data-ready]")).to_have_count(1)
    await expect(page.locator(f".plot:not([data-drawn={scheme}])")).to_have_count(0)


async def flaws(page: Page, only: str | None = None) -> list[str]:
    """What axe finds: WCAG 2.2 A and AA, and what is good practice; or one of its rules."""
    found = await Axe().run(page, options={"runOnly": [only]} if only else None)
    return [
        f"{each['id']}: {node['html']}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]


CUT_OFF = """[...document.querySelectorAll(".plot svg text")].filter((each) => {
  const [words, drawing] = [each, each.ownerSVGElement].map((one) => one.getBoundingClientRect());
  return words.left < drawing.left - 1 || words.right > drawing.right + 1;
}).map((each) => each.textContent)"""


@pytest.mark.timeout(900)  # six pages twice, on a machine that may be busy
@pytest.mark.parametrize(
    ("language", "width", "pictured"), [("ja", 1280, "light"), ("en", 390, "dark")]
)
async def test_no_page_has_a_flaw_or_a_complaint(
    reporting: Reporting,
    monkeypatch: pytest.MonkeyPatch,
    language: Language,
    width: int,
    pictured: Scheme,
) -> None:
    """With figures on each, in light and in dark; a picture of each is kept."""
    await scene(reporting)
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with (
        with_processes(reporting, monkeypatch),
        signed_in(reporting, language) as (watched, address),
    ):
        page, found = watched.page, dict[str, list[str]]()
        await page.set_viewport_size({"width": width, "height": 800})
        for name in (*PAGES, "sign-in"):
            await page.emulate_media(color_scheme="light")
            await page.goto(f"{address}/{name}?lang={language}")
            if name in PAGES:
                await drawn(page)
                await expect(page.locator("nav [aria-current]")).to_have_text(
                    PAGES[name][0].to(language)
                )
                assert await page.locator(".plot svg").count() >= 1, f"{name} has no figures"
                assert await page.evaluate(CUT_OFF) == [], name
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
            for scheme in SCHEMES:
                await page.emulate_media(color_scheme=scheme)
                if name in PAGES:
                    await drawn(page, scheme)
                only = "color-contrast" if scheme == "dark" else None
                found[f"{name}, {scheme}"] = await flaws(page, only)
                if scheme == pictured:
                    picture = PICTURES / f"{name}-{language}-{scheme}.png"
                    await page.screenshot(path=picture, full_page=True)
        await page.goto(f"{address}?lang={language}")
        found["the public page"] = await flaws(page)
        assert {name: each for name, each in found.items() if each} == {}
        assert watched.complaints == []


async def test_an_alert_is_taken_note_of_by_keyboard_and_without_script(
    reporting: Reporting,
) -> None:
    await scene(reporting)
    async with signed_in(reporting, "en") as (watched, address):
        page = watched.page
        await page.route("**/board.js*", lambda route: route.abort())
        await page.goto(f"{address}/today?lang=en")
        watched.complaints.clear()  # of the script that was not let in
        buttons = page.locator("#alerts button")
        before = await buttons.count()
        assert before > 0
        await buttons.first.focus()
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{address}/today?lang=en#alerts")
        await expect(buttons).to_have_count(before - 1)
        await expect(page.locator("#alerts")).to_contain_text("staff:planner (Tue 14 Jul 11:20)")


async def test_who_reads_at_the_far_end_of_a_table_stays_there(reporting: Reporting) -> None:
    await scene(reporting)
    async with signed_in(reporting, "en") as (watched, _):
        page = watched.page
        await page.set_viewport_size({"width": 390, "height": 800})
        table = page.locator("#sites .scroll").last
        await table.evaluate("each => { each.scrollLeft = 150; each.focus(); }")
        cell = page.get_by_role("row", name=f"Site {OFFICE}").locator("td").nth(1)
        waiting = int(await cell.inner_text())
        await reporting.hear(later_walk_in())
        await expect(cell).to_have_text(str(waiting + 1))
        await drawn(page)
        assert await table.evaluate("each => each.scrollLeft") == 150
        await expect(table).to_be_focused()
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
        assert (await row.locator("td").all_inner_texts())[1 : 1 + len(keys)] == cells
        reporting.clock.set(at(10, 47))
        await reporting.hear(later_walk_in())
        await expect(row.locator("td").nth(1)).to_have_text(str(office["waiting"] + 1))
        await expect(page.locator("#as-of")).to_contain_text("10:47")
        await drawn(page)
        await page.get_by_label("Live updates").uncheck()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="日本語")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("html")).to_have_attribute("lang", "ja")
        await page.wait_for_load_state()  # the choice is remembered by the page's script
        assert not await page.get_by_label("自動更新").is_checked()
        assert watched.complaints == []


async def test_a_page_that_was_refused_its_news_asks_again(reporting: Reporting) -> None:
    """As from a room that starts anew: a browser by itself would not."""
    await reporting.hear(story())
    reporting.clock.set(at(10, 45))
    async with signed_in(reporting, "en") as (watched, address):
        page = watched.page
        refused = await refuse_first(page, "**/today/live*")
        await page.goto(f"{address}/today?lang=en")
        await reporting.hear(later_walk_in())
        cell = page.get_by_role("row", name=f"Site {OFFICE}").locator("td").nth(1)
        await expect(cell).to_have_text("2")
        await expect(page.locator("#lost")).to_be_hidden()
        assert refused
