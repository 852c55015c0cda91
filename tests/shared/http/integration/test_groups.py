"""Grouped commands: one effect and one answer each, whoever else is refused, fails or is cut."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from shared.clock import SystemClock
from shared.contracts.reservation import ContactErased, ErasureReason
from shared.db import Connection, Database
from shared.errors import Conflict, Problem
from shared.http import idempotency
from shared.http.groups import Answered, Groups
from shared.http.idempotency import Claim, InFlight, KeyReused
from shared.ids import CaseId, derived_id
from shared.security.principal import Principal
from shared.unit import Unit, Units
from shared.writes import Write
from tests.support.sizes import proof_size

CALLERS = 30


class Taken(Conflict):
    """The name is taken."""

    slug = "taken"


@dataclass
class Shop:
    """Writes names; refuses those that are taken; ``groups`` are what came together."""

    database: Database
    groups: list[list[str]] = field(default_factory=list)
    before: Callable[[Unit, Sequence[str]], None] | None = None

    async def place(
        self, unit: Unit, wishes: Sequence[tuple[Unit, str]]
    ) -> Sequence[dict[str, str] | Problem]:
        names = [name for _, name in wishes]
        self.groups.append(names)
        if self.before is not None:
            self.before(unit, names)
        ends: list[dict[str, str] | Problem] = []
        for part, name in wishes:
            part.audit("order.placed", subject=name)
            part.emit(
                ContactErased(case_id=CaseId(derived_id(name)), reason=ErasureReason.REQUESTED)
            )
            if name.startswith("taken"):
                ends.append(Taken())
                continue
            await unit.conn.execute("INSERT INTO placed (name) VALUES ($1)", name)
            ends.append({"name": name})
        return ends

    def open(self, units: Units | None = None, *, at_once: int = 1) -> Groups[str]:
        def apart(name: str) -> Collection[Hashable]:
            return (name.split("#", maxsplit=1)[0],)

        made = units or Units(self.database, room="test", source="/test", clock=SystemClock())
        return Groups(made, self.place, apart=apart, room="test", at_once=at_once)

    async def count(self, table: str) -> int:
        async with self.database.reader() as conn:
            found: int = await conn.fetchval(f"SELECT count(*) FROM {table}")
        return found


@pytest.fixture
async def shop(kernel_database: Database) -> Shop:
    """An empty shop."""
    async with kernel_database.reader() as conn:
        await conn.execute("CREATE TABLE placed (name text CHECK (name <> 'broken'))")
    return Shop(kernel_database)


async def ask(groups: Groups[str], name: str, key: str | None = None) -> Answered:
    """One caller's command."""
    claim = Claim("shop", key or name, name.encode())
    return await groups.answer(name, Principal.anonymous(), None, claim, 201)


async def ask_all(groups: Groups[str], names: Sequence[str]) -> list[Answered | BaseException]:
    """Everybody at once."""
    return await asyncio.gather(*(ask(groups, name) for name in names), return_exceptions=True)


async def test_what_comes_at_once_goes_together_and_each_is_answered(shop: Shop) -> None:
    names = [f"{'taken' if number % 3 == 0 else 'free'}-{number}" for number in range(CALLERS)]
    ends = await ask_all(shop.open(), names)
    for name, end in zip(names, ends, strict=True):
        if name.startswith("taken"):
            assert isinstance(end, Taken)
        else:
            assert isinstance(end, Answered)
            assert end.answer.body == b'{"name":"%s"}' % name.encode()
    assert [len(group) for group in shop.groups] == [1, CALLERS - 1]
    placed = len([name for name in names if name.startswith("free")])
    for table in ("placed", "audit_entry", "outbox", "idempotency"):
        assert await shop.count(table) == placed, table


async def test_one_that_breaks_its_transaction_breaks_no_other(shop: Shop) -> None:
    names = ["first", *(f"free-{number}" for number in range(CALLERS)), "broken"]
    ends = await ask_all(shop.open(), names)
    assert [type(end).__name__ for end in ends[:-1]] == ["Answered"] * (CALLERS + 1)
    assert type(ends[-1]).__name__ == "CheckViolationError"
    assert await shop.count("placed") == await shop.count("outbox") == CALLERS + 1


@pytest.mark.parametrize("guard", ["kept", "removed"])
async def test_a_request_repeated_has_one_effect(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    if guard == "removed":

        async def nothing_known(conn: Connection, claims: Sequence[Claim]) -> list[None]:
            return [None] * len(claims)

        def forgotten(_: object) -> Write:
            return Write("answered AS (SELECT)", ())

        monkeypatch.setattr(idempotency, "recall_all", nothing_known)
        monkeypatch.setattr(idempotency, "remembered", forgotten)
    groups = shop.open(at_once=2)
    ends = await asyncio.gather(
        *(ask(groups, f"same#{n % 2}", f"key-{n % 2}") for n in range(CALLERS)),
        return_exceptions=True,
    )
    again = await ask(groups, "same#0", "key-0")
    assert {type(end).__name__ for end in ends} <= {"Answered", InFlight.__name__}
    assert again.replayed is (guard == "kept")
    assert (await shop.count("placed") == 2) is (guard == "kept")


async def test_commands_that_share_a_thing_go_one_after_the_other(shop: Shop) -> None:
    groups = shop.open()
    names = ["first", "case-1#a", "case-2#a", "case-1#b", "case-3#a", "case-1#c"]
    await ask_all(groups, names)
    assert shop.groups == [
        ["first"],
        ["case-1#a", "case-2#a", "case-3#a"],
        ["case-1#b"],
        ["case-1#c"],
    ]


async def test_a_key_of_another_request_is_refused(shop: Shop) -> None:
    groups = shop.open()
    await ask(groups, "one", "key")
    with pytest.raises(KeyReused):
        await ask(groups, "two", "key")


class Cut(Units):
    """Units whose connection is cut off when commits come back; the effect is there."""

    cuts: int = 0

    @asynccontextmanager
    async def begin(
        self, principal: Principal, *, traceparent: str | None = None
    ) -> AsyncIterator[Unit]:
        async with super().begin(principal, traceparent=traceparent) as unit:
            yield unit
        if self.cuts:
            self.cuts -= 1
            raise ConnectionError


@pytest.mark.proof
async def test_a_commit_whose_answer_was_lost_is_not_repeated(shop: Shop) -> None:
    """However often it is cut, every effect is there once, and everybody hears of it."""
    units = Cut(shop.database, room="test", source="/test", clock=SystemClock())
    groups = shop.open(units, at_once=2)
    rounds = proof_size(5, 100)
    for round_ in range(rounds):
        units.cuts = 0
        names = [f"{round_}-{number}" for number in range(8)]
        waiting = [asyncio.create_task(ask(groups, name)) for name in names[:1]]
        await asyncio.sleep(0)
        units.cuts = 1 if round_ % 2 else 2
        waiting += [asyncio.create_task(ask(groups, name)) for name in names[1:]]
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        for name, end in zip(names, ends, strict=True):
            if isinstance(end, ConnectionError):
                assert (await ask(groups, name)).replayed
            else:
                assert isinstance(end, Answered)
    assert await shop.count("placed") == await shop.count("outbox") == 8 * rounds


async def test_who_waits_for_a_lock_keeps_nobody_else_waiting(shop: Shop) -> None:
    """A command of a group that meets a lock goes on alone; all others are answered meanwhile."""
    groups = shop.open()
    async with shop.database.transaction() as conn:
        await conn.execute("CREATE UNIQUE INDEX once ON placed (name)")
    async with shop.database.transaction() as holder:
        await holder.execute("INSERT INTO placed (name) VALUES ('locked')")
        names = ["first", *(f"free-{number}" for number in range(8))]
        locked = asyncio.create_task(ask(groups, "first-of-all"))
        tasks = [asyncio.create_task(ask(groups, name)) for name in [*names, "locked"]]
        await asyncio.gather(locked, *tasks[:-1])
        later = await ask(groups, "later")
        assert not tasks[-1].done()
        assert later.answer.status == 201
    ends = await asyncio.gather(tasks[-1], return_exceptions=True)
    assert type(ends[0]).__name__ == "UniqueViolationError"


async def test_who_stops_waiting_stops_nobody(shop: Shop) -> None:
    groups = shop.open()
    tasks = [asyncio.create_task(ask(groups, f"free-{number}")) for number in range(6)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(end, Answered) for end in ends) == 5
    assert await shop.count("placed") == 6
