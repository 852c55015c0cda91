"""Visit, queue and hand-over against a model: whatever two clerks do, one by one or at the same
moment, comes out as if one had acted after the other. Each lock is also taken away, and then the
model has to notice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.issuance.domain.checklist import OldCard, Paper, Proxy, ProxyReason
from services.issuance.domain.counter import CounterState
from services.issuance.domain.identity import Document, DocumentClass, DocumentType
from services.issuance.domain.queue import Priorities
from services.issuance.domain.ticket import Need
from services.issuance.handlers import check_in, counter, counters, hand_over, queue, steps
from services.issuance.handlers.queue import QueueRules
from services.issuance.store import tickets, visits
from shared.clock import FixedClock
from shared.contracts.reservation import BookingConfirmed
from shared.db import Connection
from shared.errors import Problem
from shared.ids import CaseId, VisitId, new_id
from shared.unit import Unit
from tests.issuance.queue_model import (
    COUNTERS,
    GRACE,
    REPLACING,
    SKIPS_ALLOWED,
    Command,
    Model,
    booked_at,
)
from tests.issuance.support import OFFICE, PEOPLE, TEN, City, replaces_another
from tests.support.sizes import proof_size

CASES = 3
PASSPORT = [Document(DocumentClass.A, DocumentType.PASSPORT)]
PAPERS = (Paper.POWER_OF_ATTORNEY, Paper.EVIDENCE_OF_REASON)
PROXIES = {
    "proxy": Proxy(ProxyReason.ILLNESS, tuple(PASSPORT), PAPERS),
    "half_proxy": Proxy(ProxyReason.ILLNESS, tuple(PASSPORT), PAPERS[:1]),
    "no_proxy": None,
}
RULES = QueueRules(Priorities(), SKIPS_ALLOWED)
NOBODY = CaseId(new_id())
_TABLES = (
    "visit, visit_case, ticket, ticket_number, counter, counter_span, counter_turn, card_count,"
    " procedure_ended, service_day, case_step, certificate_work"
)
_OF_A_COUNTER = ("next", "open", "pause", "close")
_OF_A_STEP = ("proxy", "half_proxy", "no_proxy", "identify", "old_card", "pin", "issue")
_ABOUT_A_TICKET = ("call", "recall", "skip", "transfer", "leave", "done", *_OF_A_STEP)
_WHOLE = ("identify", "old_card", "pin", "issue")

some_counter = st.sampled_from(sorted(COUNTERS))
numbers = st.integers(1, 5)
arriving = st.one_of(
    st.builds(Command, st.just("come"), case=st.integers(0, CASES - 1)),
    st.builds(Command, st.just("draw"), need=st.none() | st.just(Need.PARENT)),
)
calling = st.builds(Command, st.just("next"), counter=some_counter)
serving = st.builds(
    Command,
    st.sampled_from(_ABOUT_A_TICKET),
    number=numbers,
    counter=some_counter,
    to=st.none() | some_counter,
)
opening = st.builds(Command, st.sampled_from(["open", "pause", "close"]), counter=some_counter)
acting = st.one_of(arriving, calling, calling, serving, serving, opening)
at_one_ticket = st.tuples(serving, serving).map(
    lambda pair: (pair[0], Command(pair[1].what, pair[0].number, 0, pair[1].counter, pair[1].to))
)
both_next = st.just(tuple(Command("next", counter=name) for name in sorted(COUNTERS)))
twice = serving.map(lambda one: (one, one))
moments = st.one_of(
    acting.map(lambda one: (one,)),
    st.tuples(acting, acting),
    at_one_ticket,
    both_next,
    twice,
    st.builds(Command, st.just("wait"), number=st.integers(1, 30)).map(lambda one: (one,)),
)
served = numbers.map(lambda number: [(Command(what, number=number),) for what in _WHOLE])
programs = st.lists(
    st.one_of(moments.map(lambda one: [one]), served), min_size=1, max_size=proof_size(25, 60)
).map(lambda parts: [moment for part in parts for moment in part])


@dataclass
class Office:
    """The real room beside its model."""

    city: City
    clock: FixedClock
    bookings: Sequence[BookingConfirmed]
    model: Model = field(default_factory=Model)
    issued: int = 0

    async def begin(self) -> None:
        """Nobody is here, both counters are open."""
        self.model = Model()
        self.clock.set(TEN)
        async with self.city.database.transaction() as conn:
            await conn.execute(f"TRUNCATE {_TABLES}")
        for name, purposes in COUNTERS.items():
            async with self.city.units.begin(PEOPLE["clerk"]) as unit:
                await counters.open_counter(unit, OFFICE, name, tuple(purposes))

    async def moment(self, commands: Sequence[Command]) -> None:
        """Everything in ``commands`` at once; it has to come out as some order of them."""
        known = [c for c in commands if c.number in self.model.parties or not _needs_ticket(c)]
        before = self.model
        known_ids = await self.ids()
        answers = await asyncio.gather(*(self.answer(command, known_ids) for command in known))
        observed = (await self._seen(), tuple(answers))
        orders = [_in_order(before, known, order) for order in permutations(range(len(known)))]
        matching = [model for model, told in orders if (model.seen(), told) == observed]
        assert matching, (known, observed, [(m.seen(), told) for m, told in orders])
        self.model = matching[0]
        self.issued += len(self.model.issued - before.issued)

    async def answer(self, command: Command, ids: dict[int, VisitId]) -> str:
        """Do one command in the real room: ok, a ticket's number or a problem's slug."""
        if command.what == "wait":
            self.clock.set(self.model.after(command)[0].now)
            return "ok"
        visit_id = ids.get(command.number, VisitId(new_id()))
        try:
            async with self.city.units.begin(PEOPLE["clerk"]) as unit:
                called = await self._do(unit, command, visit_id)
        except Problem as problem:
            return problem.slug
        if command.what != "next":
            return "ok"
        return str(int(called.ticket[1:])) if called else "nobody"

    async def _do(self, unit: Unit, command: Command, visit_id: VisitId) -> Any:
        if command.what in _OF_A_COUNTER:
            return await self._at_counter(unit, command)
        if command.what in _OF_A_STEP:
            return await self._serve(unit, command, visit_id)
        match command.what:
            case "come":
                booking_id = self.bookings[command.case].booking_id
                await check_in.check_in_booking(unit, OFFICE, booking_id, GRACE)
            case "draw":
                await check_in.check_in_question(unit, OFFICE, command.need)
            case "call":
                await counter.call(unit, visit_id, command.counter)
            case "skip":
                await queue.skip(unit, visit_id, RULES)
            case "transfer":
                await queue.transfer(unit, visit_id, command.to)
            case _:
                await getattr(queue, command.what)(unit, visit_id)
        return None

    async def _at_counter(self, unit: Unit, command: Command) -> Any:
        match command.what:
            case "next":
                return await queue.call_next(unit, OFFICE, command.counter, RULES)
            case "open":
                return await counters.open_counter(unit, OFFICE, command.counter, None)
            case _:
                state = {"pause": CounterState.PAUSED, "close": CounterState.CLOSED}[command.what]
                return await counters.become(unit, OFFICE, command.counter, state)

    async def _serve(self, unit: Unit, command: Command, visit_id: VisitId) -> None:
        case_id = await self._case(unit, visit_id)
        match command.what:
            case "proxy" | "half_proxy" | "no_proxy":
                await steps.note_proxy(unit, visit_id, case_id, PROXIES[command.what])
            case "identify":
                await counter.verify_identity(unit, visit_id, case_id, PASSPORT)
            case "old_card":
                await steps.note_old_card(unit, visit_id, case_id, OldCard.CARD_RETURNED)
            case "pin":
                await counter.confirm_pin(unit, visit_id, case_id)
            case _:
                await hand_over.issue(unit, visit_id, case_id)

    async def _case(self, unit: Unit, visit_id: VisitId) -> CaseId:
        sql = "SELECT case_id FROM visit_case WHERE visit_id = $1"
        return CaseId(await unit.conn.fetchval(sql, visit_id) or NOBODY)

    async def ids(self) -> dict[int, VisitId]:
        """The visits by ticket number."""
        async with self.city.database.reader() as conn:
            rows = await conn.fetch("SELECT number, visit_id FROM ticket")
        return {row["number"]: VisitId(row["visit_id"]) for row in rows}

    async def _seen(self) -> tuple[dict[str, str], dict[int, tuple[object, ...]]]:
        async with self.city.database.reader() as conn:
            rows = await conn.fetch(_SEEN)
            known = await conn.fetch("SELECT counter, state FROM counter")
        cases = {booking.case_id: case for case, booking in enumerate(self.bookings)}
        return {row["counter"]: row["state"] for row in known}, {
            row["number"]: (
                cases.get(row["case_id"]),
                row["need"],
                row["state"],
                row["counter"] if row["state"] == "called" else None,
                row["skips"],
                row["only_counter"],
                None if row["outcome"] == "open" else row["outcome"],
                tuple(sorted(row["done"])),
            )
            for row in rows
        }

    async def check(self) -> None:
        """Nothing was said twice, and turns agree with visits."""
        said = await self.city.types_said()
        assert said.count("card.issued.v1") == said.count("visit.completed.v1") == self.issued
        async with self.city.database.reader() as conn:
            assert await conn.fetchval(_TURNS_ASTRAY) == 0


_SEEN = """
SELECT t.number, t.need, c.case_id, v.state, v.counter, t.skips, t.only_counter, c.state AS outcome,
       array_remove(ARRAY[CASE WHEN c.identified_at IS NOT NULL THEN 'identity' END,
                          CASE WHEN c.pin_set_at IS NOT NULL THEN 'pin-set' END], NULL)
       || ARRAY(SELECT s.step || CASE WHEN s.step <> 'proxy' THEN ''
                                      WHEN cardinality(s.papers) = 2 THEN '-whole'
                                      ELSE '-half' END
                FROM case_step s WHERE s.visit_id = c.visit_id AND s.case_id = c.case_id) AS done
FROM ticket t JOIN visit v USING (visit_id) LEFT JOIN visit_case c USING (visit_id)
ORDER BY t.number
"""
_TURNS_ASTRAY = """
SELECT count(*) FROM visit v
FULL JOIN (SELECT * FROM counter_turn WHERE ended_at IS NULL) t USING (visit_id)
WHERE (coalesce(v.state, '') = 'called') <> (t.turn_id IS NOT NULL)
      OR (v.state = 'called' AND v.counter <> t.counter)
"""


def _needs_ticket(command: Command) -> bool:
    return command.what in _ABOUT_A_TICKET


def _in_order(
    model: Model, commands: Sequence[Command], order: Sequence[int]
) -> tuple[Model, tuple[str, ...]]:
    """The model after the commands in ``order``, and the answer to each as they were listed."""
    told: dict[int, str] = {}
    for index in order:
        model, told[index] = model.after(commands[index])
    model = _without_counter_of_ended(model)
    return model, tuple(told[index] for index in range(len(commands)))


def _without_counter_of_ended(model: Model) -> Model:
    for party in model.parties.values():
        if party.state == "ended":
            party.counter = None
    return model


@pytest.fixture
async def office(city: City, clock: FixedClock) -> Office:
    """An office with prepared cases, each booked today."""
    bookings = []
    for number in range(CASES):
        case_id = await city.card()
        if number in REPLACING:
            await city.hear(replaces_another(case_id))
        bookings.append(await city.booking(case_id, starts_at=booked_at(number)))
    return Office(city, clock, bookings)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@settings(
    max_examples=proof_size(60, 1_000),
    deadline=None,
    suppress_health_check=tuple(HealthCheck),
)
@given(program=programs)
async def test_whatever_two_clerks_do_comes_out_in_some_order(
    office: Office, program: list[tuple[Command, ...]]
) -> None:
    await office.begin()
    for commands in program:
        await office.moment(commands)
    await office.check()


async def run(office: Office, *program: tuple[Command, ...]) -> None:
    """A program of its own."""
    await office.begin()
    for commands in program:
        await office.moment(commands)
    await office.check()


DRAWN = ((Command("draw"),), (Command("draw"),))
READY = (
    (Command("come"),),
    (Command("next"),),
    (Command("identify", number=1),),
    (Command("pin", number=1),),
)
BOTH_CALL = (Command("next", counter="1"), Command("next", counter="2"))
BOTH_ISSUE = (Command("issue", number=1), Command("issue", number=1))


async def test_the_races_themselves_come_out_right(office: Office) -> None:
    await run(office, *DRAWN, BOTH_CALL)
    await run(office, *READY, BOTH_ISSUE)


async def test_a_party_that_a_colleague_has_in_hand_is_not_passed_over(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the model: a refused command on the only one who waits made the next call empty."""
    held, looked = asyncio.Event(), visits.lock

    async def hold(conn: Connection, visit_id: VisitId) -> Any:
        found = await looked(conn, visit_id)
        held.set()
        await asyncio.sleep(0.2)
        return found

    await run(office, DRAWN[0])
    monkeypatch.setattr(visits, "lock", hold)
    ids = await office.ids()
    refused = asyncio.create_task(office.answer(Command("done", number=1), ids))
    await held.wait()
    assert await office.answer(Command("next"), ids) == "1"
    assert await refused == "not-called"


async def test_the_model_notices_a_missing_lock_on_the_next_visit(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Barrier(2)

    async def look_only(conn: Connection, visit_id: VisitId) -> bool:
        sql = "SELECT state = 'waiting' FROM visit WHERE visit_id = $1"
        found = bool(await conn.fetchval(sql, visit_id))
        await gate.wait()
        return found

    monkeypatch.setattr(tickets, "take", look_only)
    with pytest.raises(AssertionError):
        await run(office, *DRAWN, BOTH_CALL)


async def test_the_model_notices_a_missing_lock_on_a_visit_in_hand(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Barrier(2)

    async def look_only(conn: Connection, visit_id: VisitId) -> Any:
        found = await visits.find(conn, visit_id)
        await gate.wait()
        return found

    await run(office, *READY[:2])
    monkeypatch.setattr(visits, "lock", look_only)
    with pytest.raises(AssertionError):
        await office.moment((Command("skip", number=1), Command("skip", number=1)))
