"""What a satellite takes over from headquarters, and an entry that they cannot read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
import pytest_asyncio

from services.issuance.gateways import HeadquartersError
from services.issuance.handlers import telling
from services.issuance.post import JournalMetrics
from shared.clock import FixedClock
from shared.db import Database
from shared.telemetry.metrics import Metrics
from tests.issuance.satellites import Region, region
from tests.issuance.support import ok, refused, version


@pytest_asyncio.fixture
async def made(
    room_database: Callable[[str], Awaitable[Database]],
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Region]:
    hq, sat = await room_database("issuance"), await room_database("issuance")
    monkeypatch.setattr(telling, "LOOK_SECONDS", 0.0)
    async with region(hq, sat, clock, monkeypatch) as built:
        yield built


async def answer_questions(made: Region, count: int) -> None:
    """So many parties had a question, each told in three entries."""
    for _ in range(count):
        visit = (await made.sat_clerk.draw())["visit_id"]
        ok(await made.sat_clerk.call(visit))
        ok(await made.sat_clerk.ticket(visit, "done"))


async def test_versions_of_the_checklist_come_from_headquarters(made: Region) -> None:
    refused(await made.sat_supervisor.post("/v1/checklists", version()), "headquarters-only")
    for day in ("2026-08-01", "2026-09-01"):
        ok(await made.hq_supervisor.post("/v1/checklists", version(valid_from=day)))
    await made.teller.round()
    await made.teller.round()
    there, here = [
        ok(await one.get("/v1/checklists"))["items"] for one in (made.hq_clerk, made.sat_clerk)
    ]
    assert len(here) == 3
    assert here == there
    assert (await made.sat.actions()).count("checklist.take_over") == 2


async def test_an_entry_that_headquarters_cannot_read_is_named_and_told_later(
    made: Region, clock: FixedClock
) -> None:
    await answer_questions(made, 3)
    async with made.sat.database.transaction() as conn:
        kept = await conn.fetchval("SELECT entry::text FROM journal WHERE number = 5")
        unread = """UPDATE journal SET entry = '{"verb": "fly"}' WHERE number = 5"""
        await conn.execute(unread)
    for _ in range(8):
        try:
            await made.teller.round()
        except HeadquartersError as error:
            said = str(error)
    assert said == "answered 422: invalid-request (entries 5 to 5)"
    journal = ok(await made.sat_clerk.get("/v1/journal"))
    assert (journal["told_through"], journal["said"]) == (4, said)
    clock.advance(timedelta(minutes=20))
    figures = JournalMetrics(metrics := Metrics(service="issuance", role="test"))
    await figures.measure(made.sat.units)
    shown = metrics.render().decode()
    assert "madoguchi_issuance_journal_oldest_age_seconds 1200.0" in shown
    async with made.sat.database.transaction() as conn:
        await conn.execute("UPDATE journal SET entry = $1::jsonb WHERE number = 5", kept)
    await made.tell_all()
    journal = ok(await made.sat_clerk.get("/v1/journal"))
    assert (journal["waiting"], journal["said"]) == (0, None)
    await figures.measure(made.sat.units)
    assert "madoguchi_issuance_journal_oldest_age_seconds 0.0" in metrics.render().decode()
