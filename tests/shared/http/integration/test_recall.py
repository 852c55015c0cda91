"""The look for the answer to a key, or to several: younger than their locks, and by index."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import pytest

from shared.db import Connection, Database
from shared.http import idempotency
from shared.http.idempotency import Answer, Claim
from tests.conftest import DatabaseMaker
from tests.support.waits import who_waits

Look: TypeAlias = Callable[[Connection, Claim], Awaitable[object]]
CLAIM, ANSWER = Claim("scope", "key", b"hash"), Answer(201, b"{}")


async def one(conn: Connection, claim: Claim) -> object:
    return await idempotency.recall(conn, claim)


async def several(conn: Connection, claim: Claim) -> object:
    found, _ = await idempotency.recall_all(conn, [claim, Claim("scope", "another", b"hash")])
    return found


@dataclass(frozen=True)
class Asked:
    """A way to look: the constant that holds its statement, and what stands in it for the scope."""

    look: Look
    statement: str
    scope: str


LOOKS = pytest.mark.parametrize(
    "asked",
    [Asked(one, "_RECALL_ONE", "$1"), Asked(several, "_RECALL", "claim.scope")],
    ids=["one", "several"],
)


@pytest.fixture(params=[("VOLATILE", True), ("STABLE", False)], ids=["volatile", "stable"])
async def is_seen(request: pytest.FixtureRequest, kernel_database: Database) -> bool:
    """Whether the second look has a snapshot of its own, and so sees what came between."""
    volatility, seen = request.param
    async with kernel_database.transaction() as conn:
        await conn.execute(f"ALTER FUNCTION recall_answer {volatility}")
    return bool(seen)


@LOOKS
async def test_what_a_twin_stored_before_the_key_was_taken_is_seen(
    kernel_database: Database, monkeypatch: pytest.MonkeyPatch, is_seen: bool, asked: Asked
) -> None:
    """The question begins, a twin commits, and only then is the key taken; were both looks of one
    snapshot, the command would be done again.
    """
    waits = f"CASE WHEN pg_advisory_xact_lock(7) IS NOT NULL THEN {asked.scope} END"
    slow = getattr(idempotency, asked.statement).replace(f"({asked.scope}", f"({waits}")
    monkeypatch.setattr(idempotency, asked.statement, slow)

    async def ask() -> object:
        async with kernel_database.transaction() as conn:
            return await asked.look(conn, CLAIM)

    async with kernel_database.transaction() as conn:
        await conn.execute("SELECT pg_advisory_xact_lock(7)")
        asking = asyncio.create_task(ask())
        await who_waits(kernel_database)
        async with kernel_database.transaction() as twin:
            await idempotency.remember(twin, CLAIM, ANSWER)
    assert await asking == (ANSWER if is_seen else None)


@pytest.fixture(params=[False, True], ids=["planned for values", "planned once"])
async def pool(
    request: pytest.FixtureRequest, make_database: DatabaseMaker
) -> AsyncIterator[Database]:
    made = await Database.connect(
        await make_database(), application="test", max_size=1, planned_once=request.param
    )
    yield made
    await made.close()


@LOOKS
@pytest.mark.parametrize("guard", ["kept", "removed"])
async def test_a_plan_made_while_nothing_was_stored_reads_no_table_later(
    pool: Database, asked: Asked, guard: str
) -> None:
    """A connection keeps its plans, and a table known to be empty is cheapest read as a whole."""
    async with pool.reader() as conn:
        if guard == "removed":
            await conn.execute("ALTER FUNCTION recall_answer RESET enable_seqscan")
            await conn.execute("SET enable_seqscan = on")
        await conn.execute("VACUUM ANALYZE idempotency")
        for _ in range(6):  # a plan for values is given up after five
            await asked.look(conn, CLAIM)
    async with pool.transaction() as conn:
        await idempotency.remember(conn, CLAIM, ANSWER)
        assert await asked.look(conn, CLAIM) == ANSWER
        whole = await conn.fetchval(
            "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'idempotency'"
        )
    assert (whole == 0) is (guard == "kept")
