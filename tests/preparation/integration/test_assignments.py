"""One operator per case; what is forgotten expires."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from services.preparation.handlers import assignments
from services.preparation.handlers.selection import Selection
from services.preparation.store import assignments as store
from shared.clock import FixedClock
from shared.db import Database
from shared.ids import CaseId
from shared.security.principal import Principal
from tests.preparation.support import PEOPLE, bearer, import_rows, units


async def take(
    client: httpx.AsyncClient, case_ids: list[str], who: str = "back_office", minutes: int = 30
) -> dict[str, str | None]:
    """Take cases; the refusals' codes by case."""
    body = {"case_ids": case_ids, "minutes": minutes}
    answer = await client.post("/v1/assignments", json=body, headers=bearer(who))
    assert answer.status_code == 200, answer.text
    return {r["case_id"]: r["code"] for r in answer.json()["results"]}


async def test_a_case_is_one_operators_and_steps_of_others_are_refused(
    client: httpx.AsyncClient,
) -> None:
    mine, free = await import_rows(client, 2)
    assert await take(client, [mine]) == {mine: None}
    assert await take(client, [mine, free], "elsewhere") == {
        mine: "assigned_elsewhere",
        free: None,
    }
    body = {"case_ids": [mine, free]}
    answer = await client.post("/v1/stages/inspected", json=body, headers=bearer())
    assert [r["code"] for r in answer.json()["results"]] == [None, "assigned_elsewhere"]
    page = await client.get("/v1/assignments", params={"mine": True}, headers=bearer())
    assert [item["case_id"] for item in page.json()["items"]] == [mine]


async def test_a_forgotten_assignment_expires_by_its_time(
    client: httpx.AsyncClient, clock: FixedClock, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    await take(client, [case_id], minutes=30)
    clock.advance(timedelta(minutes=29))
    assert await take(client, [case_id], "elsewhere") == {case_id: "assigned_elsewhere"}
    clock.advance(timedelta(minutes=1))
    assert await take(client, [case_id], "elsewhere") == {case_id: None}
    clock.advance(timedelta(minutes=31))
    async with units(database, clock).begin(Principal.system("preparation")) as unit:
        assert await assignments.expire(unit) == 1
        assert await assignments.expire(unit) == 0


async def test_who_has_a_case_gives_it_back_and_a_supervisor_any(
    client: httpx.AsyncClient,
) -> None:
    one, two = await import_rows(client, 2)
    await take(client, [one, two])
    body = {"case_ids": [one]}
    answer = await client.post("/v1/assignments/returns", json=body, headers=bearer("elsewhere"))
    assert answer.json()["results"][0]["code"] == "not_assigned"
    for who, case_id in (("back_office", one), ("supervisor", two)):
        answer = await client.post(
            "/v1/assignments/returns", json={"case_ids": [case_id]}, headers=bearer(who)
        )
        assert answer.json()["done"] == 1


async def test_of_many_operators_one_gets_the_case(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    found = await asyncio.gather(*(race(database, case_id, n) for n in range(20)))
    assert sum(found) == 1


async def test_without_the_guard_in_the_row_the_case_has_two_operators(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: the condition of the update decides it."""
    guard = "WHERE a.operator = excluded.operator OR a.expires_at <= excluded.assigned_at"
    assert guard in store._TAKE
    monkeypatch.setattr(store, "_TAKE", store._TAKE.replace(guard, ""))
    (case_id,) = await import_rows(client, 1)
    found = await asyncio.gather(*(race(database, case_id, n) for n in range(5)))
    assert sum(found) == 5


async def race(database: Database, case_id: str, number: int) -> bool:
    """Whether operator ``number`` got the case."""
    someone = Principal(f"staff:{number}", PEOPLE["back_office"].roles)
    async with units(database).begin(someone) as unit:
        (result,) = await assignments.take(unit, Selection((CaseId(UUID(case_id)),)), 30)
    return result.verdict.refusal is None
