"""Notices by pace: who is invited finds a seat, and who needs the card soonest is first."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preparation.domain.pace import Demand, Pace, allowance
from services.preparation.store import pace as paces
from services.preparation.store.pace import SitePace
from shared.contracts.base import Procedure
from shared.contracts.site import CapacityPublished, DayCapacity
from shared.db import Connection, Database
from shared.ids import CaseId, SiteId
from tests.preparation.integration.test_transfers import booked, work_what_is_due
from tests.preparation.support import (
    MORNING,
    SITE,
    bearer,
    hear,
    lot_csv,
    once,
    row,
    to_shelf,
)

PACE = f"/v1/notices/paces/{SITE}"
NEXT = {"site_id": SITE}


def seats(free: int, day: date = date(2026, 4, 20)) -> CapacityPublished:
    """So many seats are free on a day."""
    days = (DayCapacity(business_date=day, total=free, free=free),)
    return CapacityPublished(site_id=SiteId(SITE), procedure=Procedure.CARD_ISSUANCE, days=days)


async def shelved(client: httpx.AsyncClient, rows: list[dict[str, str]]) -> list[str]:
    """Cards on the shelf."""
    answer = await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())
    await to_shelf(client)
    return [result["case_id"] for result in answer.json()["results"]]


async def send_next(client: httpx.AsyncClient) -> list[str]:
    """Whose turn it is; nobody where the pace is reached."""
    answer = await client.post("/v1/notices/next", json=NEXT, headers=once())
    if answer.status_code == 409:
        return []
    return [result["case_id"] for result in answer.json()["results"]]


@given(
    free=st.integers(0, 500),
    invited=st.integers(0, 500),
    sent=st.integers(0, 500),
    share=st.integers(0, 100),
    limit=st.none() | st.integers(0, 300),
)
def test_who_is_invited_finds_a_seat(
    free: int, invited: int, sent: int, share: int, limit: int | None
) -> None:
    count = allowance(Pace(share=share, daily_limit=limit), Demand(free, invited, sent))
    assert count >= 0
    assert count == 0 or invited + count <= free
    assert limit is None or count == 0 or sent + count <= limit


async def test_no_more_are_invited_than_there_are_seats(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await shelved(client, [row(n) for n in range(1, 6)])
    assert await send_next(client) == []
    await hear(database, seats(3))
    assert await send_next(client) == case_ids[:3]
    assert await send_next(client) == []
    stands = (await client.get(PACE, headers=bearer())).json()
    assert (stands["invited"], stands["waiting"], stands["allowance"]) == (3, 2, 0)
    await hear(database, seats(3), booked(case_ids[0], SITE), order=[1])
    assert await send_next(client) == case_ids[3:4]


async def test_near_expiry_comes_first_then_the_oldest(
    client: httpx.AsyncClient, database: Database
) -> None:
    rows = [
        row(1, applied_on=date(2026, 3, 9)),
        row(2, applied_on=date(2026, 3, 2)),
        row(3, applied_on=date(2026, 3, 30), card_expires_on=date(2026, 5, 20)),
        row(4, applied_on=date(2026, 3, 30), card_expires_on=date(2026, 5, 10)),
    ]
    first, second, third, fourth = await shelved(client, rows)
    await hear(database, seats(4))
    assert await send_next(client) == [fourth, third, second, first]


async def test_racers_do_not_promise_a_seat_twice(
    client: httpx.AsyncClient, database: Database
) -> None:
    await shelved(client, [row(n) for n in range(1, 31)])
    await hear(database, seats(10))
    sent = await asyncio.gather(*(send_next(client) for _ in range(8)))
    assert sum(map(len, sent)) == 10


async def test_the_pace_is_shown_and_changed(client: httpx.AsyncClient, database: Database) -> None:
    await shelved(client, [row(n) for n in range(1, 11)])
    await hear(database, seats(8))
    body: dict[str, object] = {"share": 50, "window_days": 28, "daily_limit": 3, "automatic": False}
    answer = await client.put(PACE, json=body, headers=bearer("supervisor"))
    assert (answer.status_code, answer.json()["allowance"]) == (200, 3)
    again = await client.put(PACE, json=body, headers=bearer("supervisor"))
    assert again.status_code == 428
    tag = {"If-Match": answer.headers["etag"]}
    body["daily_limit"] = None
    answer = await client.put(PACE, json=body, headers=bearer("supervisor", **tag))
    assert answer.json()["allowance"] == 4
    listed = (await client.get("/v1/notices/paces", headers=bearer())).json()["items"]
    assert [one["site_id"] for one in listed] == [SITE]


async def test_where_it_is_set_notices_go_out_by_themselves_once_a_day(
    client: httpx.AsyncClient, database: Database
) -> None:
    await shelved(client, [row(n) for n in range(1, 6)])
    await hear(database, seats(9))
    body = {"daily_limit": 2, "automatic": True}
    await client.put(PACE, json=body, headers=bearer("supervisor"))
    assert await work_what_is_due(database, MORNING - timedelta(hours=1)) == 0
    done = [await work_what_is_due(database, MORNING) for _ in range(3)]
    assert done == [2, 1, 0]
    tomorrow = datetime(2026, 4, 15, 0, 30, tzinfo=UTC)
    assert await work_what_is_due(database, tomorrow) == 2


async def test_seats_of_certificates_and_of_tomorrow_do_not_count(
    client: httpx.AsyncClient, database: Database
) -> None:
    await shelved(client, [row(1)])
    other = seats(5).model_copy(update={"procedure": Procedure.CERTIFICATE_RENEWAL})
    await hear(database, other, seats(5, MORNING.date() + timedelta(days=1)))
    assert await send_next(client) == []


async def test_the_near_expiry_list_names_who_should_come_soon(client: httpx.AsyncClient) -> None:
    rows = [row(1), row(2, card_expires_on=date(2026, 5, 20))]
    case_ids = await shelved(client, rows)
    answer = await client.get(
        "/v1/shelves/near-expiry", params={"site_id": SITE, "days": 60}, headers=bearer()
    )
    assert [r["case_id"] for r in answer.json()["rows"]] == case_ids[1:]


async def test_without_its_lock_the_pace_would_be_overrun(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: both read the demand, and the second chooses when the first has sent."""
    await shelved(client, [row(n) for n in range(1, 31)])
    await hear(database, seats(10))
    both_have_read, first_is_done = asyncio.Barrier(2), asyncio.Event()
    demands, next_cards = paces.demands, paces.next_cards
    turns = iter((False, True))

    async def read(*given: Any) -> dict[SiteId, Demand]:
        found = await demands(*given)
        await both_have_read.wait()
        return found

    async def choose(*given: Any) -> list[CaseId]:
        if next(turns):
            await first_is_done.wait()
        return await next_cards(*given)

    async def one() -> list[str]:
        sent = await send_next(client)
        first_is_done.set()
        return sent

    async def unlocked(conn: Connection, site_id: SiteId) -> SitePace:
        return (await paces.find(conn, [site_id]))[0]

    monkeypatch.setattr(paces, "lock", unlocked)
    monkeypatch.setattr(paces, "demands", read)
    monkeypatch.setattr(paces, "next_cards", choose)
    assert sum(map(len, await asyncio.gather(one(), one()))) == 20


async def test_who_is_named_is_notified_beyond_the_pace_and_that_is_kept(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await shelved(client, [row(n) for n in range(1, 5)])
    await hear(database, seats(3))
    made = await client.post("/v1/notices", json={"case_ids": case_ids}, headers=once())
    assert (made.status_code, made.json()["done"], made.json()["over_pace"]) == (201, 4, 1)
    batch = (await client.get(made.headers["location"], headers=bearer())).json()
    assert batch["over_pace"] == 1
    async with database.reader() as conn:
        told = await conn.fetchval(
            "SELECT refs->>'notices' FROM audit_entry WHERE action = 'notice.over_pace'"
        )
    assert told == "1"


async def test_by_pace_nothing_is_beyond_it(client: httpx.AsyncClient, database: Database) -> None:
    await shelved(client, [row(n) for n in range(1, 5)])
    await hear(database, seats(3))
    made = await client.post("/v1/notices/next", json=NEXT, headers=once())
    assert (made.json()["done"], made.json()["over_pace"]) == (3, 0)
