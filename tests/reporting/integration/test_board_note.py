"""Taking note of an alert on the page of today: by the rule of the API, by own forms alone."""

import re

import httpx
import pytest

from shared.ids import new_id
from tests.reporting.board_scene import scene
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import DAY, OFFICE
from tests.reporting.integration.test_dashboard import Reader

HTML = {"accept": "text/html"}
HISTORY = f"/v1/alerts/history?from={DAY}&to={DAY}"


@pytest.fixture
async def told(reporting: Reporting) -> Reporting:
    """The room with alerts of the office and of the whole city."""
    await scene(reporting)
    return reporting


async def forms(told: Reporting, who: str) -> tuple[list[str], str]:
    """The addresses of the buttons that somebody sees, and the mark of their forms."""
    told.client.cookies.set("madoguchi_dashboard", who)
    page = Reader((await told.get("/dashboard/today?lang=en", None, **HTML)).text)
    addresses = [each["action"] or "" for each in page.all("form")]
    marks = {each["value"] or "" for each in page.all("input") if each.get("name") == "csrf"}
    assert len(marks) == 1
    return [each for each in addresses if each.startswith("alerts/")], marks.pop()


async def press(told: Reporting, address: str, csrf: str, **headers: str) -> httpx.Response:
    return await told.client.post(
        f"/dashboard/{address}", data={"csrf": csrf}, headers=HTML | headers
    )


async def test_each_sees_the_buttons_of_what_is_theirs(told: Reporting) -> None:
    kept = (await told.get(HISTORY)).json()["items"]
    own = [each for each in kept if each["site_id"] == OFFICE]
    assert 0 < len(own) < len(kept)
    for who, seen in (("planner", kept), ("supervisor", kept), ("own", own), ("auditor", [])):
        addresses, _ = await forms(told, who)
        ids = {re.split("/", each)[1] for each in addresses}
        assert ids == {each["alert_id"] for each in seen}, who


async def test_a_press_is_the_api_s_command_and_is_seen_at_once(told: Reporting) -> None:
    addresses, csrf = await forms(told, "own")
    answer = await press(told, addresses[0], csrf)
    assert (answer.status_code, answer.headers["location"]) == (303, "../../today?lang=en#alerts")
    assert (await forms(told, "own"))[0] == addresses[1:]
    alert_id = addresses[0].split("/")[1]
    (kept,) = [e for e in (await told.get(HISTORY)).json()["items"] if e["alert_id"] == alert_id]
    assert kept["acknowledged_by"] == "staff:own"
    async with told.database.reader() as conn:
        audited = await conn.fetch("SELECT action, subject, actor FROM audit_entry")
    assert [tuple(each) for each in audited][-1] == ("alert.acknowledged", alert_id, "staff:own")
    assert "staff:own (Tue 14 Jul 11:20)" in (await told.get("/dashboard/today?lang=en")).text
    assert (await press(told, addresses[0], csrf)).status_code == 303, "again changes nothing"


async def test_nobody_else_s_and_no_other_site_s_form_counts(told: Reporting) -> None:
    all_of_them, _ = await forms(told, "planner")
    own, csrf = await forms(told, "own")
    (of_the_city, *_) = [each for each in all_of_them if each not in own]
    assert (await press(told, of_the_city, csrf)).status_code == 403
    assert (await press(told, own[0], "0" * 64)).status_code == 400
    assert (await press(told, own[0], "")).status_code == 400
    elsewhere = await press(told, own[0], csrf, origin="https://elsewhere.example")
    assert elsewhere.status_code == 400
    assert "<h1>This form is not valid any more</h1>" in elsewhere.text
    assert 'href="../../today?lang=en"' in elsewhere.text
    entrance = await told.client.post(
        "/dashboard/session", headers=HTML | {"origin": "https://elsewhere.example"}
    )
    assert (entrance.status_code, "</h1>" in entrance.text) == (400, True)
    _, auditor = await forms(told, "auditor")
    assert (await press(told, own[0], auditor)).status_code == 403
    kept = (await told.get(HISTORY)).json()["items"]
    assert not any(each["acknowledged_by"] for each in kept)


async def test_who_has_signed_out_meanwhile_is_led_to_sign_in(told: Reporting) -> None:
    own, csrf = await forms(told, "own")
    told.client.cookies.clear()
    answer = await press(told, own[0], csrf)
    assert (answer.status_code, answer.headers["location"]) == (303, "../../sign-in")


async def test_an_alert_that_is_not_there_is_told_on_a_page(told: Reporting) -> None:
    own, csrf = await forms(told, "own")
    answer = await press(told, own[0].replace(own[0].split("/")[1], str(new_id())), csrf)
    assert (answer.status_code, "</h1>" in answer.text) == (404, True)
    assert 'href="../../today?lang=en"' in answer.text
