"""The room over HTTP, as planners, citizens and clerks meet it."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.clock import FixedClock
from shared.db import Database
from shared.ids import CaseId
from tests.reservation.support import (
    FRIDAY,
    NUMBER,
    OTHER_SITE,
    SITE,
    THURSDAY,
    WARD,
    bearer,
    case,
    events_of,
    ids,
    invite,
    make_site,
    open_site,
    site_body,
    tokyo,
    types,
)

LOGIN = {"notice_number": NUMBER, "birth_date": "1990-02-03"}
NINE = "2026-04-02T09:00:00+09:00"


async def plan(client: httpx.AsyncClient, **values: Any) -> httpx.Response:
    """Plan the site."""
    body = site_body(make_site(**values))
    return await client.put(f"/v1/sites/{SITE}", json=body, headers=bearer("planner"))


async def log_in(client: httpx.AsyncClient) -> str:
    """A citizen's token."""
    answer = await client.post("/v1/sessions", json=LOGIN)
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["access_token"]
    return token


async def book(
    client: httpx.AsyncClient, who: dict[str, str], *cases: CaseId, at: str = NINE
) -> httpx.Response:
    """Book the cases at the site."""
    body = {"case_ids": ids(cases), "site_id": SITE, "starts_at": at}
    return await client.post("/v1/bookings", json=body, headers=who)


async def test_a_citizen_finds_a_seat_books_it_and_cancels(
    client: httpx.AsyncClient, database: Database
) -> None:
    planned = await plan(client)
    assert planned.status_code == 201, planned.text
    assert planned.json()["state"] == "planned"
    opened = await client.post(f"/v1/sites/{SITE}:open", headers=bearer("planner"))
    assert (opened.status_code, opened.json()["state"]) == (200, "open")
    mine = case("mine")
    await invite(database, mine)

    session = (await client.post("/v1/sessions", json=LOGIN)).json()
    assert session["cases"][0]["bookable_from"] == THURSDAY.isoformat()
    query = {"procedure": "card_issuance", "ward": WARD, "from": "2026-04-01", "to": "2026-04-03"}
    free = (await client.get("/v1/availability", params=query)).json()
    (found,) = free["sites"]
    assert [day["date"] for day in found["days"]] == ["2026-04-02", "2026-04-03"]
    assert found["days"][0]["starts"][0] == {"starts_at": NINE, "free": 2}
    assert found["days"][0]["free"] == 18

    who = bearer(session["access_token"], once=True)
    booked = await book(client, who, mine)
    assert booked.status_code == 201, booked.text
    (booking,) = booked.json()["bookings"]
    assert booking["ends_at"] == "2026-04-02T09:20:00+09:00"
    assert booked.headers["location"] == f"/v1/bookings/{booking['booking_id']}"
    again = await book(client, who, mine)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == booked.json()

    read = await client.get(booked.headers["location"], headers=who)
    assert (read.status_code, read.headers["etag"]) == (200, '"1"')
    cancelled = await client.post(
        f"{booked.headers['location']}:cancel", headers={**who, "If-Match": '"1"'}
    )
    assert cancelled.status_code == 200, cancelled.text
    assert (cancelled.json()["state"], cancelled.json()["reason"]) == ("cancelled", "citizen")
    assert await events_of(database, mine) == ["booking.confirmed.v1", "booking.cancelled.v1"]


async def test_failed_logins_look_the_same(client: httpx.AsyncClient, database: Database) -> None:
    await invite(database, case("mine"))
    tries = (
        {**LOGIN, "birth_date": "1990-02-04"},
        {**LOGIN, "notice_number": "AAA-000000"},
    )
    answers = [await client.post("/v1/sessions", json=body) for body in tries]
    shown = [(a.status_code, {**a.json(), "instance": None}) for a in answers]
    assert shown[0] == shown[1]
    assert shown[0][0] == 401
    assert shown[0][1]["type"] == "urn:madoguchi:problem:login-refused"


async def test_a_notice_number_may_be_typed_in_other_ways(
    client: httpx.AsyncClient, database: Database
) -> None:
    await invite(database, case("mine"))
    for number in ("7k2481516", " 7K2-481516", "７Ｋ２－４８１５１６"):
        answer = await client.post("/v1/sessions", json={**LOGIN, "notice_number": number})
        assert answer.status_code == 201, number


async def test_a_malformed_notice_number_is_explained_without_repeating_it(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post(
        "/v1/sessions",
        json={**LOGIN, "notice_number": "7K2-48"},
        headers={"Accept-Language": "ja"},
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "notice_number"
    assert '7K2-48"' not in answer.text
    assert "英数字3文字" in answer.text


async def test_the_public_keys_are_published(client: httpx.AsyncClient) -> None:
    (key,) = (await client.get("/v1/citizen-keys")).json()["keys"]
    assert (key["alg"], key["kty"]) == ("ES256", "EC")
    assert "d" not in key


async def test_a_citizen_reaches_only_their_own_cases(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    mine, other = case("mine"), case("other")
    await invite(database, mine)
    await invite(database, other, number="AAA-000001")
    token = await log_in(client)
    assert (await book(client, bearer(token, once=True), other)).status_code == 403
    booked = await book(client, bearer("clerk", once=True), other)
    path = booked.headers["location"]
    assert (await client.get(path, headers=bearer(token))).status_code == 403
    assert (await client.post(f"{path}:cancel", headers=bearer(token))).status_code == 403


async def test_staff_book_and_cancel_at_their_own_site_only(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    await invite(database, case("mine"))
    refused = await book(client, bearer("elsewhere", once=True), case("mine"))
    assert refused.status_code == 403
    booked = await book(client, bearer("clerk", once=True), case("mine"))
    assert booked.status_code == 201
    path = booked.headers["location"]
    assert (await client.get(path, headers=bearer("elsewhere"))).status_code == 403
    assert (await client.post(f"{path}:cancel", headers=bearer("elsewhere"))).status_code == 403
    cancelled = await client.post(f"{path}:cancel", headers=bearer("clerk"))
    assert cancelled.json()["reason"] == "staff"


async def test_staff_find_who_calls_by_what_stands_on_the_notice(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    await invite(database, case("mine"))

    async def find(who: str, **wish: str) -> httpx.Response:
        return await client.post("/v1/cases:find", json=wish, headers=bearer(who))

    found = await find("clerk", **LOGIN)
    assert [one["case_id"] for one in found.json()["cases"]] == ids([case("mine")]), found.text
    booked = await book(client, bearer("clerk", once=True), case("mine"))
    again = await find("clerk", case_id=str(case("mine")))
    assert again.json()["cases"][0]["booking_id"] == booked.json()["bookings"][0]["booking_id"]
    wrong = await find("clerk", **{**LOGIN, "birth_date": "1990-02-04"})
    unknown = await find("clerk", case_id=str(case("unknown")))
    assert [wrong.status_code, unknown.status_code] == [404, 404]
    half = await find("clerk", notice_number=NUMBER)
    assert (half.status_code, (await find("planner", **LOGIN)).status_code) == (422, 403)
    guesses = [
        await find("clerk", **{**LOGIN, "birth_date": f"1950-01-{n:02}"}) for n in range(1, 11)
    ]
    assert [one.status_code for one in guesses] == [404] * 9 + [429]
    async with database.reader() as conn:
        seen = await conn.fetchval("SELECT count(*) FROM audit_entry WHERE action = 'case.found'")
    assert seen == 2


async def test_citizens_cancel_until_five_on_the_day_before_and_staff_later(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    await open_site(database)
    await invite(database, case("mine"))
    token = await log_in(client)
    booked = await book(client, bearer(token, once=True), case("mine"))
    path = f"{booked.headers['location']}:cancel"
    clock.set(tokyo(THURSDAY - timedelta(days=1), 17))
    late = await client.post(path, headers=bearer(token))
    assert late.status_code == 409
    assert late.json()["changeable_until"] == "2026-04-01T17:00:00+09:00"
    assert (await client.post(path, headers=bearer("clerk"))).status_code == 200
    assert (await client.post(path, headers=bearer("clerk"))).status_code == 200
    assert types(await events_of(database), "booking.cancelled") == ["booking.cancelled.v1"]


async def test_a_change_of_what_was_not_read_is_refused(
    client: httpx.AsyncClient, database: Database
) -> None:
    assert (await plan(client)).headers["etag"] == '"1"'
    body = site_body(make_site(counters=3))
    stale = {**bearer("planner"), "If-Match": '"7"'}
    refused = await client.put(f"/v1/sites/{SITE}", json=body, headers=stale)
    assert refused.status_code == 412
    fresh = {**bearer("planner"), "If-Match": '"1"'}
    changed = await client.put(f"/v1/sites/{SITE}", json=body, headers=fresh)
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    same = await client.put(f"/v1/sites/{SITE}", json=body, headers=bearer("planner"))
    assert same.headers["etag"] == '"2"'
    assert await events_of(database) == ["site.planned.v1", "site.changed.v1"]


async def test_a_site_that_was_read_may_be_sent_back(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    path, planner = f"/v1/sites/{SITE}", bearer("planner")
    read = (await client.get(path)).json()
    same = await client.put(path, json=read, headers=planner)
    assert (same.status_code, same.headers["etag"], same.json()) == (200, '"2"', read)
    more = await client.put(path, json={**read, "counters": 3}, headers=planner)
    assert (more.status_code, more.json()) == (200, {**read, "counters": 3, "version": 3})
    stale = await client.put(path, json={**read, "counters": 1}, headers=planner)
    assert stale.status_code == 412
    other = {"site_id": "elsewhere", "state": "closed", "selling": False, "version": None}
    refused = await client.put(path, json={**read, **other}, headers=planner)
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (422, "read-only")
    assert [error["field"] for error in refused.json()["errors"]] == ["site_id", "state", "selling"]


async def test_an_unsound_site_is_refused_field_by_field(client: httpx.AsyncClient) -> None:
    body = site_body(make_site())
    body["hours"][0] |= {"opens": "12:00", "closes": "09:00"}
    body["hours"][1] |= {"opens": "09:05"}
    body["closes_on"] = "2026-03-31"
    answer = await client.put(f"/v1/sites/{SITE}", json=body, headers=bearer("planner"))
    assert answer.status_code == 422
    fields = [error["field"] for error in answer.json()["errors"]]
    assert fields == ["hours.0", "hours.1", "closes_on"]


async def test_a_site_without_counters_does_not_open(client: httpx.AsyncClient) -> None:
    await plan(client, counters=0)
    answer = await client.post(f"/v1/sites/{SITE}:open", headers=bearer("planner"))
    assert answer.status_code == 409
    assert [error["field"] for error in answer.json()["errors"]] == ["counters"]


async def test_sites_are_listed_in_pages(client: httpx.AsyncClient, database: Database) -> None:
    await open_site(database)
    await open_site(database, make_site(OTHER_SITE))
    first = (await client.get("/v1/sites", params={"limit": 1})).json()
    assert [site["site_id"] for site in first["items"]] == [OTHER_SITE]
    query = {"limit": 1, "cursor": first["next_cursor"]}
    second = (await client.get("/v1/sites", params=query)).json()
    assert [site["site_id"] for site in second["items"]] == [SITE]
    assert second["next_cursor"] is None
    assert (await client.get("/v1/sites/nowhere")).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2026-04-03", "to": "2026-04-02"}, 422),
        ({"from": "2026-04-01", "to": "2026-06-02"}, 422),
        ({"from": "2026-04-01", "to": "2026-06-01"}, 200),
        ({"from": "2026-04-01", "to": "2026-04-02", "ward": "1"}, 422),
        ({"from": "2026-04-01", "to": "2026-04-02", "party_size": "4"}, 422),
    ],
)
async def test_days_that_cannot_be_asked_for(
    client: httpx.AsyncClient, query: dict[str, str], status: int
) -> None:
    asked = {"procedure": "card_issuance", "ward": WARD, **query}
    assert (await client.get("/v1/availability", params=asked)).status_code == status


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+09:00", "9999-12-31T23:59:00-09:00"])
async def test_a_time_beyond_any_calendar_is_refused_by_its_field(
    client: httpx.AsyncClient, database: Database, at: str
) -> None:
    await open_site(database)
    await invite(database, case("mine"))
    who = {"authorization": f"Bearer {await log_in(client)}", "idempotency-key": "far"}
    seat = {"case_ids": ids([case("mine")]), "site_id": SITE, "starts_at": at}
    wish = {"case_ids": seat["case_ids"], "site_ids": [SITE]}
    planner, day = bearer("planner", once=True), at[:10]
    site = f"/v1/sites/{SITE}"
    asked = [
        ("/v1/bookings", seat, who, "starts_at"),
        ("/v1/holds", seat, who, "starts_at"),
        ("/v1/waitlist", {**wish, "first_day": "2026-04-02", "last_day": day}, who, "last_day"),
        ("/v1/suspensions", {"starts_at": at, "reason": "outage"}, planner, "starts_at"),
        ("/v1/suspensions", {"ends_at": at, "reason": "outage"}, planner, "ends_at"),
        (f"{site}:impact", {"last_day": day}, planner, "last_day"),
        (f"{site}:wind-down", {"last_day": day}, planner, "last_day"),
    ]
    for path, body, headers, field in asked:
        answer = await client.post(path, json=body, headers=headers)
        assert answer.status_code == 422, (path, answer.text)
        errors = answer.json()["errors"]
        assert [error["field"] for error in errors] == [field], path
        assert "2000" in errors[0]["remedy"]


async def test_availability_shows_only_sites_that_accept(
    client: httpx.AsyncClient, database: Database
) -> None:
    await open_site(database)
    query = {"ward": WARD, "from": THURSDAY.isoformat(), "to": FRIDAY.isoformat()}
    for other in ({"procedure": "certificate_renewal"}, {"ward": "141321"}):
        asked = {"procedure": "card_issuance", **query, **other}
        assert (await client.get("/v1/availability", params=asked)).json()["sites"] == []
    asked = {"procedure": "card_issuance", **query, "party": "3"}
    assert (await client.get("/v1/availability", params=asked)).json()["sites"][0]["days"] == []


async def test_the_documents_of_the_api_are_complete(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert "Open to" in operation["description"], path
