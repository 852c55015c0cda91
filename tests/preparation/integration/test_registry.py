"""Registry changes at any stage: what they do to a card, that each counts once, and that none is
lost where card and change come at the same time.
"""

import asyncio
import csv
import io
from uuid import UUID

import httpx
import pytest

from services.preparation.handlers import registry
from shared.db import Database
from shared.security.my_number import check_digit
from shared.security.principal import Principal
from tests.preparation.integration.test_facts import notified
from tests.preparation.support import (
    bearer,
    dump,
    events_of,
    import_rows,
    lot_csv,
    once,
    row,
    to_shelf,
    units,
)

NEW_WARD = "141321"
HEADER = "change_reference,card_reference,kind,effective_on,ward,review_on"


def change(number: int = 1, kind: str = "moved_out", **fields: object) -> dict[str, object]:
    """A change of the first card."""
    return {
        "change_reference": f"REG-{number:06d}",
        "card_reference": "KC26-000001",
        "kind": kind,
        "effective_on": "2026-04-10",
        **fields,
    }


async def send(client: httpx.AsyncClient, *changes: dict[str, object]) -> list[dict[str, object]]:
    """Send changes; their results."""
    answer = await client.post("/v1/registry-changes", json={"changes": changes}, headers=once())
    assert answer.status_code == 201, answer.text
    results: list[dict[str, object]] = answer.json()["results"]
    return results


async def card(client: httpx.AsyncClient, case_id: str) -> dict[str, object]:
    """A card as it stands."""
    found: dict[str, object] = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    return found


async def wait_for_cards(database: Database) -> int:
    """Do what is due; how much it was."""
    async with units(database).begin(Principal.system("preparation")) as unit:
        return await registry.work(14)(unit)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("moved_out", "moved_out"),
        ("died", "died"),
        ("residence_period_renewed", "residence_period_renewed"),
    ],
)
async def test_a_case_ends_even_when_booked(
    client: httpx.AsyncClient, database: Database, kind: str, reason: str
) -> None:
    case_id = await notified(client)
    (result,) = await send(client, change(kind=kind))
    assert (result["outcome"], result["effect"]) == ("done", "voided")
    found = await card(client, case_id)
    assert (found["stage"], found["end_reason"]) == ("voided", reason)
    assert (await events_of(database, case_id))[-1] == "card.voided.v1"


@pytest.mark.parametrize("kind", ["name_or_address_changed", "support_measures"])
async def test_a_card_waits(client: httpx.AsyncClient, database: Database, kind: str) -> None:
    (case_id,) = await import_rows(client, 1)
    (result,) = await send(client, change(kind=kind, review_on="2026-05-01"))
    assert result["effect"] == "held"
    page = (await client.get("/v1/stages/held", headers=bearer())).json()
    assert [(i["reason"], i["review_on"]) for i in page["items"]] == [(kind, "2026-05-01")]
    assert (await events_of(database, case_id))[4:] == ["card.held.v1"]


@pytest.mark.parametrize("on_shelf", [False, True])
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("name_or_address_changed", {}),
        ("support_measures", {}),
        ("moved_within_city", {"ward": NEW_WARD}),
    ],
)
async def test_no_notice_goes_to_an_address_that_may_be_wrong_now(
    client: httpx.AsyncClient,
    database: Database,
    kind: str,
    fields: dict[str, object],
    on_shelf: bool,
) -> None:
    cases = await import_rows(client, 2, name="川崎 太郎", address="川崎市川崎区宮本町1")
    if on_shelf:
        await to_shelf(client)
    await send(client, {**change(kind=kind), **fields})
    await client.post("/v1/stages/released", json={"case_ids": cases}, headers=bearer())
    if not on_shelf:
        await to_shelf(client)
    made = await client.post("/v1/notices", json={"case_ids": cases}, headers=once())
    found = await addresses(client, made.json()["batch_id"])
    assert found == {"KC26-000001": "", "KC26-000002": "川崎市川崎区宮本町1"}


async def addresses(client: httpx.AsyncClient, batch_id: str) -> dict[str, str]:
    """Where the notices of a batch go, by card."""
    file = await client.get(f"/v1/notices/{batch_id}/print-file", headers=bearer())
    return {row["card_reference"]: row["address"] for row in csv.DictReader(io.StringIO(file.text))}


async def test_a_kind_that_is_none_is_told_the_kinds_of_changes(client: httpx.AsyncClient) -> None:
    file = f"{HEADER}\nREG-000001,KC26-000001,new,2026-04-10,,\n"
    answer = await client.post(
        "/v1/registry-changes/files", content=file, headers=bearer(**{"Content-Type": "text/csv"})
    )
    (result,) = answer.json()["results"]
    assert (result["code"], result["field"]) == ("malformed", "kind")
    assert "moved_out" in result["remedy"]
    assert "renewal" not in result["remedy"]


async def test_before_the_shelf_a_card_is_routed_to_its_new_ward(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    (result,) = await send(client, change(kind="moved_within_city", ward=NEW_WARD))
    assert result["effect"] == "rerouted"
    found = await card(client, case_id)
    assert (found["ward"], found["held"]) == (NEW_WARD, False)
    assert (await events_of(database, case_id))[4:] == ["card.held.v1", "card.released.v1"]


async def test_on_the_shelf_a_card_waits_until_it_is_in_its_new_ward(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id = await notified(client)
    (result,) = await send(client, change(kind="moved_within_city", ward=NEW_WARD))
    assert result["effect"] == "held"
    found = await card(client, case_id)
    assert (found["ward"], found["held"], found["stage"]) == (NEW_WARD, True, "notified")
    await client.post(f"/v1/cards/{case_id}/stages/released", json={}, headers=bearer())
    async with database.reader() as conn:
        data = await conn.fetchval("SELECT data FROM outbox WHERE type = 'card.released.v1'")
    assert NEW_WARD in data.decode()


async def test_of_two_moves_the_later_one_counts_whenever_it_is_told(
    client: httpx.AsyncClient,
) -> None:
    (case_id,) = await import_rows(client, 1)
    late = change(1, "moved_within_city", ward="141330", effective_on="2026-04-12")
    early = change(2, "moved_within_city", ward=NEW_WARD, effective_on="2026-04-02")
    await send(client, late)
    await send(client, early)
    assert (await card(client, case_id))["ward"] == "141330"


async def test_a_change_counts_once_in_any_form(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id, _ = await import_rows(client, 2)
    rows = [
        "REG-000001,KC26-000001,support_measures,2026-04-10,,",
        "REG-000002,KC26-000002,moved_within_city,2026-04-10,,",
        "REG-000003,KC26-000002,died,2026-13-10,,",
        "REG-000004,KC26-000002",
    ]
    body = "\r\n".join([HEADER, *rows]).encode("cp932")
    for expected in ("done", "already"):
        answer = await client.post(
            "/v1/registry-changes/files", content=body, headers=bearer(**{"Accept-Language": "ja"})
        )
        assert [(r["outcome"], r["code"], r["field"]) for r in answer.json()["results"]] == [
            (expected, None, None),
            ("refused", "ward_needed", None),
            ("refused", "malformed", "effective_on"),
            ("refused", "wrong_cell_count", None),
        ]
    (again,) = await send(client, change(1, "support_measures"))
    assert again["outcome"] == "already"
    assert (await events_of(database, case_id)).count("card.held.v1") == 1


async def test_another_change_under_a_known_reference_is_not_passed_over_in_silence(
    client: httpx.AsyncClient, database: Database
) -> None:
    (case_id,) = await import_rows(client, 1)
    await send(client, change(1, "support_measures"))
    (sent,) = await send(client, change(1, "died"))
    file = f"{HEADER}\nREG-000001,KC26-000001,died,2026-04-10,,\n"
    answer = await client.post(
        "/v1/registry-changes/files", content=file, headers=bearer(**{"Content-Type": "text/csv"})
    )
    for result in (sent, *answer.json()["results"]):
        assert (result["outcome"], result["code"]) == ("refused", "reference_taken")
        assert result["change_reference"] == "REG-000001"
    assert (await card(client, case_id))["stage"] == "received"
    assert "card.voided.v1" not in await events_of(database, case_id)


async def test_a_my_number_in_a_file_is_kept_nowhere(
    client: httpx.AsyncClient, database: Database
) -> None:
    eleven = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    number = "".join(map(str, [*eleven, check_digit(eleven)]))
    rows = [f"REG-000001,{number},died,2026-04-10,,", f"{number},KC26-000001,died,2026-04-10,,"]
    answer = await client.post(
        "/v1/registry-changes/files",
        content="\n".join([HEADER, *rows]).encode(),
        headers=bearer(),
    )
    assert [(r["code"], r["field"]) for r in answer.json()["results"]] == [
        ("my_number", "card_reference"),
        ("my_number", "change_reference"),
    ]
    assert number not in answer.text
    assert number not in await dump(database)


async def test_a_change_waits_for_its_card(client: httpx.AsyncClient, database: Database) -> None:
    (result,) = await send(client, change())
    assert (result["effect"], result["case_id"]) == ("waiting", None)
    assert await wait_for_cards(database) == 0
    (case_id,) = await import_rows(client, 1)
    assert await wait_for_cards(database) == 1
    assert (await card(client, case_id))["stage"] == "voided"
    assert await wait_for_cards(database) == 0


async def test_no_change_is_lost_where_lot_and_change_race(
    client: httpx.AsyncClient, database: Database
) -> None:
    rows = [row(n) for n in range(1, 31)]
    changes = [change(n, card_reference=f"KC26-{n:06d}") for n in range(1, 31)]
    await asyncio.gather(
        client.post("/v1/lots", content=lot_csv(rows), headers=bearer()),
        *(send(client, *changes[n : n + 10]) for n in (20, 10, 0)),
        *(wait_for_cards(database) for _ in range(3)),
    )
    await wait_for_cards(database)
    page = await client.get("/v1/cards", params={"stage": "voided"}, headers=bearer())
    assert len(page.json()["items"]) == 30
    assert (await events_of(database)).count("card.voided.v1") == 30


async def test_changes_race_steps_and_notices_without_losing_either(
    client: httpx.AsyncClient, database: Database
) -> None:
    """Whoever comes first: after the case has ended, nothing more is done with its card."""
    case_ids = await import_rows(client, 20)
    await to_shelf(client)
    changes = [change(n, card_reference=f"KC26-{n:06d}") for n in range(1, 21)]
    await asyncio.gather(
        *(
            client.post("/v1/notices", json={"case_ids": case_ids[n : n + 5]}, headers=once())
            for n in (0, 5, 10, 15)
        ),
        *(send(client, *changes[n : n + 5][::-1]) for n in (15, 10, 5, 0)),
    )
    for case_id in case_ids:
        told = await events_of(database, case_id)
        assert told[-1] == "card.voided.v1"
        assert told.count("card.voided.v1") == 1
        assert told.count("card.notified.v1") <= 1
    async with database.reader() as conn:
        ended = await conn.fetchval(
            "SELECT count(*) FROM card WHERE stage = 'voided' AND case_id = ANY($1::uuid[])",
            [UUID(case_id) for case_id in case_ids],
        )
        assert ended == 20
        assert await conn.fetchval("SELECT count(*) FROM sealed_birth_date") == 0


async def test_changes_are_listed_and_written_as_a_table(client: httpx.AsyncClient) -> None:
    await import_rows(client, 1)
    await send(client, change(1), change(2, card_reference="KC26-000077"))
    page = (await client.get("/v1/registry-changes", headers=bearer("auditor"))).json()
    assert [(i["change_reference"], i["effect"]) for i in page["items"]] == [
        ("REG-000002", "waiting"),
        ("REG-000001", "voided"),
    ]
    table = await client.get(
        "/v1/registry-changes", params={"format": "csv", "effect": "voided"}, headers=bearer()
    )
    header, line = table.text.splitlines()
    assert header.startswith("Change,Card")
    assert line.startswith("REG-000001,KC26-000001")
