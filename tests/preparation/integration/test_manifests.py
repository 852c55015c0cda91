"""Manifests: what differs from what came is opened, worked and closed, whoever comes first."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest

from services.preparation.domain.manifests import Discrepancy
from services.preparation.handlers import manifests
from services.preparation.store import manifests as store
from shared.calendar import BusinessCalendar, business_date
from shared.clock import FixedClock
from shared.db import Connection, Database
from shared.ids import LotId
from shared.security.principal import Principal
from tests.preparation.support import bearer, import_rows, lot_csv, row, units

HEADER = "lot,cards,shipped_on"


async def manifest(client: httpx.AsyncClient, *rows: str) -> list[tuple[str, str | None]]:
    """Send a file of manifests; outcome and code of each row."""
    body = "\r\n".join([HEADER, *rows]).encode()
    answer = await client.post("/v1/manifests", content=body, headers=bearer())
    assert answer.status_code == 200, answer.text
    return [(r["outcome"], r["code"]) for r in answer.json()["results"]]


async def discrepancies(client: httpx.AsyncClient, **params: str) -> list[tuple[int, int, str]]:
    """Expected, found and state of what is listed."""
    page = await client.get("/v1/discrepancies", params=params, headers=bearer("auditor"))
    return [(i["expected"], i["found"], i["state"]) for i in page.json()["items"]]


async def test_counts_that_agree_open_nothing(client: httpx.AsyncClient) -> None:
    assert await manifest(client, "L2026-0412,3,2026-04-10") == [("done", None)]
    await import_rows(client, 3)
    assert await discrepancies(client) == []


async def test_a_lot_of_which_nothing_has_come_is_only_awaited(client: httpx.AsyncClient) -> None:
    await manifest(client, "L2026-0412,3,2026-04-10")
    assert await discrepancies(client) == []


async def test_a_lot_of_which_nothing_ever_comes_is_missed(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    async def run() -> int:
        async with units(database, clock).begin(Principal.system("preparation")) as unit:
            return await manifests.overdue(BusinessCalendar(), 5)(unit)

    today = business_date(clock.now())
    just = BusinessCalendar().add_business_days(today, -5)
    await manifest(client, f"L1,3,{just}", f"L2,3,{just + timedelta(days=1)}")
    assert [await run(), await run(), await run()] == [1, 0, 0]
    assert await discrepancies(client) == [(3, 0, "open")]
    rows = [row(n, lot="L1", shipped_on=just) for n in (1, 2)]
    await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())
    assert await discrepancies(client) == [(3, 2, "open")]


async def test_a_missed_lot_that_people_closed_is_not_opened_again(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    async def run() -> None:
        clock.advance(timedelta(days=1))
        async with units(database, clock).begin(Principal.system("preparation")) as unit:
            await manifests.overdue(BusinessCalendar(), 5)(unit)

    await manifest(client, "L1,3,2026-04-01")
    await run()
    (item,) = (await client.get("/v1/discrepancies", headers=bearer())).json()["items"]
    path = f"/v1/discrepancies/{item['discrepancy_id']}/closing"
    await client.post(path, json={"resolution": "reported_to_jlis"}, headers=bearer())
    await run()
    assert await discrepancies(client) == []


async def test_missing_cards_open_a_discrepancy_that_closes_when_they_come(
    client: httpx.AsyncClient,
) -> None:
    await manifest(client, "L2026-0412,5,2026-04-10")
    await import_rows(client, 3)
    assert await discrepancies(client) == [(5, 3, "open")]
    more = lot_csv([row(4)])
    await client.post("/v1/lots", content=more, headers=bearer())
    assert await discrepancies(client) == [(5, 4, "open")]
    await client.post("/v1/lots", content=lot_csv([row(5)]), headers=bearer())
    assert await discrepancies(client) == []
    assert await discrepancies(client, state="closed") == [(5, 5, "closed")]


async def test_surplus_cards_are_worked_and_closed_by_people(client: httpx.AsyncClient) -> None:
    await import_rows(client, 3)
    await manifest(client, "L2026-0412,2,2026-04-10")
    (item,) = (await client.get("/v1/discrepancies", headers=bearer())).json()["items"]
    path = f"/v1/discrepancies/{item['discrepancy_id']}"
    seen = (await client.get(path, headers=bearer())).headers["etag"]
    worked = await client.post(f"{path}/work", headers=bearer(**{"If-Match": seen}))
    assert (worked.json()["state"], worked.json()["worked_by"]) == ("in_work", "staff:b")
    closing = {"resolution": "surplus_returned"}
    stale = await client.post(f"{path}/closing", json=closing, headers=bearer(**{"If-Match": seen}))
    assert stale.status_code == 412
    closed = await client.post(f"{path}/closing", json=closing, headers=bearer())
    assert (closed.json()["state"], closed.json()["resolution"]) == ("closed", "surplus_returned")
    again = await client.post(f"{path}/work", headers=bearer())
    assert (again.status_code, again.json()["type"]) == (
        409,
        "urn:madoguchi:problem:discrepancy-closed",
    )
    assert await manifest(client, "L2026-0412,2,2026-04-10") == [("already", None)]
    assert await discrepancies(client) == []


async def test_a_corrected_manifest_takes_the_place_of_the_first(
    client: httpx.AsyncClient,
) -> None:
    await import_rows(client, 3)
    assert await manifest(client, "L2026-0412,4,2026-04-10") == [("done", None)]
    assert await discrepancies(client) == [(4, 3, "open")]
    assert await manifest(client, "L2026-0412,3,2026-04-10") == [("done", None)]
    assert await discrepancies(client) == []


async def test_bad_rows_are_named_and_good_ones_kept(client: httpx.AsyncClient) -> None:
    rows = ["L1,0,2026-04-10", "L2,5,10.4.2026", "L3,5,2026-04-10", "L3,6,2026-04-10", "L4,5"]
    assert await manifest(client, *rows) == [
        ("refused", "malformed"),
        ("refused", "malformed"),
        ("done", None),
        ("refused", "duplicate_in_file"),
        ("refused", "wrong_cell_count"),
    ]


async def test_manifest_and_cards_at_once_always_end_in_one_right_count(
    client: httpx.AsyncClient, database: Database
) -> None:
    lots = [f"L{n}" for n in range(12)]

    async def cards(lot: str, first: int, last: int) -> None:
        rows = [row(n, lot=lot, card_reference=f"{lot}-{n:04d}") for n in range(first, last)]
        await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())

    await asyncio.gather(
        *(cards(lot, 1, 3) for lot in lots),
        *(manifest(client, f"{lot},5,2026-04-10") for lot in lots),
        *(cards(lot, 3, 5) for lot in lots),
    )
    assert await discrepancies(client) == [(5, 4, "open")] * len(lots)


def count_together(monkeypatch: pytest.MonkeyPatch, *, commit_together: bool = False) -> None:
    """Let nobody count before both have written what the other cannot see yet; nor, if wanted,
    commit before both have counted (with a lock nobody could).
    """
    both_have_written = asyncio.Barrier(2)
    compare = store.compare

    async def later(
        conn: Connection, lots: Mapping[LotId, UUID], at: datetime, *, overdue: bool = False
    ) -> list[Discrepancy]:
        await both_have_written.wait()
        found = await compare(conn, lots, at, overdue=overdue)
        if commit_together:
            await both_have_written.wait()
        return found

    monkeypatch.setattr(store, "compare", later)


async def race(client: httpx.AsyncClient) -> None:
    """Three cards and a manifest of five, at the same time."""
    body = lot_csv([row(n) for n in range(1, 4)])
    await asyncio.gather(
        client.post("/v1/lots", content=body, headers=bearer()),
        manifest(client, "L2026-0412,5,2026-04-10"),
    )


async def test_who_counts_second_sees_what_the_first_has_written(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_together(monkeypatch)
    await race(client)
    assert await discrepancies(client) == [(5, 3, "open")]


async def test_without_the_lock_both_count_nothing(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: only the lock on the lot keeps a discrepancy from being overlooked."""
    count_together(monkeypatch, commit_together=True)
    monkeypatch.setattr(store, "_LOCK", "SELECT $1::text[]")
    await race(client)
    assert await discrepancies(client) == []
