"""Nothing that can be sent stops a partition: whatever cannot be handled can be parked.

And nothing of what it holds gets into a reason that operators, logs and dead-letter topics see.
"""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError

from shared.db import Database
from shared.messaging import parking
from shared.messaging.envelope import Headers
from shared.messaging.failure import is_infrastructure, may_heal, reason_of
from tests.support import steps
from tests.support.messaging import StepTaken, case, raw_record, record


@pytest.fixture
async def database(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    opened = await room_database("kernel")
    await steps.prepare(opened)
    return opened


# The wire allows a null.
NULL: Headers = [("x", None)]  # type: ignore[list-item]
ODD_HEADERS: list[Headers] = [NULL, [("x", b"\x00")], [("x\x00", b"")], [("x", b"\xff")]]


@pytest.mark.parametrize("odd", ODD_HEADERS)
async def test_a_message_with_an_odd_header_fails_parks_and_follows(
    database: Database, odd: Headers
) -> None:
    bad = case()
    await steps.poison(database, bad, 0)
    step = record(StepTaken(case_id=bad, step=0), 0)
    await steps.consumer(database).handle(
        [raw_record(step.key, [*step.headers, *odd], step.value, 0, step.topic)]
    )
    async with database.reader() as conn:
        assert await parking.counts(conn, steps.ROOM) == (1, 0)
    await steps.heal(database)
    while await steps.retrier(database).work_one():
        pass
    assert await steps.effects(database) == {bad: [0]}


@pytest.mark.parametrize("key", [b"a\x00b", b"\xff\xfe", b"k" * 5000, "鍵".encode() * 3000])
async def test_a_record_with_an_odd_key_is_parked_or_passed_over(
    database: Database, key: bytes
) -> None:
    step = record(StepTaken(case_id=case(), step=0), 0)
    good = record(StepTaken(case_id=case(), step=0), 3)
    broken = raw_record(key, step.headers, b"{}", 1, step.topic)
    nobodys = raw_record(key, [("ce_type", None)], b"", 2, step.topic)  # type: ignore[list-item]
    await steps.consumer(database).handle([broken, nobodys, good])
    async with database.reader() as conn:
        assert await parking.counts(conn, steps.ROOM) == (1, 0)
    assert len(await steps.effects(database)) == 1


async def test_a_value_the_driver_refuses_is_the_messages_fault(database: Database) -> None:
    async with database.reader() as conn:
        with pytest.raises(asyncpg.DataError, match="closed") as refused:
            await conn.fetchval("SELECT $1::int", "closed: a secret")
    assert not is_infrastructure(refused.value)
    assert "secret" not in reason_of(refused.value)


async def test_a_statement_time_out_may_pass_but_counts_against_a_message(
    database: Database,
) -> None:
    async with database.reader() as conn:
        await conn.execute("SET statement_timeout = 1")
        with pytest.raises(asyncpg.QueryCanceledError) as late:
            await conn.execute("SELECT pg_sleep(1)")
    assert may_heal(late.value)
    assert not is_infrastructure(late.value)


class Form(BaseModel):
    """Something a handler might fill."""

    number: int


def _parse(text: str) -> object:
    return int(text)


@pytest.mark.parametrize("fill", [lambda text: Form(number=text), _parse, {}.__getitem__])
def test_a_reason_quotes_no_value(fill: Callable[[str], object]) -> None:
    with pytest.raises((ValidationError, ValueError, KeyError)) as failed:
        fill("a secret")
    assert "secret" not in reason_of(failed.value)
    assert reason_of(failed.value).startswith(type(failed.value).__name__)


def test_a_reason_of_our_own_is_told() -> None:
    assert reason_of(steps.PoisonedError("no such step")) == "PoisonedError: no such step"
