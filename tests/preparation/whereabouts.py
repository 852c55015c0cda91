"""A few cards, the operators who carry them about, and what must hold of them whatever they do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from shared.db import Database
from tests.preparation.integration.test_facts import issued
from tests.preparation.support import SITE, bearer, hear, lot_csv, once, row

CENTER = "center-ksp"
CAPACITY = 3
ACTS = (
    "shelve A",
    "shelve B",
    "notify",
    "move A",
    "move B",
    "send",
    "arrive",
    "come back",
    "empty",
    "void",
    "lay out",
    "confirm",
    "withdraw",
    "issue",
)


@dataclass(frozen=True)
class Act:
    """Something tried with some cards, by so many operators at once."""

    name: str
    cards: tuple[int, ...]
    operators: int = 1


class City:
    """Some cards of a lot of their own, ready for the shelf, and the ways to carry them about."""

    def __init__(self, client: httpx.AsyncClient, database: Database, case_ids: list[str]) -> None:
        self.client = client
        self.database = database
        self.case_ids = case_ids
        self.batches: dict[str, str] = {}
        self.records: list[str] = []
        # Nine characters: fewer meet again among hundreds of cities, twelve may be a My Number.
        tag = case_ids[0][-9:].upper()
        self.shelves = {"A": f"A{tag}", "B": f"B{tag}"}

    @classmethod
    async def build(
        cls, client: httpx.AsyncClient, database: Database, lot: str, count: int
    ) -> "City":
        """Preset cards, and a shelf A that is too small for all of them."""
        rows = [row(n, lot=lot, card_reference=f"{lot}-{n}") for n in range(1, count + 1)]
        answer = await client.post("/v1/lots", content=lot_csv(rows), headers=bearer())
        case_ids = [result["case_id"] for result in answer.json()["results"]]
        for stage in ("inspected", "registry_checked", "preset"):
            await client.post(f"/v1/stages/{stage}", json={"case_ids": case_ids}, headers=bearer())
        city = cls(client, database, case_ids)
        path = f"/v1/shelves/{SITE}/{city.shelves['A']}"
        answer = await client.put(path, json={"capacity": CAPACITY}, headers=bearer())
        assert answer.status_code == 200, answer.text
        return city

    async def perform(self, act: Act) -> None:
        """Let one operator try it; a refusal is an answer, an error is not."""
        chosen = [self.case_ids[card] for card in act.cards]
        for answer in await self._tried(act.name, chosen):
            assert answer.status_code in (200, 201, 409), (act, answer.text)

    async def _tried(self, name: str, chosen: list[str]) -> list[httpx.Response]:
        verb, _, shelf = name.partition(" ")
        at = {"case_ids": chosen, "site_id": SITE, "shelf": self.shelves.get(shelf, "A")}
        match verb:
            case "shelve":
                return [await self._post("/v1/stages/shelved", at)]
            case "move":
                return [await self._post("/v1/shelves/moves", at)]
            case "notify":
                return [await self._post("/v1/notices", {"case_ids": chosen})]
            case "void":
                body = {"case_ids": chosen, "reason": "moved_out"}
                return [await self._post("/v1/stages/voided", body)]
            case _:
                return await self._carried(name, chosen)

    async def _carried(self, name: str, chosen: list[str]) -> list[httpx.Response]:
        match name.partition(" ")[0]:
            case "send":
                return [await self._send(chosen)]
            case "issue":
                await hear(self.database, *(issued(case_id) for case_id in chosen))
                return []
            case "arrive" | "come" | "empty" as verb:
                return await self._take_in(chosen, verb)
            case "lay":
                return [await self._lay_out(chosen)]
            case _:
                paths = [f"/v1/disposals/{record}:{name}" for record in self.records]
                return [await self._post(path, {"site_id": SITE}) for path in paths]

    async def _send(self, chosen: list[str]) -> httpx.Response:
        body = {"case_ids": chosen, "site_id": SITE, "to_site_id": CENTER}
        answer = await self._post("/v1/transfers", body)
        if answer.status_code == 201:
            self.batches[answer.json()["transfer_id"]] = answer.json()["seal"]
        return answer

    async def _take_in(self, chosen: list[str], verb: str) -> list[httpx.Response]:
        site, shelf = (SITE, self.shelves["B"]) if verb == "come" else (CENTER, "A")
        body = {
            "site_id": site,
            "shelf": shelf,
            "case_ids": chosen,
            "emptied": verb == "empty",
        }
        return [
            await self._post(f"/v1/transfers/{batch}:arrive", {**body, "seal": seal})
            for batch, seal in list(self.batches.items())
        ]

    async def _lay_out(self, chosen: list[str]) -> httpx.Response:
        body = {"case_ids": chosen, "site_id": SITE}
        answer = await self._post("/v1/disposals", body, "back_office")
        if answer.status_code == 201:
            self.records.append(answer.json()["disposal_id"])
        return answer

    async def _post(
        self, path: str, body: Mapping[str, object], who: str = "supervisor"
    ) -> httpx.Response:
        return await self.client.post(path, json=body, headers={**once(), **bearer(who)})


Place = tuple[str, str] | None
"""A site and a position, ``under way`` and a batch, or nowhere."""


async def told(database: Database, case_ids: Sequence[str]) -> dict[str, Place]:
    """Where each card is by what was told of it, in the order in which it was told.

    That a card was handed over is told by another room; it is taken from what was heard.
    """
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT subject, type, convert_from(data, 'UTF8')::jsonb ->> 'site_id' AS site, "
            "convert_from(data, 'UTF8')::jsonb ->> 'shelf_position' AS position, "
            "convert_from(data, 'UTF8')::jsonb ->> 'batch_id' AS batch "
            "FROM outbox WHERE subject = ANY($1) ORDER BY subject, sequence",
            list(case_ids),
        )
        over = await conn.fetch(
            "SELECT case_id FROM card_stage WHERE stage = 'issued' AND case_id = ANY($1)",
            [UUID(case_id) for case_id in case_ids],
        )
    places: dict[str, Place] = dict.fromkeys(case_ids)
    for found in rows:
        match found["type"]:
            case "card.shelved.v1":
                places[found["subject"]] = (found["site"], found["position"])
            case "card.dispatched.v1":
                places[found["subject"]] = ("under way", found["batch"])
            case "card.disposed.v1":
                places[found["subject"]] = None
    return {**places, **{str(found["case_id"]): None for found in over}}


async def by_the_book(database: Database, case_ids: Sequence[str]) -> dict[str, Place]:
    """Where each card is by its own row."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT case_id, site_id, shelf_position, transfer_id FROM card "
            "WHERE case_id = ANY($1)",
            [UUID(case_id) for case_id in case_ids],
        )
    return {str(found["case_id"]): _place(found) for found in rows}


async def check(city: City) -> None:
    """No card is lost, doubled or in two places, and every count is that of the cards."""
    book = await by_the_book(city.database, city.case_ids)
    assert book == await told(city.database, city.case_ids)
    async with city.database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM card") == await conn.fetchval(
            "SELECT count(DISTINCT card_reference) FROM card"
        )
        travelling = await conn.fetch(
            "SELECT case_id, transfer_id FROM transfer_card "
            "WHERE state IN ('under_way', 'missing') ORDER BY case_id"
        )
        carried = await conn.fetch(
            "SELECT case_id, transfer_id FROM card WHERE transfer_id IS NOT NULL ORDER BY case_id"
        )
        lying = await conn.fetch(
            "SELECT site_id, shelf, shelf_position FROM card WHERE shelf <> ''"
        )
    assert travelling == carried
    assert len({(one["site_id"], one["shelf_position"]) for one in lying}) == len(lying)
    counts = Counter((one["site_id"], one["shelf"]) for one in lying)
    for shelf in ((CENTER, "A"), *((SITE, name) for name in city.shelves.values())):
        answer = await city.client.get("/v1/shelves/{}/{}".format(*shelf), headers=bearer())
        if answer.status_code == 200:
            assert answer.json()["cards"] == counts[shelf]
            assert counts[shelf] <= (answer.json()["capacity"] or counts[shelf])


def _place(found: Any) -> Place:
    if found["transfer_id"] is not None:
        return "under way", str(found["transfer_id"])
    return (found["site_id"], found["shelf_position"]) if found["site_id"] else None
