"""Several at once: one winner, nothing doubled; and the same race without its guards goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.preparation.domain.lot_rows import CardRow, read_file
from services.preparation.domain.refusals import Outcome
from services.preparation.domain.stages import Stage
from services.preparation.handlers import imports
from services.preparation.handlers import stages as handlers
from services.preparation.handlers.selection import Selection
from services.preparation.settings import PreparationSettings
from services.preparation.store import cards, stages
from services.preparation.store import imports as imports_store
from services.preparation.tools import Tools
from shared.db import Connection, Database
from shared.ids import CaseId
from tests.preparation.support import (
    PEOPLE,
    bearer,
    days_of_stages_agree,
    events_of,
    import_rows,
    kernel_settings,
    lot_csv,
    once,
    room_doors,
    row,
    to_shelf,
    units,
)
from tests.support.waits import who_waits

RACERS = 20


async def inspect(database: Database, case_id: str) -> Outcome:
    """One operator inspects the card."""
    async with units(database).begin(PEOPLE["back_office"]) as unit:
        selection = Selection((CaseId(UUID(case_id)),))
        (result,) = await handlers.advance(unit, selection, Stage.INSPECTED)
    return result.verdict.outcome


def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let operators read the card without locking it, and write only when two have read."""
    both_have_read = asyncio.Barrier(2)
    advance = stages.advance

    async def later(
        conn: Connection, case_ids: Sequence[CaseId], *, frm: Stage, to: Stage, at: datetime
    ) -> set[CaseId]:
        await both_have_read.wait()
        return await advance(conn, case_ids, frm=frm, to=to, at=at)

    monkeypatch.setattr(cards, "_LOCK_CASES", cards._LOCK_CASES.replace("FOR UPDATE", ""))
    monkeypatch.setattr(stages, "advance", later)


def without_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a step be taken from any stage."""
    assert "AND stage = $2" in stages._ADVANCE
    bare = stages._ADVANCE.replace("AND stage = $2", "AND $2 <> ''")
    monkeypatch.setattr(stages, "_ADVANCE", bare)


async def test_of_many_operators_one_inspects_the_card(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    outcomes = await asyncio.gather(*(inspect(database, case_id) for _ in range(RACERS)))
    assert sorted(outcomes) == [*[Outcome.ALREADY] * (RACERS - 1), Outcome.DONE]
    assert (await events_of(database)).count("card.inspected.v1") == 1


async def test_the_guard_in_the_row_holds_without_the_lock(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case_id,) = await import_rows(client, 1)
    without_lock(monkeypatch)
    outcomes = await asyncio.gather(*(inspect(database, case_id) for _ in range(2)))
    assert sorted(outcomes) == [Outcome.ALREADY, Outcome.DONE]


async def test_the_history_holds_without_lock_and_guard(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case_id,) = await import_rows(client, 1)
    without_lock(monkeypatch)
    without_guard(monkeypatch)
    outcomes = await asyncio.gather(
        *(inspect(database, case_id) for _ in range(2)), return_exceptions=True
    )
    assert sum(isinstance(o, asyncpg.UniqueViolationError) for o in outcomes) == 1
    assert (await events_of(database)).count("card.inspected.v1") == 1


async def test_without_any_guard_the_race_has_two_winners(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: what the tests above promise is the guards' doing."""
    (case_id,) = await import_rows(client, 1)
    without_lock(monkeypatch)
    without_guard(monkeypatch)
    async with database.transaction() as conn:
        await conn.execute("ALTER TABLE card_stage DROP CONSTRAINT card_stage_pkey CASCADE")
    outcomes = await asyncio.gather(*(inspect(database, case_id) for _ in range(2)))
    assert outcomes == [Outcome.DONE, Outcome.DONE]
    assert (await events_of(database)).count("card.inspected.v1") == 2


async def test_overlapping_selections_in_any_order_end_without_deadlock(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await import_rows(client, 40)
    orders = [case_ids, case_ids[::-1], case_ids[10:30], case_ids[::2], case_ids[1::2]]
    answers = await asyncio.gather(
        *(
            client.post("/v1/stages/inspected", json={"case_ids": order}, headers=bearer())
            for order in orders * 2
        )
    )
    assert [answer.status_code for answer in answers] == [200] * 10
    assert sum(answer.json()["done"] for answer in answers) == 40
    assert (await events_of(database)).count("card.inspected.v1") == 40


async def test_of_many_operators_one_notifies_the_citizen(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    await to_shelf(client)
    answers = await asyncio.gather(
        *(
            client.post("/v1/notices", json={"case_ids": [case_id]}, headers=once())
            for _ in range(RACERS)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * (RACERS - 1)]
    assert (await events_of(database)).count("card.notified.v1") == 1


async def test_a_file_sent_many_times_at_once_is_imported_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    body = lot_csv([row(n) for n in range(1, 51)])
    answers = await asyncio.gather(
        *(client.post("/v1/lots", content=body, headers=bearer()) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert len(await events_of(database)) == 4 * 50


async def test_files_that_share_cards_take_each_card_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    rows = [row(n) for n in range(1, 61)]
    files = [lot_csv(rows[:40]), lot_csv(rows[20:][::-1]), lot_csv(rows[::-1])]
    answers = await asyncio.gather(
        *(client.post("/v1/lots", content=body, headers=bearer()) for body in files)
    )
    assert [answer.status_code for answer in answers] == [201] * 3
    assert sum(answer.json()["accepted"] for answer in answers) == 60
    assert (await events_of(database)).count("card.received.v1") == 60


async def test_a_file_that_meets_the_cards_of_another_takes_the_rest_with_care(
    client: httpx.AsyncClient, database: Database
) -> None:
    """Neither sees what the other copies: the second waits at the card they share, learns that it
    is taken, and goes through its rows once more, one by one.
    """
    await import_rows(client, 1)  # the lot is known: they do not meet there already
    tools = Tools.read(kernel_settings(), room_doors(), PreparationSettings())
    first = read_file(lot_csv([row(n) for n in (2, 3, 4)]))
    second = lot_csv([row(20), row(3), row(4, card_reference="KC26-000099"), row(21)])
    async with units(database).begin(PEOPLE["back_office"]) as unit:
        await imports.import_file(unit, tools, first)
        sent = asyncio.create_task(client.post("/v1/lots", content=second, headers=bearer()))
        assert (await who_waits(database)).startswith("COPY")
    answer = await sent
    assert answer.status_code == 201, answer.text
    codes = [result["code"] for result in answer.json()["results"]]
    assert codes == [None, "duplicate_card", "duplicate_row", None]
    assert (await events_of(database)).count("card.received.v1") == 6
    assert await days_of_stages_agree(database)


@pytest.mark.parametrize("claimed", [False, True], ids=["copied", "beside a claim"])
async def test_files_that_cross_wait_in_no_circle_and_lose_nothing(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch, claimed: bool
) -> None:
    """Other cards at the same places of a lot, in the opposite order: each file has written one
    place and waits for the other's. One gives way, and is answered row by row.
    """
    await import_rows(client, 1)
    if claimed:
        async with database.transaction() as conn:
            await conn.execute(
                "INSERT INTO card_claim SELECT 'KC26-000090', 'L', 90, import_id FROM lot_import"
            )
    write_one_by_one(monkeypatch)
    files = [
        lot_csv([row(4, card_reference="KC26-000010"), row(3, card_reference="KC26-000030")]),
        lot_csv([row(3, card_reference="KC26-000020"), row(4, card_reference="KC26-000040")]),
    ]
    answers = await asyncio.gather(
        *(client.post("/v1/lots", content=body, headers=bearer()) for body in files)
    )
    assert [answer.status_code for answer in answers] == [201, 201]
    codes = [[one["code"] for one in answer.json()["results"]] for answer in answers]
    assert sorted(codes, key=str) == [["duplicate_row"] * 2, [None] * 2]
    assert (await events_of(database)).count("card.received.v1") == 3
    assert await days_of_stages_agree(database)


def write_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two files write their first card, and only then, each, the second."""
    both_have_written = asyncio.Barrier(2)
    add, copy = imports_store._add_unknown, imports_store._copy_cards
    begun: set[UUID] = set()

    async def halves(
        cards: Mapping[CaseId, CardRow],
    ) -> AsyncIterator[Mapping[CaseId, CardRow]]:
        (first, one), *others = cards.items()
        yield {first: one}
        if first not in begun:
            begun.add(first)
            await both_have_written.wait()
        yield dict(others)

    async def add_later(
        conn: Connection, import_id: UUID, cards: Mapping[CaseId, CardRow], at: datetime
    ) -> set[CaseId]:
        return {c async for half in halves(cards) for c in await add(conn, import_id, half, at)}

    async def copy_later(conn: Connection, cards: Mapping[CaseId, CardRow], at: datetime) -> None:
        async for half in halves(cards):
            await copy(conn, half, at)

    monkeypatch.setattr(imports_store, "_add_unknown", add_later)
    monkeypatch.setattr(imports_store, "_copy_cards", copy_later)


async def test_positions_on_a_shelf_are_given_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await import_rows(client, 20)
    for stage in ("inspected", "registry_checked", "preset"):
        await client.post(f"/v1/stages/{stage}", json={"case_ids": case_ids}, headers=bearer())
    place = {"site_id": "kawasaki-ward-office"}
    await asyncio.gather(
        *(
            client.post(f"/v1/cards/{case_id}/stages/shelved", json=place, headers=bearer())
            for case_id in case_ids
        )
    )
    async with database.reader() as conn:
        positions = await conn.fetch("SELECT DISTINCT shelf_position FROM card")
    assert len(positions) == 20
