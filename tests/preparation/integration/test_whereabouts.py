"""Whatever operators, couriers and other rooms do with cards, one after the other or at once: each
card is in one place, what is told of it says the same, and shelves count what lies on them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.preparation.domain.transfers import Cause
from services.preparation.handlers import transfers as handlers
from services.preparation.handlers.selection import Selection
from services.preparation.settings import PreparationSettings
from services.preparation.store import cards, transfers
from services.preparation.store.transfers import NewTransfer
from services.preparation.tools import Tools
from shared.db import Connection, Database
from shared.ids import CaseId, SiteId, new_id
from tests.preparation.integration.test_model import letters
from tests.preparation.integration.test_transfers import notified
from tests.preparation.support import (
    PEOPLE,
    SITE,
    bearer,
    events_of,
    kernel_settings,
    room_doors,
    units,
)
from tests.preparation.whereabouts import (
    ACTS,
    CAPACITY,
    CENTER,
    Act,
    City,
    Place,
    by_the_book,
    check,
)
from tests.support.sizes import proof_size

CARDS = 5
some_cards = st.lists(st.integers(0, CARDS - 1), min_size=1, max_size=CARDS, unique=True)
UNDER_WAY = "under way"
REFUSED_BY_DATABASE = asyncpg.IntegrityConstraintViolationError
"""A card is in one batch, and leaves a position; which is noticed first depends on the moment."""
HERE = ("A", "B")
PREDICTED = frozenset(ACTS) - {"lay out", "confirm", "withdraw"}
acts = st.builds(Act, st.sampled_from(ACTS), some_cards.map(tuple), st.integers(1, 3))


@dataclass
class Model:
    """What must come of acts that come one after the other: stage and shelf of each card."""

    stages: list[str] = field(default_factory=lambda: ["preset"] * CARDS)
    places: list[str] = field(default_factory=lambda: [""] * CARDS)

    def apply(self, act: Act) -> None:
        """Take what the act does to each of its cards, in the order of their cases."""
        verb, _, shelf = act.name.partition(" ")
        for card in sorted(act.cards):
            self._one(verb, shelf, card)

    def _one(self, verb: str, shelf: str, card: int) -> None:
        stage, place = self.stages[card], self.places[card]
        match verb:
            case "shelve" if stage == "preset" and self._takes(shelf):
                self.stages[card], self.places[card] = "shelved", shelf
            case "notify" if stage == "shelved" and place != UNDER_WAY:
                self.stages[card] = "notified"
            case "move" if place in HERE and place != shelf and self._takes(shelf):
                self.places[card] = shelf
            case "send" if place in HERE:
                self.places[card] = UNDER_WAY
            case "arrive" | "empty" if place == UNDER_WAY:
                self.places[card] = CENTER
            case "come" if place == UNDER_WAY:
                self.places[card] = "B"
            case "void" if stage in ("preset", "shelved", "notified"):
                self.stages[card] = "voided"
            case "issue":
                self.stages[card], self.places[card] = "issued", ""
            case _:
                pass

    def _takes(self, shelf: str) -> bool:
        return shelf != "A" or self.places.count("A") < CAPACITY


async def where(city: City) -> list[str]:
    """Where the room has each card, in the words of the model."""
    names = {(SITE, name): shelf for shelf, name in city.shelves.items()}
    names[CENTER, "A"] = CENTER
    book = await by_the_book(city.database, city.case_ids)

    def named(place: Place) -> str:
        if place is None:
            return ""
        site, position = place
        return UNDER_WAY if site == UNDER_WAY else names[site, position.rpartition("-")[0]]

    return [named(book[case_id]) for case_id in city.case_ids]


async def stages(city: City) -> list[str]:
    """The stage the room has each card in."""
    found = []
    for case_id in city.case_ids:
        answer = await city.client.get(f"/v1/cards/{case_id}", headers=bearer())
        found.append(answer.json()["stage"])
    return found


@settings(
    max_examples=proof_size(20, 200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tried=st.lists(acts.filter(lambda act: act.name in PREDICTED), max_size=12))
async def test_cards_are_where_the_model_says(
    client: httpx.AsyncClient, database: Database, tried: list[Act]
) -> None:
    city = await City.build(client, database, letters(new_id()), CARDS)
    model = Model()
    for act in tried:
        await asyncio.gather(*(city.perform(act) for _ in range(act.operators)))
        model.apply(act)
    assert await where(city) == model.places
    assert await stages(city) == model.stages
    await check(city)


@settings(
    max_examples=proof_size(25, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rounds=st.lists(st.lists(acts, min_size=1, max_size=4), max_size=8))
async def test_each_card_is_in_one_place_and_what_is_told_says_the_same(
    client: httpx.AsyncClient, database: Database, rounds: list[list[Act]]
) -> None:
    city = await City.build(client, database, letters(new_id()), CARDS)
    for at_once in rounds:
        tried = [act for act in at_once for _ in range(act.operators)]
        await asyncio.gather(*(city.perform(act) for act in tried))
        await check(city)


async def send(database: Database, tools: Tools, case_id: str) -> bool:
    """One operator seals the card into a batch; whether it left."""
    async with units(database).begin(PEOPLE["supervisor"]) as unit:
        selection = Selection((CaseId(UUID(case_id)),))
        sent = await handlers.send(unit, tools, selection, SiteId(SITE), SiteId(CENTER))
    return sent.transfer is not None


def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let operators read the card without locking it, and seal only when two have read."""
    both_have_read = asyncio.Barrier(2)
    dispatch = transfers.dispatch

    async def later(conn: Connection, batch: NewTransfer, chosen: Mapping[CaseId, Cause]) -> None:
        await both_have_read.wait()
        await dispatch(conn, batch, chosen)

    monkeypatch.setattr(cards, "_LOCK_CASES", cards._LOCK_CASES.replace("FOR UPDATE", ""))
    monkeypatch.setattr(transfers, "dispatch", later)


@pytest.fixture
def tools() -> Tools:
    """What commands of the room work with."""
    return Tools.read(kernel_settings(), room_doors(), PreparationSettings())


async def test_without_the_lock_the_database_lets_a_card_leave_once(
    client: httpx.AsyncClient, database: Database, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case_id,) = await notified(client, 1)
    without_lock(monkeypatch)
    left = await asyncio.gather(
        *(send(database, tools, case_id) for _ in range(2)), return_exceptions=True
    )
    assert left.count(True) == 1
    assert sum(isinstance(one, REFUSED_BY_DATABASE) for one in left) == 1
    assert (await events_of(database)).count("card.dispatched.v1") == 1


async def test_without_any_guard_a_card_is_in_two_batches(
    client: httpx.AsyncClient, database: Database, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race is real: what the tests above promise is the guards' doing."""
    (case_id,) = await notified(client, 1)
    without_lock(monkeypatch)
    async with database.transaction() as conn:
        await conn.execute("DROP INDEX transfer_card_once")
        await conn.execute("ALTER TABLE transfer_card ALTER left_position DROP NOT NULL")
    left = await asyncio.gather(*(send(database, tools, case_id) for _ in range(2)))
    assert left == [True, True]
    city = City(client, database, [case_id])
    with pytest.raises(AssertionError):
        await check(city)
