"""What a satellite takes over from headquarters, and an entry that they cannot read."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from itertools import combinations

import pytest
import pytest_asyncio
from asyncpg import QueryCanceledError

from services.issuance.domain.visit import Visit
from services.issuance.gateways import HeadquartersError
from services.issuance.handlers import queue, telling
from services.issuance.post import JournalMetrics
from services.issuance.store import counters
from shared.clock import FixedClock
from shared.db import Database
from shared.ids import VisitId
from shared.telemetry.metrics import Metrics
from shared.unit import Unit
from tests.issuance.satellites import Region, region
from tests.issuance.support import OFFICE, TEN, ok, refused, version


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


async def states(made: Region) -> dict[str, str]:
    """What headquarters know of each visit."""
    async with made.hq.database.reader() as conn:
        rows = await conn.fetch("SELECT visit_id::text, state FROM visit")
    return {row["visit_id"]: row["state"] for row in rows}


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


async def test_the_measures_of_a_day_apart_are_those_of_the_satellite(
    made: Region, clock: FixedClock
) -> None:
    made.cut()
    for counter in ("3", "4"):
        await made.sat_clerk.open(counter)
    clock.advance(timedelta(minutes=3))
    visit = await made.sat_clerk.draw()
    await made.sat_clerk.next("3")
    clock.advance(timedelta(minutes=6))
    ok(await made.sat_clerk.ticket(visit["visit_id"], "done"))
    ok(await made.sat_clerk.post(f"/v1/counters/{OFFICE}/3:pause"))
    clock.advance(timedelta(minutes=20))
    ok(await made.sat_clerk.post(f"/v1/counters/{OFFICE}/4:close"))
    day = f"/v1/sites/{OFFICE}/day"
    ok(await made.sat_supervisor.post(f"{day}:sign-off"))
    await made.mend()
    await made.tell_all()
    there, here = [
        (await one.get(f"{day}/measures")).json()
        for one in (made.sat_supervisor, made.hq_supervisor)
    ]
    assert here == there
    told = await made.hq.measured()
    assert [one["open_seconds"] for one in told] == [9 * 60 + 15 * 60, 14 * 60]
    assert sum(one["busy_seconds"] for one in told) == 6 * 60


async def test_spans_told_late_and_spans_of_headquarters_never_end_before_they_begin(
    made: Region,
) -> None:
    """A satellite's counter was open from ten to half past, the one here of the same name from
    eleven to twelve: in whatever order this is heard, it comes to an hour and a half.
    """
    ten, half, eleven, twelve = [TEN + timedelta(minutes=each) for each in (0, 30, 60, 120)]
    told, own = [(ten, True), (half, False)], [(eleven, True), (twelve, False)]
    async with made.hq.database.transaction() as conn:
        for places in combinations(range(4), 2):
            theirs, ours = iter(told), iter(own)
            for place in range(4):
                at, is_open = next(theirs if place in places else ours)
                await counters.noted(conn, OFFICE, str(places), at, is_open=is_open)
        rows = await conn.fetch("SELECT counter, opened_at, closed_at FROM counter_span")
    found = defaultdict(set)
    for row in rows:
        found[row["counter"]].add((row["opened_at"], row["closed_at"]))
    assert len(found) == 6
    assert all(spans == {(ten, half), (eleven, twelve)} for spans in found.values()), found


async def test_a_day_is_signed_off_though_a_counter_was_opened_here_before_all_was_told(
    made: Region, clock: FixedClock
) -> None:
    made.cut()
    await made.sat_clerk.open("3")
    clock.advance(timedelta(minutes=20))
    ok(await made.sat_clerk.post(f"/v1/counters/{OFFICE}/3:close"))
    day = f"/v1/sites/{OFFICE}/day"
    ok(await made.sat_supervisor.post(f"{day}:sign-off"))
    clock.advance(timedelta(minutes=20))
    ok(await made.hq_supervisor.post(f"/v1/satellites/{OFFICE}:take-back"))
    await made.hq_clerk.open("3")
    await made.mend()
    await made.tell_all()
    assert await made.conflicts() == []
    assert sum(one["open_seconds"] for one in await made.hq.measured()) == 20 * 60
    async with made.hq.database.reader() as conn:
        assert not await conn.fetch("SELECT FROM counter_span WHERE closed_at IS NULL")


async def test_an_entry_that_headquarters_cannot_read_holds_up_its_own_visit_alone(
    made: Region,
) -> None:
    await answer_questions(made, 3)
    async with made.sat.database.transaction() as conn:
        # As a later release would write it.
        await conn.execute(
            """UPDATE journal SET entry = entry || '{"verb": "fly"}' WHERE number = 5"""
        )
    await made.tell_all()
    assert ok(await made.sat_clerk.get("/v1/journal"))["waiting"] == 0
    (conflict,) = await made.conflicts()
    assert conflict["code"] == "entry-not-understood"
    assert [one["row"]["verb"] for one in conflict["entries"]] == ["unread", "done"]
    assert conflict["entries"][0]["row"]["entry"]["verb"] == "fly", "nothing of it is lost"
    ended = await states(made)
    assert sorted(ended.values()) == ["ended", "ended", "waiting"]
    refused(await made.resolve(conflict, "record"), "entry-not-understood", 422)
    ok(await made.resolve(conflict, "dismiss"))


async def test_an_entry_is_read_by_a_later_release(made: Region) -> None:
    await answer_questions(made, 1)
    async with made.sat.database.transaction() as conn:
        await conn.execute(
            """UPDATE journal SET entry = entry || '{"verb": "fly"}' WHERE number = 2"""
        )
    await made.tell_all()
    (conflict,) = await made.conflicts()
    async with made.hq.database.transaction() as conn:
        await conn.execute(
            """UPDATE conflict_row SET entry = jsonb_set(entry, '{entry,verb}', '"call"')
               WHERE number = 2"""
        )
    ok(await made.resolve(conflict, "record"))
    (visit_id,) = await states(made)
    visit = ok(await made.hq_clerk.get(f"/v1/visits/{visit_id}"))
    assert (visit["state"], visit["counter"]) == ("ended", "3")


async def test_an_entry_that_cannot_be_worked_holds_up_its_own_visit_alone(
    made: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answer_questions(made, 2)
    done = queue.done
    broken = set[VisitId]()

    async def breaks_once(unit: Unit, visit_id: VisitId) -> Visit:
        if not broken or visit_id in broken:
            broken.add(visit_id)
            raise ZeroDivisionError
        return await done(unit, visit_id)

    monkeypatch.setattr(queue, "done", breaks_once)
    await made.tell_all()
    (conflict,) = await made.conflicts()
    assert conflict["code"] == "entry-failed"
    assert sorted((await states(made)).values()) == ["called", "ended"]
    monkeypatch.setattr(queue, "done", done)
    ok(await made.resolve(conflict, "record"))
    assert set((await states(made)).values()) == {"ended"}


async def test_an_entry_that_a_busy_database_left_undone_is_told_again(
    made: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answer_questions(made, 1)
    done = queue.done
    too_late = [QueryCanceledError("canceling statement due to statement timeout")]

    async def late_once(unit: Unit, visit_id: VisitId) -> Visit:
        if too_late:
            raise too_late.pop()
        return await done(unit, visit_id)

    monkeypatch.setattr(queue, "done", late_once)
    with pytest.raises(HeadquartersError, match="answered 500"):
        await made.teller.round()
    await made.tell_all()
    assert await made.conflicts(None) == []
    assert set((await states(made)).values()) == {"ended"}


async def test_what_headquarters_do_not_take_at_all_is_named_and_told_later(
    made: Region, clock: FixedClock
) -> None:
    await answer_questions(made, 3)
    async with made.sat.database.transaction() as conn:
        kept = await conn.fetchval("SELECT entry::text FROM journal WHERE number = 5")
        # A number that no door lets in.
        unread = """UPDATE journal SET entry = '{"verb": "123456789018"}' WHERE number = 5"""
        await conn.execute(unread)
    for _ in range(3):
        try:
            await made.teller.round()
        except HeadquartersError as error:
            said = str(error)
    assert said == "answered 422: my-number-refused (entry 5)"
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
