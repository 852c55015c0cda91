"""Long files that are only tried, or wanted whole: judged in slices, all of it or nothing."""

import asyncio
from typing import Any

import httpx
import pytest

from services.preparation.api import build
from services.preparation.domain import slices as cutting
from services.preparation.store import import_jobs, slices
from shared.db import Database
from tests.preparation.integration.test_intake import post, take_slices
from tests.preparation.support import bearer, dump, events_of, lot_csv, resources, row
from tests.support.waits import who_waits


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "ROWS", 4)


async def job(client: httpx.AsyncClient, accepted: httpx.Response) -> dict[str, Any]:
    """How far a file is."""
    found: dict[str, Any] = (
        await client.get(accepted.headers["location"], headers=bearer())
    ).json()
    return found


async def faults(client: httpx.AsyncClient, accepted: httpx.Response) -> list[tuple[int, str]]:
    """The rows that are not good."""
    path = f"{accepted.headers['location']}/rows"
    page = await client.get(path, params={"rejected": True}, headers=bearer())
    return [(item["line"], item["code"]) for item in page.json()["items"]]


async def test_a_long_file_is_tried_in_slices_and_nothing_is_taken(
    client: httpx.AsyncClient, database: Database
) -> None:
    await post(client, lot_csv([row(3)]))
    body = lot_csv([*(row(n) for n in range(1, 10)), row(10, ward="1")])
    for _ in range(2):
        accepted = await post(client, body, background=True, dry_run=True)
        assert (accepted.status_code, accepted.json()["mode"]) == (202, "dry_run")
        assert await take_slices(database) == 3
        done = await job(client, accepted)
        assert (done["state"], done["accepted"], done["rejected"]) == ("done", 8, 2)
        assert await faults(client, accepted) == [(4, "duplicate_card"), (11, "malformed")]
    assert (await events_of(database)).count("card.received.v1") == 1
    lot = (await client.get("/v1/lots/L2026-0412", headers=bearer())).json()
    assert (lot["accepted"], lot["rejected"]) == (1, 0)
    taken = await post(client, body, background=True)
    assert await take_slices(database) == 3
    assert (await job(client, taken))["accepted"] == 8


async def test_of_a_long_file_wanted_whole_nothing_is_taken_for_one_bad_row(
    client: httpx.AsyncClient, database: Database
) -> None:
    await post(client, lot_csv([row(30)]))
    before = await events_of(database)
    body = lot_csv([row(n) for n in (*range(1, 9), 30)])
    accepted = await post(client, body, background=True, whole=True)
    assert await take_slices(database) == 3
    done = await job(client, accepted)
    assert (done["state"], done["accepted"], done["rejected"]) == ("refused", 0, 1)
    assert await faults(client, accepted) == [(10, "duplicate_card")]
    assert await events_of(database) == before
    assert "KC26-000001" not in await dump(database)
    again = await post(client, body, background=True, whole=True)
    assert again.json()["import_id"] != accepted.json()["import_id"]


async def test_what_a_whole_file_has_claimed_no_other_file_can_take(
    client: httpx.AsyncClient, database: Database
) -> None:
    accepted = await post(
        client, lot_csv([row(n) for n in range(1, 9)]), background=True, whole=True
    )
    await take_slices(database, 2)
    between = await post(client, lot_csv([row(5), row(6, lot="OTHER"), row(20)]))
    assert [r["code"] for r in between.json()["results"]] == [
        "duplicate_card",
        "duplicate_card",
        None,
    ]
    place = await post(client, lot_csv([row(7, card_reference="KC26-000099")]))
    assert [r["code"] for r in place.json()["results"]] == ["duplicate_row"]
    assert await take_slices(database) == 2
    done = await job(client, accepted)
    assert (done["state"], done["accepted"], done["rejected"]) == ("done", 8, 0)
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM card_claim") == 0
        assert await conn.fetchval("SELECT count(*) FROM lot_slice") == 0


@pytest.mark.parametrize("mode", [{}, {"dry_run": True}, {"whole": True}])
async def test_more_rows_than_a_transaction_takes_go_to_the_background(
    database: Database, monkeypatch: pytest.MonkeyPatch, mode: dict[str, bool]
) -> None:
    monkeypatch.setenv("MADOGUCHI_PREPARATION_MAX_IMPORT_ROWS", "5")
    transport = httpx.ASGITransport(build(resources(database)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        body = lot_csv([row(n) for n in range(1, 7)])
        accepted = await post(client, body, "back_office", **mode)
        assert accepted.status_code == 202, accepted.text
        await take_slices(database)
        done = await job(client, accepted)
        assert (done["state"], done["accepted"]) == ("done", 6)
        told = (await events_of(database)).count("card.received.v1")
        assert told == (0 if "dry_run" in mode else 6)


async def raced(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, int, int]:
    """A file wanted whole is judged while another has written a card of it and not committed:
    the whole one's state, and how many of its cards and of its slices it got.
    """
    accepted = await post(
        client, lot_csv([row(n) for n in range(1, 9)]), background=True, whole=True
    )
    written, committed = asyncio.Event(), asyncio.Event()
    count_done = import_jobs.count_done

    async def later(*given: Any, **named: Any) -> bool:
        if not written.is_set():
            written.set()
            await committed.wait()
        return await count_done(*given, **named)

    monkeypatch.setattr(import_jobs, "count_done", later)
    other = asyncio.create_task(post(client, lot_csv([row(8), row(20)])))
    await written.wait()
    judging = asyncio.create_task(take_slices(database))
    await who_waits(database)  # for the lock; without it, for the card it takes
    committed.set()
    assert (await other).json()["accepted"] == 2
    taken = await judging
    found = await job(client, accepted)
    return found["state"], found["accepted"], taken


async def test_a_whole_file_sees_what_another_is_writing(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await raced(client, database, monkeypatch) == ("refused", 0, 2)


async def test_without_waiting_for_each_other_a_whole_file_is_torn(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: without the lock it is judged good, and then not all of it is taken."""
    monkeypatch.setattr(slices, "_CLAIMING", "SELECT 1")
    assert await raced(client, database, monkeypatch) == ("done", 7, 4)
