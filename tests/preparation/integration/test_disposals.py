"""Disposal: only of what waits for it, only by two, and only what is still there."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from shared.clock import FixedClock
from shared.db import Database
from shared.ids import new_id
from tests.preparation.integration.test_facts import issued
from tests.preparation.integration.test_second_notices import AFTER, second
from tests.preparation.integration.test_transfers import (
    arrive,
    booked,
    notified,
    send,
    work_what_is_due,
)
from tests.preparation.support import SITE, bearer, events_of, hear, import_rows, once, to_shelf

LONG_AFTER = datetime(2026, 10, 20, 0, 0, tzinfo=UTC)
"""The deadline of a second notice of 16 July has passed."""


async def stage(client: httpx.AsyncClient, case_id: str) -> str:
    """Where a card stands."""
    answer = await client.get(f"/v1/cards/{case_id}", headers=bearer("auditor"))
    return str(answer.json()["stage"])


async def lay_out(
    client: httpx.AsyncClient, case_ids: list[str], who: str = "back_office"
) -> httpx.Response:
    """Open a record."""
    body = {"case_ids": case_ids, "site_id": SITE, "method": "shredded"}
    headers = {**once(), **bearer(who)}
    return await client.post("/v1/disposals", json=body, headers=headers)


async def close(
    client: httpx.AsyncClient, record: str, who: str = "supervisor", how: str = "confirm"
) -> httpx.Response:
    """Confirm or withdraw a record."""
    path = f"/v1/disposals/{record}:{how}"
    return await client.post(path, json={"site_id": SITE}, headers=bearer(who))


async def voided(client: httpx.AsyncClient, count: int) -> list[str]:
    """Cards on the shelf whose cases have ended."""
    case_ids = await import_rows(client, count)
    await to_shelf(client)
    body = {"case_ids": case_ids, "reason": "moved_out"}
    answer = await client.post("/v1/stages/voided", json=body, headers=bearer())
    assert answer.json()["done"] == count, answer.text
    return case_ids


async def test_after_the_second_deadline_a_card_waits_for_disposal(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    gone, comes, once_told = await notified(client, 3)
    clock.advance(AFTER - clock.now())
    await second(client, [gone, comes])
    await hear(database, booked(comes, SITE, LONG_AFTER + timedelta(days=1)))
    assert await work_what_is_due(database, LONG_AFTER) == 1
    assert await work_what_is_due(database, LONG_AFTER) == 0
    assert [await stage(client, c) for c in (gone, comes, once_told)] == [
        "disposal_due",
        "notified",
        "notified",
    ]
    assert (await events_of(database, gone))[-1] == "card.disposal_due.v1"
    due = await client.get("/v1/disposals/due", params={"site_id": SITE}, headers=bearer())
    assert [(r["case_id"], r["end_reason"]) for r in due.json()["rows"]] == [(gone, "unclaimed")]


async def test_a_card_whose_validity_ended_waits_for_disposal(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1, card_expires_on="2026-05-14")
    await to_shelf(client)
    assert await work_what_is_due(database, datetime(2026, 5, 14, 3, tzinfo=UTC)) == 0
    assert await work_what_is_due(database, datetime(2026, 5, 15, 3, tzinfo=UTC)) == 1
    assert await stage(client, case_id) == "disposal_due"


async def test_a_voided_card_is_told_to_wait_for_its_disposal_once(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    (case_id,) = await voided(client, 1)
    for _ in range(3):
        clock.advance(timedelta(days=1))
        await work_what_is_due(database, clock.now())
    told = await events_of(database, case_id)
    assert told[-2:] == ["card.voided.v1", "card.disposal_due.v1"]
    assert await stage(client, case_id) == "voided"
    assert (await lay_out(client, [case_id])).json()["done"] == 1


async def test_two_destroy_a_card_and_one_alone_cannot(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await voided(client, 2)
    opened = await lay_out(client, case_ids)
    record = opened.json()["disposal_id"]
    assert (opened.status_code, opened.json()["done"]) == (201, 2)
    alone = await close(client, record, "back_office")
    assert (alone.status_code, alone.json()["type"].split(":")[-1]) == (
        403,
        "disposal-needs-second-operator",
    )
    done = (await close(client, record)).json()
    assert (done["state"], done["disposed"], done["confirmed_by"]) == ("confirmed", 2, "staff:s")
    assert [await stage(client, case_id) for case_id in case_ids] == ["disposed"] * 2
    assert (await events_of(database, case_ids[0]))[-1] == "card.disposed.v1"
    shelf = (await client.get(f"/v1/shelves/{SITE}/A", headers=bearer())).json()
    assert shelf["cards"] == 0
    assert (await close(client, record)).status_code == 409


async def test_what_does_not_wait_is_refused(client: httpx.AsyncClient) -> None:
    (case_id,) = await notified(client, 1)
    answer = await lay_out(client, [case_id])
    assert (answer.status_code, answer.json()["results"][0]["code"]) == (409, "not_due")


async def test_a_card_handed_over_meanwhile_is_kept_out(
    client: httpx.AsyncClient, database: Database
) -> None:
    first, other = await voided(client, 2)
    record = (await lay_out(client, [first, other])).json()["disposal_id"]
    await hear(database, issued(first))
    assert (await close(client, record)).json()["disposed"] == 1
    assert [await stage(client, c) for c in (first, other)] == ["issued", "disposed"]


async def test_a_withdrawn_card_can_be_laid_out_again(client: httpx.AsyncClient) -> None:
    case_ids = await voided(client, 1)
    record = (await lay_out(client, case_ids)).json()["disposal_id"]
    assert (await lay_out(client, case_ids)).json()["results"][0]["code"] == "laid_out"
    assert (await close(client, record, how="withdraw")).json()["state"] == "withdrawn"
    assert (await lay_out(client, case_ids)).status_code == 201


async def test_a_voided_card_may_travel_and_is_destroyed_where_it_lies(
    client: httpx.AsyncClient,
) -> None:
    (case_id,) = await voided(client, 1)
    batch = (await send(client, [case_id])).json()
    assert (await lay_out(client, [case_id])).json()["results"][0]["code"] == "elsewhere"
    await arrive(client, batch, [case_id])
    assert (await lay_out(client, [case_id])).json()["results"][0]["code"] == "elsewhere"


async def test_of_many_confirmations_one_counts(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await voided(client, 3)
    opened = await asyncio.gather(*(lay_out(client, case_ids) for _ in range(6)))
    assert sorted(answer.status_code for answer in opened) == [201, *[409] * 5]
    record = next(a.json()["disposal_id"] for a in opened if a.status_code == 201)
    closed = await asyncio.gather(
        *(close(client, record, how=how) for how in ("confirm", "withdraw") * 4)
    )
    assert [answer.status_code for answer in closed].count(200) == 1
    told = (await events_of(database)).count("card.disposed.v1")
    assert told in (0, 3)


@pytest.mark.parametrize("confirmed_by", ["staff:b", None])
async def test_the_database_itself_needs_two(
    client: httpx.AsyncClient, database: Database, confirmed_by: str | None
) -> None:
    (case_id,) = await voided(client, 1)
    record = (await lay_out(client, [case_id])).json()["disposal_id"]
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.ForeignKeyViolationError)):
        await destroy_alone(database, case_id, record, confirmed_by)


async def destroy_alone(
    database: Database, case_id: str, record: str, confirmed_by: str | None
) -> None:
    """Write what no command would: a disposal that only one operator has signed."""
    async with database.transaction() as conn:
        if confirmed_by:
            await conn.execute(
                "UPDATE disposal SET confirmed_at = now(), confirmed_by = $2 "
                "WHERE disposal_id = $1",
                record,
                confirmed_by,
            )
        await conn.execute(
            "UPDATE card SET stage = 'disposed', disposal_id = $2, site_id = NULL, "
            "shelf_position = NULL WHERE case_id = $1",
            case_id,
            record,
        )


async def test_records_are_listed_and_read(client: httpx.AsyncClient) -> None:
    case_ids = await voided(client, 1)
    record = (await lay_out(client, case_ids)).json()["disposal_id"]
    page = (await client.get("/v1/disposals", params={"site_id": SITE}, headers=bearer())).json()
    assert [one["disposal_id"] for one in page["items"]] == [record]
    answer = await client.get(f"/v1/disposals/{record}/cards", headers=bearer("auditor"))
    assert answer.json()["rows"][0]["reason"] == "voided"
    unknown = await client.get(f"/v1/disposals/{new_id()}", headers=bearer())
    assert unknown.status_code == 404
