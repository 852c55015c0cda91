"""What to do next: the most urgent first, one's own before all, and no card in two hands."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx

from shared.clock import FixedClock
from shared.db import Database
from tests.preparation.integration.test_status import booking
from tests.preparation.support import (
    SITE,
    bearer,
    hear,
    import_rows,
    lot_csv,
    once,
    row,
    to_shelf,
)


async def worklist(client: httpx.AsyncClient, who: str = "back_office", **query: Any) -> list[Any]:
    """All of a list, page by page of two."""
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {**query, "limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = await client.get("/v1/worklists", params=params, headers=bearer(who))
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    return found


async def take(client: httpx.AsyncClient, who: str, **body: Any) -> list[str]:
    """The next cards for somebody."""
    answer = await client.post("/v1/worklists/next", json=body, headers=once(who))
    assert answer.status_code == 201, answer.text
    case_ids: list[str] = answer.json()["case_ids"]
    return case_ids


async def imported(client: httpx.AsyncClient, *expiries: date) -> list[str]:
    """A card for each day on which it expires."""
    rows = [row(n, card_expires_on=day) for n, day in enumerate(expiries, start=1)]
    answer = await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())
    return [result["case_id"] for result in answer.json()["results"]]


FAR, SOON, SOONER = date(2036, 5, 14), date(2026, 6, 1), date(2026, 5, 1)


async def test_what_expires_soon_comes_first_then_what_waits_longest(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    first, soon, sooner, last = await imported(client, FAR, SOON, SOONER, date(2036, 1, 1))
    clock.advance(timedelta(days=1))
    body = {"case_ids": [first, soon]}
    await client.post("/v1/stages/inspected", json=body, headers=bearer())
    found = await worklist(client)
    assert [one["case_id"] for one in found] == [sooner, soon, last, first]
    assert [one["task"] for one in found] == [
        "inspected",
        "registry_checked",
        "inspected",
        "registry_checked",
    ]
    assert [one["needed_by"] for one in found] == ["2026-05-01", "2026-06-01", None, None]
    assert [one["case_id"] for one in await worklist(client, order="expiry")] == [
        sooner,
        soon,
        last,
        first,
    ]
    assert [one["case_id"] for one in await worklist(client, order="age")] == [
        *sorted([sooner, last]),
        *sorted([first, soon]),
    ]
    assert [one["case_id"] for one in await worklist(client, task="registry_checked")] == [
        soon,
        first,
    ]
    assert await worklist(client, ward="141321") == []


async def test_a_booked_visit_makes_a_card_urgent(
    client: httpx.AsyncClient, database: Database
) -> None:
    plain, booked, soon = await imported(client, FAR, FAR, SOON)
    await hear(database, booking(booked))
    found = await worklist(client)
    assert [one["case_id"] for one in found] == [booked, soon, plain]
    assert (found[0]["booked_at"], found[0]["needed_by"]) == ("2026-05-01T03:00:00Z", "2026-05-01")
    by_booking = await worklist(client, order="booking")
    assert by_booking[0]["case_id"] == booked


async def test_own_cards_come_first_and_those_of_others_not_at_all(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    plain, soon, sooner = await imported(client, FAR, SOON, SOONER)
    await client.post("/v1/assignments", json={"case_ids": [plain]}, headers=bearer())
    assert await take(client, "supervisor", count=1) == [sooner]
    found = await worklist(client)
    assert [one["case_id"] for one in found] == [plain, soon]
    assert found[0]["assigned_until"] == "2026-04-14T00:30:00Z"
    assert [one["case_id"] for one in await worklist(client, "supervisor")] == [sooner, soon]

    clock.advance(timedelta(minutes=31))
    assert [one["case_id"] for one in await worklist(client)] == [sooner, soon, plain]


async def test_held_cards_appear_on_their_review_date(
    client: httpx.AsyncClient, clock: FixedClock
) -> None:
    (case_id,) = await imported(client, FAR)
    body = {"case_ids": [case_id], "reason": "other", "review_on": "2026-04-20"}
    await client.post("/v1/stages/held", json=body, headers=bearer())
    assert await worklist(client) == []
    clock.advance(timedelta(days=6))
    (found,) = await worklist(client, task="review")
    assert (found["task"], found["review_on"]) == ("review", "2026-04-20")


async def test_what_is_notified_waits_for_nobody_here(client: httpx.AsyncClient) -> None:
    await import_rows(client, 2)
    await to_shelf(client)
    assert {one["task"] for one in await worklist(client, site_id=SITE)} == {"notified"}
    await client.post("/v1/notices", json={"lot_id": "L2026-0412"}, headers=once())
    assert await worklist(client) == []


async def test_a_race_for_the_next_cards_gives_each_to_one(client: httpx.AsyncClient) -> None:
    case_ids = await import_rows(client, 30)
    racers = ["back_office", "elsewhere", "supervisor"] * 2
    taken = await asyncio.gather(*(take(client, who, count=5) for who in racers))
    assert sorted(case_id for one in taken for case_id in one) == sorted(case_ids)
    assert await take(client, "back_office", count=5) == []
    table = await client.get("/v1/worklists/operators", headers=bearer("supervisor"))
    assert [(r["operator"], r["task"], r["cards"]) for r in table.json()["rows"]] == [
        ("staff:b", "inspected", 10),
        ("staff:e", "inspected", 10),
        ("staff:s", "inspected", 10),
    ]


async def test_the_same_key_gets_the_same_cards(client: httpx.AsyncClient) -> None:
    await import_rows(client, 4)
    headers = once()
    answers = [
        await client.post("/v1/worklists/next", json={"count": 2}, headers=headers)
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    found = await worklist(client)
    assert [one["assigned_until"] is not None for one in found] == [True, True, False, False]


async def test_only_a_supervisor_sees_anothers_list(client: httpx.AsyncClient) -> None:
    await import_rows(client, 1)
    await take(client, "back_office", count=1)
    query = {"operator": "staff:b"}
    assert len(await worklist(client, "supervisor", **query)) == 1
    answer = await client.get("/v1/worklists", params=query, headers=bearer("elsewhere"))
    assert answer.status_code == 403


async def test_a_list_as_a_file_defuses_formulas(
    client: httpx.AsyncClient, database: Database
) -> None:
    await import_rows(client, 1)
    async with database.transaction() as conn:
        # The import refuses such a reference; a file must be safe without that.
        await conn.execute("UPDATE card SET card_reference = '=1+1'")
    csv = await client.get("/v1/worklists?format=csv", headers=bearer())
    assert ",'=1+1," in csv.text
    xlsx = await client.get("/v1/worklists?format=xlsx", headers=bearer())
    assert xlsx.content[:2] == b"PK"
