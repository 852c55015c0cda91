"""The card's whole life against a model: steps, holds, assignments, changes of the registry, ends
and hand-overs, by several operators and by events; one act after the other, and all at once.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.preparation.domain.stages import ENDS, WAY, Stage
from shared.db import Database
from shared.ids import new_id
from tests.preparation.integration.test_facts import issued
from tests.preparation.integration.test_model import imported, letters
from tests.preparation.support import SITE, bearer, days_of_stages_agree, hear, once
from tests.support.sizes import proof_size

CARDS = 3
EXAMPLES = proof_size(20, 300)
DESKS = ("inspected", "registry_checked", "preset", "shelved", "notified")
HOLD, CHANGE = "support_measures", "name_or_address_changed"
KINDS = (
    *DESKS,
    *("inspected", "registry_checked", "preset", "shelved"),
    "hold",
    "release",
    "release_all",
    "reject",
    "void",
    "change",
    "died",
    "take",
    "give_back",
    "issued",
)
some_cards = st.lists(st.integers(0, CARDS - 1), min_size=1, max_size=CARDS, unique=True)


@dataclass(frozen=True)
class Act:
    """Something tried on some cards, by so many at once."""

    kind: str
    cards: tuple[int, ...]
    operators: int
    number: int


acts = st.builds(Act, st.sampled_from(KINDS), some_cards.map(tuple), st.integers(1, 3), st.just(0))


def whole(kind: str) -> Act:
    """An act of two operators on every card."""
    return Act(kind, tuple(range(CARDS)), 2, 0)


@dataclass
class Model:
    """One card in a few lines: where it stands, why it waits, and what was told of it."""

    stage: Stage = Stage.RECEIVED
    holds: set[str] = field(default_factory=set)
    taken: bool = False
    told: list[str] = field(default_factory=list)

    def act(self, kind: str) -> None:
        """What is meant to happen, whoever does it and how often."""
        over = self.stage is Stage.ISSUED or self.stage in ENDS
        match kind:
            case "issued":
                self.stage, self.holds = Stage.ISSUED, set()
            case "take":
                self.taken = self.taken or not over
            case "give_back":
                self.taken = False
            case _ if over:
                return
            case "hold" | "change":
                reason = HOLD if kind == "hold" else CHANGE
                if reason not in self.holds:
                    self.holds.add(reason)
                    self.told.append("held")
            case "release" | "release_all":
                cleared = self.holds & ({HOLD} if kind == "release" else {HOLD, CHANGE})
                self.holds -= cleared
                if cleared and not self.holds:
                    self.told.append("released")
            case "void" | "died":
                self._end(Stage.VOIDED)
            case "reject":
                if self.stage.rank < Stage.SHELVED.rank and not self.taken:
                    self._end(Stage.REJECTED)
            case desk:
                self._step(Stage(desk))

    def _end(self, stage: Stage) -> None:
        self.stage, self.holds = stage, set()
        self.told.append(stage.value)

    def _step(self, to: Stage) -> None:
        # A notice is made by the system's rules, not at a desk that somebody has taken a card to.
        free = not self.taken or to is Stage.NOTIFIED
        if self.stage.rank == to.rank - 1 and not self.holds and free:
            self.stage = to
            self.told.append(to.value)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tried=st.lists(acts, max_size=20))
@example(tried=[whole("hold"), whole("change"), whole("release"), whole("inspected")])
@example(tried=[whole("take"), whole("reject"), whole("inspected"), whole("give_back")])
@example(tried=[*map(whole, DESKS), whole("hold"), whole("died"), whole("issued")])
async def test_the_room_agrees_with_the_model(
    client: httpx.AsyncClient, database: Database, tried: list[Act]
) -> None:
    lot = letters(new_id())
    case_ids = await imported(client, lot)
    models = [Model() for _ in range(CARDS)]
    for act in numbered(tried):
        everybody = (perform(client, database, act, lot, case_ids) for _ in range(act.operators))
        await asyncio.gather(*everybody)
        for card in act.cards:
            models[card].act(act.kind)
    for card, model in enumerate(models):
        found = await read(client, case_ids[card])
        assert (found["stage"], found["held"]) == (model.stage, bool(model.holds))
        assert await told(database, case_ids[card]) == model.told
    assert await days_of_stages_agree(database)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rounds=st.lists(st.lists(acts, min_size=2, max_size=6), max_size=6))
async def test_whatever_races_the_card_lives_one_life(
    client: httpx.AsyncClient, database: Database, rounds: list[list[Act]]
) -> None:
    """Different acts at once have no one right outcome; what was told must be a life, and the
    room must stand where that life ended.
    """
    lot = letters(new_id())
    case_ids = await imported(client, lot)
    handed_over: set[int] = set()
    for number, together in enumerate(rounds):
        racing = (
            perform(client, database, act, lot, case_ids)
            for act in numbered(together, 100 * number)
        )
        await asyncio.gather(*racing)
        handed_over |= {card for act in together if act.kind == "issued" for card in act.cards}
    for card in range(CARDS):
        stage, held = lived(await told(database, case_ids[card]))
        found = await read(client, case_ids[card])
        over = card in handed_over
        assert found["stage"] == (Stage.ISSUED if over else stage)
        assert found["held"] == (held and not over)
        placed = found["site_id"] is not None
        assert placed == (found["stage"] in ("shelved", "notified")) or found["stage"] == "voided"
    await nothing_is_left_over(database, case_ids)


def numbered(tried: Sequence[Act], first: int = 0) -> list[Act]:
    """The acts with numbers of their own, so that no two are the same change of the registry."""
    return [replace(act, number=number) for number, act in enumerate(tried, first)]


def lived(events: Sequence[str]) -> tuple[Stage, bool]:
    """Where a life ends, and whether it waits. Fails where no card can have lived it."""
    stage, held = Stage.RECEIVED, False
    for event in events:
        assert stage not in ENDS, f"{event} after the end"
        if event in ("held", "released"):
            assert held or event == "held"
            held = event == "held"
            continue
        to = Stage(event)
        if to in WAY:
            assert not held, f"{event} while held"
            assert to.rank == stage.rank + 1, f"{event} from {stage}"
        elif to is Stage.REJECTED:
            assert stage.rank < Stage.SHELVED.rank
        stage, held = to, held and to in WAY
    return stage, held


async def nothing_is_left_over(database: Database, case_ids: Sequence[str]) -> None:
    """No two cards in one place; holds are counted; who has ended has no birth date or hold."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT stage, site_id, shelf_position, holds,"
            " (SELECT count(*) FROM card_hold h WHERE h.case_id = card.case_id) AS counted,"
            " EXISTS (SELECT 1 FROM sealed_birth_date b WHERE b.case_id = card.case_id) AS born"
            " FROM card WHERE case_id = ANY($1::uuid[])",
            [UUID(case_id) for case_id in case_ids],
        )
    places = [(row["site_id"], row["shelf_position"]) for row in rows if row["site_id"]]
    assert len(places) == len(set(places))
    assert all(row["holds"] == row["counted"] for row in rows)
    for row in rows:
        if row["stage"] in ("voided", "rejected"):
            assert (row["holds"], row["born"]) == (0, False)


async def read(client: httpx.AsyncClient, case_id: str) -> dict[str, object]:
    """A card as it stands."""
    found: dict[str, object] = (await client.get(f"/v1/cards/{case_id}", headers=bearer())).json()
    return found


async def told(database: Database, case_id: str) -> list[str]:
    """What was told of a card after its import, in order."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT type FROM outbox WHERE subject = $1 ORDER BY sequence", case_id
        )
    return [row["type"].split(".")[1] for row in rows][4:]


async def perform(
    client: httpx.AsyncClient, database: Database, act: Act, lot: str, case_ids: Sequence[str]
) -> None:
    """Let one operator, the registry, or issuance do it."""
    chosen = {"case_ids": [case_ids[card] for card in act.cards]}

    async def post(path: str, body: object, *, key: bool = False, who: str = "back_office") -> None:
        headers = once(who) if key else bearer(who)
        answer = await client.post(f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code in (200, 201, 409), f"{act}: {json.dumps(answer.json())}"

    match act.kind:
        case "issued":
            await hear(database, *(issued(case_id) for case_id in chosen["case_ids"]))
        case "notified":
            await post("notices", chosen, key=True)
        case "hold":
            await post("stages/held", {**chosen, "reason": HOLD})
        case "release":
            await post("stages/released", {**chosen, "reason": HOLD})
        case "release_all":
            await post("stages/released", chosen)
        case "reject":
            await post("stages/rejected", {**chosen, "reason": "damaged"})
        case "void":
            await post("stages/voided", {**chosen, "reason": "withdrawn"})
        case "take":
            await post("assignments", chosen, who="elsewhere")
        case "give_back":
            await post("assignments/returns", chosen, who="elsewhere")
        case "change" | "died":
            await post("registry-changes", changes(act, lot), key=True)
        case "shelved":
            await post("stages/shelved", {**chosen, "site_id": SITE})
        case desk:
            await post(f"stages/{desk}", chosen)


def changes(act: Act, lot: str) -> dict[str, object]:
    """The registry's changes: the same act is the same change, however often it is sent."""
    kind = CHANGE if act.kind == "change" else "died"
    number = str(act.number).translate(str.maketrans("0123456789", "ghijklmnop"))
    return {
        "changes": [
            {
                "change_reference": f"{lot[:30]}{kind[0]}{number}-{card}",
                "card_reference": f"{lot}-{card + 1}",
                "kind": kind,
                "effective_on": "2026-04-10",
            }
            for card in act.cards
        ]
    }
