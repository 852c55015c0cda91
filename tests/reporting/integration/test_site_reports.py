"""Reports of sites say what can be counted by hand, whatever the order in which it was told."""

import random
from typing import Any

import pytest

from tests.reporting.conftest import Reporting
from tests.reporting.day_story import CENTER, DAY, LATER, OFFICE, at, story
from tests.reporting.histories import WARDS

SITES = "/v1/reports/sites"
ON_DAY = f"from={DAY}&to={DAY}"


@pytest.fixture(params=[0, 1], ids=["in order", "shuffled"])
async def told(reporting: Reporting, request: pytest.FixtureRequest) -> Reporting:
    """The room at eleven o'clock of the day, once all was told."""
    history = story()
    if request.param:
        random.Random(request.param).shuffle(history)
    for start in range(0, len(history), 9):
        await reporting.hear(history[start : start + 9])
    reporting.clock.set(at(11))
    return reporting


async def rows(reporting: Reporting, path: str) -> list[dict[str, Any]]:
    """The rows or items of an answer."""
    answer = await reporting.get(f"{SITES}{path}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json().get("rows") or answer.json().get("items", [])
    return found


async def test_each_site_now(told: Reporting) -> None:
    center, office = sorted(await rows(told, ""), key=lambda row: str(row["site_id"]))
    assert (center["site_id"], office["site_id"]) == (CENTER, OFFICE)
    expected = {
        "waiting": 1,
        "longest_wait_minutes": 20,
        "being_served": 0,
        "parties": 3,
        "served": 2,
        "booked": 3,
        "to_come": 0,
        "counters": 0,
        "wait_p50": 20.0,
        "wait_p90": 28.0,
        "late_batches": 1,
        "alarms": "nobody_serves late_transfer",
    }
    assert {key: office[key] for key in expected} == expected
    assert (center["parties"], center["alarms"]) == (0, "")


async def test_counters_are_those_at_work(told: Reporting) -> None:
    told.clock.set(at(10, 45))
    office = next(row for row in await rows(told, "") if row["site_id"] == OFFICE)
    assert (office["counters"], office["alarms"]) == (1, "late_transfer")


async def test_a_day_in_minutes(told: Reporting) -> None:
    center, office = await rows(told, f"/days?{ON_DAY}")
    expected = {
        "planned_minutes": 2 * 180,
        "offered_minutes": 18 * 20,
        "bookings": 3,
        "booked_minutes": 60,
        "open_minutes": 30,
        "used_minutes": 20,
        "no_shows": 1,
        "no_show_minutes": 20,
        "cancelled": 1,
        "parties": 3,
        "walk_ins": 2,
        "served": 2,
        "abandoned": 0,
    }
    assert {key: office[key] for key in expected} == expected
    assert (center["planned_minutes"], center["bookings"]) == (3 * 180, 0)
    (later,) = await rows(told, f"/days?from={LATER}&to={LATER}&site_id={CENTER}")
    # A holiday: nothing is planned, although seats were told and one is booked.
    assert (later["planned_minutes"], later["booked_minutes"]) == (0, 20)


async def test_an_hour_takes_its_part_of_a_booking(told: Reporting) -> None:
    found = await rows(told, f"/hours?{ON_DAY}&site_id={OFFICE}")
    hours = {row["hour"]: row for row in found}
    assert [hours[hour]["booked_minutes"] for hour in (9, 10, 11)] == [30, 30, 0]
    assert [hours[hour]["no_show_minutes"] for hour in (9, 10, 11)] == [0, 20, 0]
    assert {row["planned_minutes"] for row in found} == {120}
    assert {row["offered_minutes"] for row in found} == {120}
    assert (hours[9]["open_minutes"], hours[9]["used_minutes"]) == (30, 20)
    assert hours[10]["used_minutes"] is None


async def test_waiting_and_service(told: Reporting) -> None:
    office, every = await rows(told, f"/times?{ON_DAY}")
    assert office == every | {"site_id": OFFICE}
    assert (every["site_id"], every["wait_count"], every["service_count"]) == ("sum", 2, 2)
    assert [every[f"wait_{p}"] for p in ("p50", "p90", "p95")] == [20.0, 28.0, 29.0]
    assert every["service_p50"] == 25.0


async def test_the_first_free_day(told: Reporting) -> None:
    found = {row["site_id"]: row for row in await rows(told, "/first-free")}
    assert found[OFFICE]["first_free"] == str(LATER)
    assert found[CENTER]["days"] == 6
    wards = await rows(told, "/first-free?by=ward")
    cards = {row["ward"]: row for row in wards if row["procedure"] == "card_issuance"}
    assert cards[WARDS[1]]["site_id"] == CENTER
    assert cards[WARDS[0]]["first_free"] == str(LATER)
    assert {row["first_free"] for row in wards if row["procedure"] != "card_issuance"} == {None}


async def test_searches_in_vain(told: Reporting) -> None:
    async def sums(by: str) -> dict[str, tuple[int, int]]:
        answer = await told.get(f"/v1/reports/searches?from=2026-07-01&to={DAY}&by={by}")
        return {
            each["part"]: (each["searched"], each["refused"]) for each in answer.json()["items"]
        }

    assert await sums("ward") == {WARDS[0]: (90, 40), "any": (5, 0)}
    assert await sums("site") == {OFFICE: (10, 8), "any": (85, 32)}
    assert await sums("day") == {"2026-07-13": (50, 20), str(DAY): (45, 20)}
    long = await told.get("/v1/reports/searches?from=2026-04-13&to=2026-07-15")
    assert (long.status_code, long.json()["errors"][0]["field"]) == (400, "to")
    await told.hear(story())
    async with told.database.transaction() as conn:
        await conn.execute("TRUNCATE inbox")
    await told.hear(story())
    assert await sums("ward") == {WARDS[0]: (90, 40), "any": (5, 0)}


async def test_pages_hold_every_line_once(told: Reporting) -> None:
    for path in ("/days", "/hours"):
        whole = await rows(told, f"{path}?from=2026-07-01&to=2026-07-31&limit=500")
        found: list[dict[str, Any]] = []
        query = f"{SITES}{path}?from=2026-07-01&to=2026-07-31&limit=50"
        cursor = ""
        while True:
            answer = (await told.get(query + cursor)).json()
            found += answer["items"]
            if answer["next_cursor"] is None:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        assert found == whole[: len(found)]
        assert len(found) >= len(whole)
        csv = (await told.get(f"{SITES}{path}?from=2026-07-01&to=2026-07-31&format=csv")).text
        assert len(csv.splitlines()) == len(found) + 1


@pytest.mark.parametrize("path", ["", "/days", "/hours", "/times", "/first-free"])
async def test_who_has_it_is_spared_it_and_files_open(told: Reporting, path: str) -> None:
    answer = await told.get(f"{SITES}{path}")
    again = await told.get(f"{SITES}{path}", if_none_match=answer.headers["etag"])
    assert again.status_code == 304
    sheet = await told.get(f"{SITES}{path}?format=xlsx", accept_language="ja")
    assert sheet.content.startswith(b"PK")
    assert (await told.get(f"{SITES}{path}", "clerk")).status_code == 403


@pytest.mark.parametrize("span", ["from=2026-07-02&to=2026-07-01", "from=2020-01-01&to=2026-07-01"])
async def test_days_that_are_none_or_too_many_are_refused(reporting: Reporting, span: str) -> None:
    answer = await reporting.get(f"{SITES}/days?{span}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "to")
