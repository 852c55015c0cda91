"""The counter screen and the board as clerks and citizens meet them, in a real browser."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from shared.contracts.site import NationalSystemSuspended, SuspensionReason
from shared.ids import SuspensionId, derived_id
from tests.issuance.house import House
from tests.issuance.support import OFFICE, RENEWAL, TEN, WARD, ok
from tests.support.browser import Watched, browse, refuse_first

CONTRASTS = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.offsetParent || element.matches('script, style, option')) continue;
    const [one, two] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    found.push([element.textContent.trim().slice(0, 30), ratio]);
  }
  return found;
}"""
UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, button, a')]
  .filter((e) => !(e.labels?.length || e.textContent.trim() || e.getAttribute('aria-label')))
  .map((e) => e.outerHTML)"""
SMALL = """() => [...document.querySelectorAll('button, select, input[type=text]')]
  .filter((e) => e.offsetParent)
  .filter((e) => Math.min(e.offsetWidth, e.offsetHeight) < 24)
  .map((e) => e.outerHTML)"""
SIZES = """(choice) => [...document.querySelectorAll(choice)].filter((e) => e.offsetParent)
  .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
  .map((e) => parseFloat(getComputedStyle(e).fontSize))"""

STOPS = NationalSystemSuspended(
    site_id=OFFICE,
    suspension_id=SuspensionId(derived_id("outage")),
    procedures=(RENEWAL,),
    starts_at=TEN,
    ends_at=TEN + timedelta(hours=2),
    reason=SuspensionReason.OUTAGE,
)

STOPS_LONGER = STOPS.model_copy(
    update={
        "suspension_id": SuspensionId(derived_id("longer")),
        "ends_at": TEN + timedelta(hours=23),
    }
)


@asynccontextmanager
async def at_counter(
    house: House, language: str = "ja", counter: str = "3"
) -> AsyncIterator[Watched]:
    """A clerk who has signed in to a counter."""
    async with browse(language) as watched:
        page = watched.page
        await page.goto(f"{house.address}/counter/{OFFICE}/{counter}")
        await page.locator("#site_id").fill(OFFICE)
        await page.locator("#counter").fill(counter)
        await page.locator("#token").fill("clerk")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{house.address}/counter/{OFFICE}/{counter}")
        yield watched


async def press(page: Page, key: str) -> None:
    """Press a key of the screen. It listens from the moment the page that shows it is whole."""
    await page.wait_for_load_state()
    await page.keyboard.press(key)


async def accessible(page: Page, least: float = 4.5) -> None:
    """What a machine can tell of WCAG 2.2 AA: contrast, names, sizes, language, one heading."""
    for text, ratio in await page.evaluate(CONTRASTS):
        assert ratio >= least, (text, ratio)
    assert await page.evaluate(UNNAMED) == []
    assert await page.evaluate(SMALL) == []
    assert await page.locator("h1").count() == 1
    assert await page.locator("html").get_attribute("lang") in {"ja", "en"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_card_is_handed_over_with_the_keyboard_alone(house: House, scheme: str) -> None:
    booking = await house.city.booking(await house.city.card())
    ticket = ok(await house.clerk.check_in(booking_id=booking.booking_id))["ticket"]
    async with at_counter(house, "en") as watched:
        page = watched.page
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await press(page, "o")
        await expect(page.locator("h1")).to_contain_text("open")
        await accessible(page)
        await press(page, "n")
        await expect(page.locator("#ticket")).to_have_text(ticket)
        await accessible(page)
        licence = page.get_by_label("A: driver's licence")
        await licence.focus()
        await page.keyboard.press("Space")
        await page.get_by_role("button", name="Identity is proved").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="The citizen has set the PIN")).to_be_visible()
        await press(page, "p")
        await expect(page.get_by_role("button", name="Card handed over")).to_be_visible()
        await press(page, "i")
        await expect(page.get_by_text("Nobody is at this counter.")).to_be_visible()
        assert watched.complaints == []
    assert (await house.city.types_said(booking.case_id)).count("card.issued.v1") == 1


async def test_a_refusal_says_why_and_what_to_do(house: House) -> None:
    booking = await house.city.booking(await house.city.card())
    ok(await house.clerk.check_in(booking_id=booking.booking_id))
    async with at_counter(house) as watched:
        page = watched.page
        await press(page, "o")
        await expect(page.locator("h1")).to_contain_text("受付中")
        await press(page, "n")
        await page.get_by_label("B: 学生証").check()
        await page.get_by_role("button", name="本人確認済み").click()
        await expect(page.get_by_role("alert")).to_contain_text("本人確認ができません")
        await accessible(page)
        await page.get_by_label("A: 旅券").check()
        await page.get_by_role("button", name="本人確認済み").click()
        await expect(page.get_by_role("button", name="暗証番号の設定を確認")).to_be_visible()


async def test_the_queue_is_shown_and_a_party_is_sent_on(house: House) -> None:
    await house.clerk.open("4")
    first = await house.clerk.draw()
    second = await house.clerk.draw("certificate_renewal", ward=WARD)
    async with at_counter(house) as watched:
        page = watched.page
        await press(page, "o")
        await expect(page.locator("h1")).to_contain_text("受付中")
        await expect(page.locator("#waiting-count")).to_have_text("2")
        third = await house.clerk.draw()
        await expect(page.locator("#waiting-count")).to_have_text("3")
        await expect(page.locator("#changed")).to_be_visible()
        await press(page, "n")
        await expect(page.locator("#ticket")).to_have_text(first["ticket"])
        await page.get_by_label("案内先").select_option("4")
        await page.get_by_role("button", name="他窓口へ案内").click()
        await expect(page.locator("#ticket")).to_have_count(0)
        await press(page, "n")
        await expect(page.locator("#ticket")).to_have_text(second["ticket"])
        await press(page, "s")
        await expect(page.locator("#ticket")).to_have_count(0)
        await press(page, "n")
        await expect(page.locator("#ticket")).to_have_text(third["ticket"])
        await press(page, "d")
        await expect(page.locator("#ticket")).to_have_count(0)
        assert watched.complaints == []
    taken = await house.clerk.next("4")
    assert taken is not None
    assert taken["ticket"] == first["ticket"]


async def test_keys_can_be_turned_off_and_the_language_changed(house: House) -> None:
    async with at_counter(house, "en") as watched:
        page = watched.page
        await page.get_by_label("One-key shortcuts").uncheck()
        await press(page, "o")
        await page.reload()
        await expect(page.locator("h1")).to_contain_text("closed")
        await page.get_by_role("link", name="日本語").click()
        await expect(page.locator("html")).to_have_attribute("lang", "ja")
        await page.get_by_role("button", name="窓口を開く").click()
        await expect(page.locator("h1")).to_contain_text("受付中")
        await expect(page.locator("html")).to_have_attribute("lang", "ja")


async def test_the_token_is_out_of_reach_and_forms_are_the_sessions_own(house: House) -> None:
    async with at_counter(house) as watched:
        page = watched.page
        assert "clerk" not in await page.evaluate("document.cookie")
        (kept,) = [c for c in await page.context.cookies() if c["name"] == "madoguchi_counter"]
        assert (kept["httpOnly"], kept["sameSite"]) == (True, "Strict")
        path = f"{house.address}/counter/{OFFICE}/3/open"
        forged = await page.request.post(path, form={"purpose": "question", "csrf": "0" * 64})
        assert (forged.status, (await forged.json())["type"]) == (
            400,
            "urn:madoguchi:problem:form-expired",
        )
        shown = await page.request.post(
            path, form={"csrf": "0" * 64}, headers={"accept": "text/html"}
        )
        assert shown.status == 400
        assert f'href="../../{OFFICE}/3?lang=' in await shown.text()
        api = await page.request.get(f"{house.address}/v1/counters?site_id={OFFICE}")
        assert api.status == 401, "the cookie opens the pages and nothing else"
        await page.get_by_role("button", name="サインアウト").click()
        await expect(page.locator("#token")).to_be_visible()


async def test_a_token_that_does_not_hold_is_refused(house: House) -> None:
    async with browse("en") as watched:
        page = watched.page
        await page.goto(f"{house.address}/counter/sign-in")
        await accessible(page)
        await page.locator("#site_id").fill(OFFICE)
        await page.locator("#counter").fill("3")
        await page.locator("#token").fill("nobody")
        await page.get_by_role("button").click()
        await expect(page.get_by_role("alert")).to_contain_text("does not hold")
        await expect(page.locator("#counter")).to_have_value("3")


async def test_the_board_follows_calls_and_is_read_from_five_metres(house: House) -> None:
    await house.clerk.open("1")
    await house.clerk.open("2")
    tickets = [(await house.clerk.draw())["ticket"] for _ in range(9)]
    await house.clerk.next("1")
    async with browse("ja") as watched:
        page = watched.page
        await page.set_viewport_size({"width": 1920, "height": 1080})
        await page.goto(f"{house.address}/board/{OFFICE}")
        await expect(page.locator("#called li")).to_have_count(1)
        await expect(page.locator("#called li").first).to_contain_text(tickets[0])
        await house.clerk.next("2")
        await expect(page.locator("#called li")).to_have_count(2)
        await expect(page.locator("#waiting li")).to_have_count(7)
        await expect(page.locator("#count")).to_have_text("7")
        # A 43 inch screen of 1,920 pixels is 952 mm wide: 100 pixels are 50 mm, 50 are 25 mm.
        called = await page.evaluate(SIZES, "#called strong, #called b")
        every = await page.evaluate(SIZES, "h1, h2, li, li span, small, #count")
        assert min(called) >= 100
        assert min(every) >= 50
        await accessible(page, least=7)
        fits = "document.documentElement.scrollWidth <= 1920"
        assert await page.evaluate(fits)
        last = page.locator("#waiting li").last
        assert await last.evaluate("(e) => e.getBoundingClientRect().bottom <= innerHeight")
        await house.clerk.draw("certificate_renewal", ward=WARD)
        await house.city.hear(STOPS)
        await expect(last).to_contain_text("中断")
        await expect(page.locator("#stopped")).to_contain_text("再開予定")
        await expect(page.locator("#until-at")).to_have_text("12:00")
        await expect(page.locator("#until-at-en")).to_have_text("12:00")
        assert min(await page.evaluate(SIZES, "#stopped, #stopped span, #stopped b")) >= 50
        height = "(e) => e.clientHeight"
        with_time_alone = await page.locator("#stopped").evaluate(height)
        await house.city.hear(STOPS_LONGER)
        await expect(page.locator("#until-at")).to_have_text("7月15日 09:00")
        await expect(page.locator("#until-at-en")).to_have_text("Jul 15, 09:00")
        assert await page.locator("#stopped").evaluate(height) <= with_time_alone, "hides no more"
        assert watched.complaints == []


async def test_a_board_that_was_refused_its_news_asks_again(house: House) -> None:
    """It hangs on a wall where nobody reloads it."""
    await house.clerk.open("1")
    async with browse("ja") as watched:
        page = watched.page
        refused = await refuse_first(page, "**/v1/board?*")
        await page.goto(f"{house.address}/board/{OFFICE}")
        ticket = (await house.clerk.draw())["ticket"]
        await house.clerk.next("1")
        await expect(page.locator("#called li")).to_have_text(re.compile(ticket))
        await expect(page.locator("#lost")).to_be_hidden()
        assert refused
