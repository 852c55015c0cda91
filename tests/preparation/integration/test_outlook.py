"""From when can citizens book, and what would more people at a desk bring: over real cards."""

from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, SiteState
from shared.contracts.site import CapacityPublished, DayCapacity, SiteOpened
from shared.db import Database
from shared.ids import SiteId, WardCode
from tests.contracts.samples import SITE as SAMPLE
from tests.preparation.support import SITE, WARD, bearer, hear, import_rows, once, to_shelf

Rows = list[dict[str, Any]]


async def table(client: httpx.AsyncClient, path: str, who: str = "supervisor") -> Rows:
    """The rows of a table of the outlook."""
    answer = await client.get(f"/v1/outlook/{path}", headers=bearer(who))
    assert answer.status_code == 200, answer.text
    rows: Rows = answer.json()["rows"]
    return rows


async def plan(
    client: httpx.AsyncClient, desk: str, people: float, day: str = "2026-04-01"
) -> None:
    """So many people at a desk from a day on."""
    path = f"/v1/outlook/desks/{desk}/periods/{day}"
    answer = await client.put(path, json={"people": people}, headers=bearer("supervisor"))
    assert answer.status_code == 204, answer.text


async def all_planned(client: httpx.AsyncClient, preset: float) -> None:
    """One everywhere, and so many at preset."""
    for desk in ("inspected", "registry_checked", "notified"):
        await plan(client, desk, 1)
    await plan(client, "preset", preset)


async def seats(database: Database, *free: int) -> None:
    """The ward office has so many free seats on the days from Wednesday on."""
    acceptance = (Acceptance(procedure=Procedure.CARD_ISSUANCE, wards=(WardCode(WARD),)),)
    changed = {"site_id": SITE, "acceptance": acceptance, "state": SiteState.OPEN}
    days = tuple(
        DayCapacity(business_date=date(2026, 4, 15) + timedelta(days=n), free=count, total=40)
        for n, count in enumerate(free)
    )
    await hear(
        database,
        SiteOpened(site=SAMPLE.model_copy(update=changed)),
        CapacityPublished(site_id=SiteId(SITE), procedure=Procedure.CARD_ISSUANCE, days=days),
    )


async def test_a_ward_can_book_once_the_notice_is_sent(client: httpx.AsyncClient) -> None:
    await all_planned(client, preset=0.2)
    await import_rows(client, 40)
    # 0.2 people preset 22.5 cards a day: 40 cards need Tuesday and Wednesday.
    (ward,) = await table(client, "forecast")
    assert ward == {
        "ward": WARD,
        "waiting": 40,
        "waiting_from": "2026-04-15",
        "arriving_on": "2026-04-14",
        "notice_on": "2026-04-15",
        "bookable_from": "2026-04-16",
        "lead_days": 2,
    }


async def test_the_first_free_seat_counts_and_those_invited_before_go_first(
    client: httpx.AsyncClient, database: Database
) -> None:
    await all_planned(client, preset=1)
    await import_rows(client, 10)
    await seats(database, 0, 4, 30)
    (ward,) = await table(client, "forecast")
    assert (ward["notice_on"], ward["waiting_from"]) == ("2026-04-14", "2026-04-16")
    assert ward["bookable_from"] == "2026-04-17"
    await to_shelf(client)
    await client.post("/v1/notices", json={"lot_id": "L2026-0412"}, headers=once())
    (ward,) = await table(client, "forecast")
    assert (ward["waiting"], ward["bookable_from"]) == (0, "2026-04-17")


async def test_more_people_bring_the_day_nearer_week_by_week(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    clock.advance(timedelta(days=-14))
    await import_rows(client, 60)
    clock.advance(timedelta(days=14))
    await all_planned(client, preset=0.05)
    query = "what-if?desk=preset&people=1&from=2026-04-20&weeks=6"
    rows = await table(client, query)
    assert [row["week"] for row in rows][:2] == ["2026-04-13", "2026-04-20"]
    assert rows[-1]["days_earlier"] > 0
    assert rows[-1]["p50_after"] < rows[-1]["p50_before"]
    assert rows[-1]["bookable_from_after"] < rows[-1]["bookable_from_before"]
    nobody = await table(client, "what-if?desk=preset&people=0&weeks=6")
    assert {row["days_earlier"] for row in nobody} == {0}
    picture = await client.get(
        f"/v1/outlook/{query.replace('what-if', 'what-if/chart')}", headers=bearer()
    )
    assert picture.headers["content-type"] == "image/svg+xml"
    assert ElementTree.fromstring(picture.text) is not None  # noqa: S314  our own picture


async def test_cards_on_hold_wait_for_no_desk(client: httpx.AsyncClient) -> None:
    await all_planned(client, preset=1)
    case_ids = await import_rows(client, 3)
    body = {"case_ids": case_ids[:1], "reason": "other"}
    held = await client.post("/v1/stages/held", json=body, headers=bearer())
    assert held.status_code == 200, held.text
    (ward,) = await table(client, "forecast")
    assert ward["waiting"] == 2


async def test_who_works_where_is_planned_measured_or_assumed(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    case_ids = await import_rows(client, 45)
    await client.post("/v1/stages/inspected", json={"case_ids": case_ids}, headers=bearer())
    clock.advance(timedelta(days=1))
    await plan(client, "preset", 3)
    await plan(client, "preset", 5, "2026-05-01")
    rows = {(r["desk"], r["from_on"]): r for r in await table(client, "desks")}
    inspected = rows["inspected", "2026-04-15"]
    assert (inspected["people"], inspected["basis"], inspected["cards_per_day"]) == (
        0.1,
        "measured",
        45,
    )
    assert rows["preset", "2026-04-01"]["cards_per_day"] == 338
    assert rows["notified", "2026-04-15"]["basis"] == "assumed"

    path = "/v1/outlook/desks/preset/periods/2026-05-01"
    assert (await client.delete(path, headers=bearer("supervisor"))).status_code == 204
    gone = await client.delete(path, headers=bearer("supervisor"))
    assert (gone.status_code, gone.json()["type"].rpartition(":")[2]) == (
        404,
        "desk-period-unknown",
    )


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_as_files(client: httpx.AsyncClient, form: str) -> None:
    await import_rows(client, 2)
    for path in ("forecast", "forecast/weeks", "desks", "what-if?desk=preset&people=1"):
        joined = "&" if "?" in path else "?"
        answer = await client.get(f"/v1/outlook/{path}{joined}format={form}", headers=bearer())
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]


async def test_only_who_plans_may_plan(client: httpx.AsyncClient) -> None:
    path = "/v1/outlook/desks/preset/periods/2026-05-01"
    assert (await client.put(path, json={"people": 1}, headers=bearer())).status_code == 403
    wrong = await client.put(path, json={"people": -1}, headers=bearer("supervisor"))
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "people")


async def test_who_leaves_before_they_come_is_refused(client: httpx.AsyncClient) -> None:
    query = "desk=preset&people=1&from=2026-05-02&until=2026-05-01"
    answer = await client.get(f"/v1/outlook/what-if?{query}", headers=bearer())
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "until")
