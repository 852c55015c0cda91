"""Long lists go on by cursor, and a table says in words what its codes mean."""

from typing import Any

import httpx
import pytest

from services.preparation.api.words import WORDS, worded
from services.preparation.domain.registry import ChangeEffect, ChangeKind
from services.preparation.domain.second_notices import Unclaimed
from services.preparation.domain.stock_takes import Difference, Resolution
from services.preparation.domain.transfers import Cause, LineState
from shared.clock import FixedClock
from shared.contracts.preparation import DisposalReason, RejectReason, VoidReason
from shared.db import Database
from shared.errors import Text
from shared.http.tables import Column, Table
from tests.preparation.integration.test_second_notices import AFTER
from tests.preparation.integration.test_transfers import (
    CENTER,
    THURSDAY,
    arrive,
    booked,
    notified,
    send,
)
from tests.preparation.support import SITE, bearer, hear


async def parts(client: httpx.AsyncClient, path: str, **params: Any) -> list[list[str]]:
    """The cards of a list, two at a time."""
    found, cursor = [], None
    while True:
        query = {"limit": 2, **params, **({"cursor": cursor} if cursor else {})}
        answer = await client.get(path, params=query, headers=bearer("supervisor"))
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found.append([row["card_reference"] for row in body["rows"]])
        cursor = body.get("next_cursor")
        assert answer.headers.get("next-cursor") == cursor
        if cursor is None:
            return found


async def test_long_lists_go_on_and_leave_nothing_out(
    client: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    case_ids = await notified(client, 5)
    cards = [f"KC26-{n:06d}" for n in range(1, 6)]
    in_parts = [cards[:2], cards[2:4], cards[4:]]
    (batch,) = (await client.get("/v1/notices", headers=bearer())).json()["items"]
    assert await parts(client, f"/v1/notices/{batch['batch_id']}/lines") == in_parts
    await hear(database, *(booked(case_id) for case_id in case_ids))
    here = {"site_id": SITE}
    assert await parts(client, "/v1/transfers/dispatch-list", **here) == in_parts
    day = THURSDAY.date().isoformat()
    there = {"site_id": CENTER, "date": day}
    assert await parts(client, "/v1/shelves/picking-list", **there) == in_parts
    sent = (await send(client, case_ids)).json()
    assert await parts(client, "/v1/shelves/picking-list", **there) == in_parts
    assert await parts(client, f"/v1/transfers/{sent['transfer_id']}/manifest") == in_parts
    assert (await arrive(client, sent, case_ids, site=SITE)).status_code == 200
    again = await client.get(
        "/v1/shelves/near-expiry?site_id=x&cursor=zz", headers=bearer("auditor")
    )
    assert again.status_code == 400
    clock.advance(AFTER - clock.now())
    assert await parts(client, "/v1/notices/unclaimed", **here) == in_parts
    void = {"case_ids": case_ids, "reason": "moved_out"}
    await client.post("/v1/stages/voided", json=void, headers=bearer())
    due = await parts(client, "/v1/disposals/due", **here)
    assert sorted(card for part in due for card in part) == cards
    assert [len(part) for part in due] == [2, 2, 1]


async def test_japanese_files_say_in_words_what_their_codes_mean(
    client: httpx.AsyncClient,
) -> None:
    headers = bearer(**{"Accept-Language": "ja"})
    await notified(client, 1)
    answer = await client.get("/v1/notices", headers=headers)
    batch = answer.json()["items"][0]["batch_id"]
    csv = await client.get(f"/v1/notices/{batch}/lines?format=csv", headers=headers)
    header, line = csv.text.splitlines()
    assert "状態,状態（名称）" in header
    assert "to_print,印刷対象" in line


@pytest.mark.parametrize(
    ("key", "codes"),
    [
        ("cause", Cause),
        ("reason", [*Cause, *DisposalReason]),
        ("end_reason", [*VoidReason, *RejectReason, DisposalReason.UNCLAIMED, "expired"]),
        ("state", LineState),
        ("next", Unclaimed),
        ("kind", [*ChangeKind, *Difference]),
        ("effect", ChangeEffect),
        ("resolution", Resolution),
    ],
)
def test_every_code_has_its_words(key: str, codes: Any) -> None:
    assert {str(code) for code in codes} <= WORDS[key].keys()


def test_what_is_no_code_has_no_words() -> None:
    columns = (Column("stage", Text("Stage", "段階")), Column("cards", Text("Cards", "枚数")))
    table = worded(Table("t", columns, [("preset", 3), (None, 4), ("sum", 5)]), "ja")
    assert [column.key for column in table.columns] == ["stage", "stage_words", "cards"]
    assert list(map(list, table.rows)) == [
        ["preset", "交付前設定", 3],
        [None, None, 4],
        ["sum", None, 5],
    ]
