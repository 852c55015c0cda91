"""Holds and ends over HTTP: what waits takes no step, what has ended takes none for ever."""

import asyncio
from datetime import date
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.preparation.domain.refusals import DONE
from services.preparation.store import stages
from shared.db import Database
from tests.preparation.integration.test_facts import issued, notified
from tests.preparation.support import bearer, events_of, hear, import_rows, once, to_shelf

LOT = {"lot_id": "L2026-0412"}


async def post(client: httpx.AsyncClient, path: str, **body: object) -> httpx.Response:
    """One command of the back office."""
    return await client.post(f"/v1/{path}", json=body, headers=bearer())


async def hold(client: httpx.AsyncClient, case_id: str, reason: str = "other") -> None:
    """Let a card wait."""
    answer = await post(client, "stages/held", case_ids=[case_id], reason=reason)
    assert answer.json()["done"] == 1, answer.text


async def test_a_held_card_takes_no_step_until_every_reason_is_cleared(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    await hold(client, case_id, "registry_mismatch")
    await hold(client, case_id, "support_measures")
    refused = await post(client, f"cards/{case_id}/stages/inspected")
    assert (refused.status_code, refused.json()["code"]) == (409, "held")

    first = await post(client, "stages/released", case_ids=[case_id], reason="support_measures")
    assert first.json()["done"] == 1
    assert "card.released.v1" not in await events_of(database)
    assert (await post(client, f"cards/{case_id}/stages/inspected")).status_code == 409

    card = await post(client, f"cards/{case_id}/stages/released")
    assert card.status_code == 200, card.text
    assert card.json()["held"] is False
    assert (await post(client, f"cards/{case_id}/stages/inspected")).status_code == 200
    assert (await events_of(database, case_id))[4:] == [
        "card.held.v1",
        "card.held.v1",
        "card.released.v1",
        "card.inspected.v1",
    ]


async def test_no_notice_for_a_held_card(client: httpx.AsyncClient) -> None:
    case_id, other = await import_rows(client, 2)
    await to_shelf(client)
    await hold(client, case_id)
    made = await client.post("/v1/notices", json=LOT, headers=once())
    assert {r["case_id"]: r["code"] for r in made.json()["results"]} == {
        case_id: "held",
        other: None,
    }


async def test_holds_come_by_the_day_they_are_looked_at_again(client: httpx.AsyncClient) -> None:
    first, second, third = await import_rows(client, 3)
    days = {first: "2026-05-20", second: "2026-04-14", third: None}
    for case_id, day in days.items():
        body = {"case_ids": [case_id], "reason": "other", "review_on": day}
        assert (await post(client, "stages/held", **body)).json()["done"] == 1
    seen: list[tuple[str, str]] = []
    cursor = None
    while cursor is not None or not seen:
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/stages/held", params=params, headers=bearer())).json()
        seen += [(item["case_id"], item["review_on"]) for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [(second, "2026-04-14"), (third, "2026-04-28"), (first, "2026-05-20")]
    due = {"review_until": date(2026, 4, 30).isoformat()}
    page = (await client.get("/v1/stages/held", params=due, headers=bearer())).json()
    assert [item["case_id"] for item in page["items"]] == [second, third]


async def test_a_review_in_the_past_is_refused(client: httpx.AsyncClient) -> None:
    (case_id,) = await import_rows(client, 1)
    answer = await post(
        client, "stages/held", case_ids=[case_id], reason="other", review_on="2026-04-13"
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "review_on"


async def test_scans_get_a_result_each(client: httpx.AsyncClient) -> None:
    one, two = await import_rows(client, 2)
    scans = ["KC26-000002", "KC26-999999", "KC26-000001"]
    answer = await post(client, "stages/inspected", card_references=scans)
    assert [(r["case_id"], r["card_reference"], r["code"]) for r in answer.json()["results"]] == [
        (two, scans[0], None),
        (None, scans[1], "unknown_card"),
        (one, scans[2], None),
    ]
    assert (answer.json()["done"], answer.json()["refused"]) == (2, 1)


async def test_a_defective_card_goes_back_only_before_the_shelf(
    client: httpx.AsyncClient, database: Database
) -> None:
    bad, good = await import_rows(client, 2)
    answer = await post(client, "stages/rejected", case_ids=[bad], reason="damaged")
    assert answer.json()["done"] == 1
    await to_shelf(client)
    again = await post(client, "stages/rejected", case_ids=[bad, good], reason="damaged")
    assert [(r["outcome"], r["code"]) for r in again.json()["results"]] == [
        ("already", None),
        ("refused", "on_shelf"),
    ]
    assert (await events_of(database, bad))[4:] == ["card.rejected.v1"]
    card = (await client.get(f"/v1/cards/{bad}", headers=bearer())).json()
    assert (card["stage"], card["end_reason"], card["site_id"]) == ("rejected", "damaged", None)


async def test_a_voided_card_ends_where_it_lies_and_forgets_its_birth_date(
    client: httpx.AsyncClient, database: Database
) -> None:
    on_shelf, other = await import_rows(client, 2)
    await to_shelf(client)
    await hold(client, on_shelf)
    card = await post(client, f"cards/{on_shelf}/stages/voided", reason="withdrawn")
    assert (card.json()["stage"], card.json()["held"]) == ("voided", False)
    assert card.json()["shelf_position"] is not None
    made = await client.post("/v1/notices", json=LOT, headers=once())
    assert {r["case_id"]: r["code"] for r in made.json()["results"]} == {
        on_shelf: "ended",
        other: None,
    }
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM sealed_birth_date") == 0
    late = await post(client, "stages/held", case_ids=[on_shelf], reason="other")
    assert late.json()["results"][0]["code"] == "over"


async def test_a_hand_over_settles_holds_and_even_an_end(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id = await notified(client)
    await hold(client, case_id)
    await hear(database, issued(case_id))
    card = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    assert (card["stage"], card["held"]) == ("issued", False)
    answer = await post(client, "stages/voided", case_ids=[case_id], reason="other")
    assert answer.json()["results"][0]["code"] == "over"


async def test_one_card_is_changed_only_by_who_has_read_it(client: httpx.AsyncClient) -> None:
    (case_id,) = await import_rows(client, 1)
    path = f"/v1/cards/{case_id}/stages/held"
    stale = bearer(**{"If-Match": '"7"'})
    answer = await client.post(path, json={"reason": "other"}, headers=stale)
    assert answer.status_code == 412
    seen = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).headers["etag"]
    answer = await client.post(path, json={"reason": "other"}, headers=bearer(**{"If-Match": seen}))
    assert answer.status_code == 200
    assert answer.headers["etag"] != seen


async def test_holds_and_steps_at_once_never_pass_each_other(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_ids = await import_rows(client, 12)
    for _ in range(3):
        await asyncio.gather(
            *(
                post(client, path, case_ids=order, **body)
                for path, body in (
                    ("stages/held", {"reason": "other"}),
                    ("stages/inspected", {}),
                    ("stages/released", {}),
                    ("stages/registry_checked", {}),
                )
                for order in (case_ids, case_ids[::-1])
            )
        )
    for case_id in case_ids:
        held = False
        for event in (await events_of(database, case_id))[4:]:
            assert not (held and event in ("card.inspected.v1", "card.registry_checked.v1"))
            held = event == "card.held.v1" or (held and event != "card.released.v1")


async def test_the_database_refuses_what_a_command_forgets(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps, the hold and the preset before a notice are guarded below every command."""
    (case_id,) = await import_rows(client, 1)
    await hold(client, case_id)
    bare = stages._ADVANCE.replace("AND holds = 0", "")
    for stage in ("inspected", "preset", "notified"):
        with pytest.raises(asyncpg.CheckViolationError):
            async with database.transaction() as conn:
                await conn.execute(
                    "UPDATE card SET stage = $2 WHERE case_id = $1", UUID(case_id), stage
                )
    monkeypatch.setattr(stages, "_ADVANCE", bare)
    monkeypatch.setattr("services.preparation.handlers.stages.step", _always)
    answer = await post(client, "stages/inspected", case_ids=[case_id])
    assert answer.status_code == 500
    assert "card.inspected.v1" not in await events_of(database)
    async with database.transaction() as conn:
        batch = await conn.fetchval(
            "INSERT INTO notice_batch (batch_id, created_at, notice_count)"
            " VALUES (gen_random_uuid(), now(), 1) RETURNING batch_id"
        )
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="notice_after_preset"):
        async with database.transaction() as conn:
            await conn.execute(
                "INSERT INTO notice (case_id, notice_seq, batch_id, secret_id, attempt, number_key,"
                " login_key, key_id, pickup_deadline)"
                " VALUES ($1, 1, $2, 's', 0, 'n', 'l', 'k', '2026-07-01')",
                UUID(case_id),
                batch,
            )


def _always(*_: object, **__: object) -> object:
    return DONE
