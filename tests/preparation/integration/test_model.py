"""Any commands and events on any cards, one after the other or at once: the room agrees with a
model of one line per card, tells each step once and loses none.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.preparation.domain.stages import Stage
from shared.db import Database
from shared.ids import new_id
from tests.preparation.integration.test_facts import issued
from tests.preparation.support import (
    SITE,
    bearer,
    days_of_stages_agree,
    events_of,
    hear,
    lot_csv,
    once,
    row,
)

CARDS = 4
STEPS = ("inspected", "registry_checked", "preset", "shelved", "notified", "issued")
some_cards = st.lists(st.integers(0, CARDS - 1), min_size=1, max_size=CARDS, unique=True)


@dataclass(frozen=True)
class Act:
    """A step tried on some cards, by so many operators at once."""

    step: str
    cards: tuple[int, ...]
    operators: int


acts = st.builds(Act, st.sampled_from(STEPS), some_cards.map(tuple), st.integers(1, 3))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tried=st.lists(acts, max_size=14))
async def test_the_room_agrees_with_the_model(
    client: httpx.AsyncClient, database: Database, tried: list[Act]
) -> None:
    case_ids = await imported(client, letters(new_id()))
    model = [Stage.RECEIVED] * CARDS
    walked: list[list[str]] = [[] for _ in range(CARDS)]
    for act in tried:
        everybody = (perform(client, database, act, case_ids) for _ in range(act.operators))
        await asyncio.gather(*everybody)
        for card in act.cards:
            to = Stage(act.step)
            if to is Stage.ISSUED:
                model[card] = to
            elif model[card].rank == to.rank - 1:
                model[card] = to
                walked[card].append(f"card.{to}.v1")
    for card, case_id in enumerate(case_ids):
        found = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
        assert found["stage"] == model[card]
        assert (found["site_id"] == SITE) == (model[card] in (Stage.SHELVED, Stage.NOTIFIED))
        assert (await events_of(database, case_id))[4:] == walked[card]
    assert await days_of_stages_agree(database)


def letters(id_: UUID) -> str:
    """An id without digits: by chance twelve of them would be a My Number."""
    return f"L{id_.hex}".translate(str.maketrans("0123456789", "ghijklmnop"))


async def imported(client: httpx.AsyncClient, lot: str) -> list[str]:
    """Cards of a lot of their own."""
    rows = [row(n, lot=lot, card_reference=f"{lot}-{n}") for n in range(1, CARDS + 1)]
    answer = await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())
    return [result["case_id"] for result in answer.json()["results"]]


async def perform(
    client: httpx.AsyncClient, database: Database, act: Act, case_ids: list[str]
) -> None:
    """Let one operator, or issuance, do it."""
    chosen = {"case_ids": [case_ids[card] for card in act.cards]}
    match act.step:
        case "issued":
            await hear(database, *(issued(case_id) for case_id in chosen["case_ids"]))
        case "notified":
            answer = await client.post("/v1/notices", json=chosen, headers=once())
            assert answer.status_code in (201, 409)
        case "shelved":
            body = {**chosen, "site_id": SITE}
            answer = await client.post("/v1/stages/shelved", json=body, headers=bearer())
            assert answer.status_code == 200
        case step:
            answer = await client.post(f"/v1/stages/{step}", json=chosen, headers=bearer())
            assert answer.status_code == 200
