"""The life of sites over HTTP: planned to closed, closures, suspensions, answers, the calendar."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from shared.clock import FixedClock
from shared.db import Database
from shared.security.principal import EVERY_SITE, Principal, Role
from tests.reservation import support
from tests.reservation.life import book, work
from tests.reservation.support import (
    MORNING,
    OTHER_SITE,
    SITE,
    bearer,
    case,
    invite,
    make_site,
    open_site,
    site_body,
    tokyo,
)

DAY = date(2026, 4, 9)
A, B = case("a"), case("b")
PATH = f"/v1/sites/{SITE}"


@pytest.fixture(autouse=True)
def people(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor besides the others."""
    supervisor = Principal("staff:s", frozenset({Role.SUPERVISOR}), frozenset({EVERY_SITE}))
    citizen = Principal("citizen:a", frozenset({Role.CITIZEN}), cases=frozenset({A}))
    known = {**support.PEOPLE, "supervisor": supervisor, "citizen": citizen}
    monkeypatch.setattr(support, "PEOPLE", known)


@pytest.fixture
async def room(database: Database) -> Database:
    """Two open sites and two citizens with bookings."""
    await open_site(database)
    await open_site(database, make_site(OTHER_SITE, latitude=35.51))
    await invite(database, A, B)
    await book(database, A, at=tokyo(DAY, 9))
    await book(database, B, at=tokyo(DAY, 9))
    return database


async def wind_down(client: httpx.AsyncClient) -> str:
    """Wind the site down; the path of its closure."""
    answer = await client.post(
        f"{PATH}:wind-down", json={"last_day": "2026-04-03"}, headers=bearer("planner", once=True)
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "winding_down"
    assert answer.headers["location"] == f"/v1/closures/{answer.json()['closure_id']}"
    return answer.headers["location"]


async def get(client: httpx.AsyncClient, path: str, who: str = "supervisor") -> Any:
    """What is there."""
    answer = await client.get(path, headers=bearer(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_site_is_planned_prepared_and_opened(
    client: httpx.AsyncClient, database: Database
) -> None:
    planner = bearer("planner")
    await client.put(PATH, json=site_body(make_site()), headers=planner)
    prepared = await client.post(f"{PATH}:prepare", headers={**planner, "If-Match": '"1"'})
    assert (prepared.json()["state"], prepared.headers["etag"]) == ("preparing", '"2"')
    again = await client.post(f"{PATH}:prepare", headers=planner)
    assert again.headers["etag"] == '"2"'
    assert (await client.post(f"{PATH}:open", headers=planner)).json()["state"] == "open"
    refused = await client.post(f"{PATH}:prepare", headers=planner)
    assert refused.json()["type"] == "urn:madoguchi:problem:site-not-preparable"


async def test_winding_down_is_followed_booking_by_booking(
    client: httpx.AsyncClient, room: Database
) -> None:
    closure = await wind_down(client)
    assert (await get(client, closure))["state"] == "listing"
    await work(room, FixedClock(MORNING))
    found = await get(client, closure)
    assert (found["total"], found["open"], found["counts"]["phone_list"]) == (2, 2, 2)
    rows = (await get(client, f"{closure}/bookings?state=phone_list"))["items"]
    assert [row["to_site_id"] for row in rows] == [OTHER_SITE, OTHER_SITE]
    listed = await get(client, f"/v1/closures?site_id={SITE}&running=true")
    assert [one["closure_id"] for one in listed["items"]] == [found["closure_id"]]
    first = await get(client, f"{closure}/bookings?limit=1")
    rest = await get(client, f"{closure}/bookings?limit=1&cursor={first['next_cursor']}")
    assert [*first["items"], *rest["items"]] == rows


async def test_the_bookings_of_a_closure_come_as_a_file_too(
    client: httpx.AsyncClient, room: Database
) -> None:
    closure = await wind_down(client)
    await work(room, FixedClock(MORNING))
    text = await client.get(f"{closure}/bookings?format=csv", headers=bearer("supervisor"))
    rows = list(csv.reader(io.StringIO(text.text)))
    assert (len(rows), rows[1][5]) == (3, SITE)
    book_ = await client.get(f"{closure}/bookings?format=xlsx", headers=bearer("supervisor"))
    assert load_workbook(io.BytesIO(book_.content)).worksheets[0].max_row == 3


async def test_a_citizen_sees_the_alternative_and_accepts_it_once(
    client: httpx.AsyncClient, room: Database
) -> None:
    closure = await wind_down(client)
    await work(room, FixedClock(MORNING))
    (row,) = [
        r for r in (await get(client, f"{closure}/bookings"))["items"] if r["case_id"] == str(A)
    ]
    path = f"/v1/bookings/{row['booking_id']}/alternative"
    offered = await get(client, path, "citizen")
    assert (offered["to_site_id"], offered["because"]) == (OTHER_SITE, "wind_down")
    for _ in range(2):
        answer = await client.post(
            f"{path}:answer", json={"answer": "accept"}, headers=bearer("citizen")
        )
        assert (answer.status_code, answer.json()["state"]) == (200, "moved")
    other = await client.post(
        f"{path}:answer", json={"answer": "cancel"}, headers=bearer("citizen")
    )
    assert other.json()["type"] == "urn:madoguchi:problem:already-answered"


async def test_staff_choose_another_seat_on_the_phone(
    client: httpx.AsyncClient, room: Database
) -> None:
    closure = await wind_down(client)
    await work(room, FixedClock(MORNING))
    row = (await get(client, f"{closure}/bookings"))["items"][0]
    path = f"/v1/bookings/{row['booking_id']}/alternative:answer"
    without = await client.post(path, json={"answer": "choose"}, headers=bearer("clerk"))
    assert without.json()["type"] == "urn:madoguchi:problem:choice-missing"
    chosen = {
        "answer": "choose",
        "chosen_site_id": OTHER_SITE,
        "chosen_starts_at": tokyo(DAY, 11).isoformat(),
    }
    answer = await client.post(path, json=chosen, headers=bearer("clerk"))
    assert answer.json()["state"] == "chosen"
    now = (await get(client, f"{closure}/bookings?state=chosen"))["items"][0]
    assert now["now_starts_at"] == "2026-04-09T11:00:00+09:00"


async def test_a_booking_that_lost_nothing_has_no_alternative(
    client: httpx.AsyncClient, room: Database
) -> None:
    async with room.reader() as conn:
        booking_id = await conn.fetchval("SELECT booking_id FROM booking WHERE case_id = $1", A)
    answer = await client.get(f"/v1/bookings/{booking_id}/alternative", headers=bearer("citizen"))
    assert answer.json()["type"] == "urn:madoguchi:problem:not-displaced"


async def test_a_smaller_site_is_refused_or_moves_its_bookings(
    client: httpx.AsyncClient, room: Database
) -> None:
    smaller = {"counters": 1, "terminals": 1}
    planner = bearer("planner")
    impact = await client.post(
        f"{PATH}:impact", json={"site": site_body(make_site(SITE, **smaller))}, headers=planner
    )
    assert (impact.json()["bookings"], impact.json()["by_day"]) == (1, {"2026-04-09": 1})
    refused = await client.put(f"{PATH}/staffing", json=smaller, headers=planner)
    assert refused.json()["type"] == "urn:madoguchi:problem:bookings-in-the-way"
    taken = await client.put(f"{PATH}/staffing?bookings=move", json=smaller, headers=planner)
    assert taken.json()["counters"] == 1
    closure = f"/v1/closures/{taken.json()['closure_id']}"
    await work(room, FixedClock(MORNING))
    assert (await get(client, closure))["total"] == 1
    larger = await client.put(
        f"{PATH}/staffing", json={"counters": 3, "terminals": 3}, headers=planner
    )
    assert larger.json()["counters"] == 3, larger.text
    ends = await client.post(
        f"{PATH}:wind-down", json={"last_day": "2026-04-03"}, headers=bearer("planner", once=True)
    )
    assert ends.json()["type"] == "urn:madoguchi:problem:closure-running"


async def test_a_closure_is_taken_back_by_its_planner(
    client: httpx.AsyncClient, room: Database, clock: FixedClock
) -> None:
    closure = await wind_down(client)
    await work(room, clock)
    refused = await client.post(f"{closure}:withdraw", headers=bearer("clerk"))
    assert refused.status_code == 403
    for _ in range(2):
        back = await client.post(f"{closure}:withdraw", headers=bearer("planner"))
        assert (back.status_code, back.json()["withdrawn_at"] is None) == (200, False), back.text
    await work(room, clock)
    found = await get(client, closure)
    assert (found["state"], found["counts"]["kept"], found["open"]) == ("done", 2, 0)
    shown = await get(client, PATH)
    assert (shown["state"], shown["closes_on"], shown["selling"]) == ("open", None, True)
    fresh = await wind_down(client)
    await work(room, clock)
    await client.post(f"{fresh}:withdraw", headers=bearer("planner"))
    none = await client.post(f"/v1/closures/{A}:withdraw", headers=bearer("planner"))
    assert none.json()["type"] == "urn:madoguchi:problem:no-such-closure"


async def test_parts_of_a_site_are_changed_on_their_own(
    client: httpx.AsyncClient, room: Database
) -> None:
    days = {"exceptions": [{"business_date": "2026-04-10", "opens": "09:00", "closes": "18:00"}]}
    put = await client.put(f"{PATH}/exceptions", json=days, headers=bearer("planner"))
    assert put.status_code == 200, put.text
    read = await client.get(f"{PATH}/exceptions")
    assert read.headers["etag"] == put.headers["etag"]
    assert read.json()["exceptions"][0]["closes"] == "18:00:00"
    stale = await client.put(
        f"{PATH}/exceptions", json=days, headers={**bearer("planner"), "If-Match": '"1"'}
    )
    assert stale.status_code == 412
    for part in ("hours", "acceptance", "staffing"):
        same = (await client.get(f"{PATH}/{part}")).json()
        again = await client.put(f"{PATH}/{part}", json=same, headers=bearer("planner"))
        assert again.headers["etag"] == put.headers["etag"]


async def test_a_suspension_begins_and_ends_by_one_command_each(
    client: httpx.AsyncClient, room: Database, clock: FixedClock
) -> None:
    body = {"starts_at": tokyo(DAY, 8).isoformat(), "ends_at": tokyo(DAY, 10).isoformat()}
    body |= {"reason": "scheduled"}
    preview = await client.post(
        f"{PATH}:impact", json={"suspension": body}, headers=bearer("supervisor")
    )
    assert preview.json()["bookings"] == 2
    headers = bearer("supervisor", once=True)
    made = await client.post("/v1/suspensions", json=body, headers=headers)
    assert made.status_code == 201, made.text
    assert [site["site_id"] for site in made.json()["sites"]] == [OTHER_SITE, SITE]
    again = await client.post("/v1/suspensions", json=body, headers=headers)
    assert again.json() == made.json()
    await work(room, clock)
    path = made.headers["location"]
    over = await client.post(f"{path}:resume", headers=bearer("supervisor"))
    assert all(site["resumed_at"] for site in over.json()["sites"])
    assert (await get(client, "/v1/suspensions?running=true"))["items"] == []
    assert len((await get(client, "/v1/suspensions"))["items"]) == 1
    clock.advance(timedelta(minutes=1))
    await work(room, clock)
    ends = [site["closure_id"] for site in over.json()["sites"] if site["site_id"] == SITE]
    assert (await get(client, f"/v1/closures/{ends[0]}"))["counts"]["kept"] == 2


async def test_the_calendar_names_what_every_site_shares(client: httpx.AsyncClient) -> None:
    shown = await client.get("/v1/calendar?from=2026-04-17&to=2026-04-29")
    days = {day["date"]: day for day in shown.json()["days"]}
    assert days["2026-04-19"]["certificate_renewal"] is False
    assert days["2026-04-19"]["card_issuance"] is True
    assert days["2026-04-17"]["business_day"] is True
    assert days["2026-04-29"]["holiday"] is True
    assert days["2026-04-17"]["national_system_stops_at"] == "2026-04-17T20:00:00+09:00"
    text = await client.get("/v1/calendar?from=2026-04-17&to=2026-04-29&format=csv")
    assert len(text.text.splitlines()) == 14
    assert (await client.get("/v1/calendar?from=2026-04-17&to=2026-04-16")).status_code == 422


async def test_an_impact_names_exactly_one_change(
    client: httpx.AsyncClient, room: Database
) -> None:
    none = await client.post(f"{PATH}:impact", json={}, headers=bearer("planner"))
    assert none.status_code == 422
    last = await client.post(
        f"{PATH}:impact", json={"last_day": "2026-04-03"}, headers=bearer("planner")
    )
    assert last.json()["offered_at"] == {OTHER_SITE: 2}
