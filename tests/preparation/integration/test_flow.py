"""From the lot file to the notice over HTTP: states, events, what is kept and what is not."""

import httpx

from shared.db import Database
from tests.preparation.support import (
    SITE,
    bearer,
    events_of,
    import_rows,
    once,
    to_shelf,
)


async def test_a_lot_goes_from_file_to_notice(
    client: httpx.AsyncClient, database: Database
) -> None:
    case_id, *_ = await import_rows(client, 3)
    await to_shelf(client)
    made = await client.post("/v1/notices", json={"lot_id": "L2026-0412"}, headers=once())

    assert made.status_code == 201, made.text
    assert made.json()["notices"] == made.json()["done"] == 3
    assert made.headers["location"] == f"/v1/notices/{made.json()['batch_id']}"
    assert await events_of(database, case_id) == [
        "case.opened.v1",
        "card.applied.v1",
        "card.shipped.v1",
        "card.received.v1",
        "card.inspected.v1",
        "card.registry_checked.v1",
        "card.preset.v1",
        "card.shelved.v1",
        "card.notified.v1",
    ]
    card = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    assert (card["stage"], card["site_id"], card["shelf_position"]) == ("notified", SITE, "A-00001")
