"""The checklist, certificates and a stop of the national system on the screen, in a browser."""

from playwright.async_api import expect

from shared.contracts.site import NationalSystemSuspended, SuspensionReason
from shared.ids import SuspensionId, derived_id
from tests.browser.test_counter import accessible, at_counter, press
from tests.issuance.house import House
from tests.issuance.support import CARD, OFFICE, RENEWAL, TEN, WARD, ok, replaces_another


async def test_the_checklist_is_worked_and_a_receipt_printed(house: House) -> None:
    case_id = await house.city.card()
    await house.city.hear(replaces_another(case_id))
    booking = await house.city.booking(case_id)
    ticket = ok(await house.clerk.check_in(booking_id=booking.booking_id))["ticket"]
    async with at_counter(house, "en") as watched:
        page = watched.page
        await press(page, "o")
        await expect(page.locator("h1")).to_contain_text("open")
        await press(page, "n")
        await expect(
            page.get_by_role("listitem").filter(has_text="Old card: to do")
        ).to_be_visible()
        await page.get_by_text("Somebody comes for the citizen").click()
        await page.get_by_label("power of attorney").check()
        await page.get_by_role("button", name="Note the proxy").click()
        await expect(page.get_by_text("Still lacking: evidence of the reason")).to_be_visible()
        await accessible(page)
        await page.get_by_role("button", name="The citizen is here after all").click()
        await page.get_by_label("A: driver's licence", exact=True).check()
        await page.get_by_role("button", name="Identity is proved").click()
        await page.get_by_label("What became of it").select_option("declared_lost")
        await page.locator("h1").click()
        await press(page, "c")
        await expect(page.get_by_role("button", name="The citizen has set the PIN")).to_be_visible()
        await press(page, "p")
        await expect(page.get_by_role("button", name="Card handed over")).to_be_visible()
        await press(page, "i")
        link = page.get_by_role("link", name="Print the receipt")
        await expect(link).to_be_visible()
        await page.goto(f"{house.address}{await link.get_attribute('href')}".replace("../..", ""))
        await expect(page.locator(".reference")).to_have_text(f"20260714-{ticket}-1")
        await expect(page.locator("h1")).to_contain_text("Receipt")
        await accessible(page)
        assert watched.complaints == []


async def test_what_to_bring_is_printed_for_who_comes_again(house: House) -> None:
    booking = await house.city.booking(await house.city.card())
    ok(await house.clerk.check_in(booking_id=booking.booking_id))
    async with at_counter(house) as watched:
        page = watched.page
        await press(page, "o")
        await expect(page.locator("h1")).to_contain_text("受付中")
        await press(page, "n")
        await page.get_by_role("button", name="後日再来庁").click()
        link = page.get_by_role("link", name="持ち物の案内を印刷")
        await page.goto(f"{house.address}{await link.get_attribute('href')}".replace("../..", ""))
        await expect(page.locator("h1")).to_contain_text("再来庁のご案内")
        await expect(page.get_by_text("本人確認書類：")).to_be_visible()
        assert watched.complaints == []


async def test_certificates_are_unlocked_and_the_system_stops_midway(house: House) -> None:
    await house.clerk.draw("certificate_renewal", ward=WARD)
    async with at_counter(house, "en") as watched:
        page = watched.page
        await press(page, "o")
        await expect(page.locator("h1")).to_contain_text("open")
        await press(page, "n")
        await page.get_by_label("Signing").select_option("locked")
        await page.get_by_label("User authentication").select_option("valid")
        await page.locator("h1").click()
        await press(page, "y")
        await expect(page.get_by_text("Next: reset the PIN")).to_be_visible()
        await accessible(page)
        await page.get_by_role("button", name="The PIN was reset (Signing)").click()
        await expect(page.get_by_text("Next: confirm the PIN")).to_be_visible()
        await house.city.hear(
            NationalSystemSuspended(
                site_id=OFFICE,
                suspension_id=SuspensionId(derived_id("outage")),
                procedures=(CARD, RENEWAL),
                starts_at=TEN,
                reason=SuspensionReason.OUTAGE,
            )
        )
        await press(page, "p")
        await expect(page.get_by_role("alert")).to_contain_text("cannot be used now")
        await expect(page.locator("#national")).to_contain_text("outage")
        await accessible(page)
        await page.get_by_role("button", name="Let the party wait").click()
        await expect(page.get_by_text("Nobody is at this counter.")).to_be_visible()
        await page.goto(f"{house.address}/board/{OFFICE}")
        await expect(page.locator("#stopped")).to_be_visible()
        assert [one for one in watched.complaints if "409" not in one] == []
