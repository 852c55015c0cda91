"""The consumer's promises over a real database: once, in order, and one failure stops one key."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from aiokafka.structs import ConsumerRecord

from shared.db import Database
from shared.ids import CaseId, new_id
from shared.messaging import dead_letters, inbox, parking
from shared.messaging.failure import is_infrastructure
from shared.security.principal import Principal
from tests.support import steps
from tests.support.messaging import StepTaken, case, raw_record, record, units


@pytest.fixture
async def database(room_database: Callable[[str], Awaitable[Database]]) -> Database:
    opened = await room_database("kernel")
    await steps.prepare(opened)
    return opened


def walk(case_id: CaseId, count: int, first_offset: int = 0) -> list[ConsumerRecord]:
    return [record(StepTaken(case_id=case_id, step=n), first_offset + n) for n in range(count)]


async def test_a_batch_is_handled_once_however_often_it_comes(database: Database) -> None:
    batch = walk(case(), 3) + walk(case(), 3, first_offset=10)
    consumer = steps.consumer(database)
    await consumer.handle(batch + batch)
    before = await steps.effects(database)
    await consumer.handle(batch)
    assert list(before.values()) == [[0, 1, 2], [0, 1, 2]]
    assert await steps.effects(database) == before


async def test_without_the_inbox_the_same_batch_is_handled_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def claim_everything(_conn: object, _consumer: str, ids: object) -> set[object]:
        return set(ids)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(inbox, "claim", claim_everything)
    consumer, batch = steps.consumer(database), walk(case(), 3)
    await consumer.handle(batch)
    await consumer.handle(batch)
    assert list((await steps.effects(database)).values()) == [[0, 1, 2, 0, 1, 2]]


async def test_one_failing_message_parks_its_key_and_no_other(database: Database) -> None:
    bad, good = case(), [case() for _ in range(20)]
    await steps.poison(database, bad, 1)
    batch = walk(bad, 4)
    for number, case_id in enumerate(good, start=1):
        batch += walk(case_id, 2, first_offset=number * 10)
    await steps.consumer(database).handle(batch)
    seen = await steps.effects(database)
    assert seen.pop(bad) == [0]
    assert set(seen) == set(good)
    assert all(taken == [0, 1] for taken in seen.values())
    async with database.reader() as conn:
        assert await parking.counts(conn, steps.ROOM) == (3, 0)


async def test_later_messages_of_a_parked_key_wait_and_follow_in_order(
    database: Database,
) -> None:
    bad = case()
    await steps.poison(database, bad, 0)
    consumer, retrier = steps.consumer(database), steps.retrier(database)
    await consumer.handle(walk(bad, 2))
    await consumer.handle(walk(bad, 5)[2:])
    assert await steps.effects(database) == {}
    await steps.heal(database)
    while await retrier.work_one():
        pass
    assert await steps.effects(database) == {bad: [0, 1, 2, 3, 4]}
    async with database.reader() as conn:
        assert await parking.counts(conn, steps.ROOM) == (0, 0)


async def test_without_parking_the_later_messages_overtake(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_is_parked(*_: object) -> set[str]:
        return set()

    monkeypatch.setattr(parking, "parked_among", nothing_is_parked)
    bad = case()
    await steps.poison(database, bad, 0)
    await steps.consumer(database).handle(walk(bad, 3))
    await steps.heal(database)
    await steps.retrier(database).work_one()
    assert await steps.effects(database) == {bad: [1, 2, 0]}


async def _die(database: Database, case_id: CaseId) -> dead_letters.DeadLetter:
    await steps.poison(database, case_id, 0)
    await steps.consumer(database).handle(walk(case_id, 3))
    retrier = steps.retrier(database)
    while await retrier.work_one():
        pass
    async with database.reader() as conn:
        (letter,) = await dead_letters.list_dead_letters(conn)
    return letter


async def test_after_its_tries_a_message_is_a_dead_letter_with_its_reason(
    database: Database,
) -> None:
    bad = case()
    letter = await _die(database, bad)
    assert letter.subject == str(bad)
    assert letter.attempts == 4  # the first try and one per configured wait
    assert letter.reason == "PoisonedError: this step cannot be taken"
    assert (letter.topic, letter.offset, letter.waiting) == ("preparation.events", 0, 2)
    async with database.reader() as conn:
        row = await conn.fetchrow("SELECT topic, subject, headers, data FROM outbox")
    assert row is not None
    assert (row["topic"], row["subject"]) == ("testing.dead-letters", str(bad))
    assert '"madoguchi-reason": "PoisonedError: this step cannot be taken"' in row["headers"]
    assert '"ce_type": "test.step_taken.v1"' in row["headers"]


async def test_a_replayed_dead_letter_lets_its_key_go_on_in_order(database: Database) -> None:
    bad = case()
    letter = await _die(database, bad)
    await steps.heal(database)
    async with units(database).begin(Principal.system("operator")) as unit:
        await dead_letters.replay(unit, letter.id)
    retrier = steps.retrier(database)
    while await retrier.work_one():
        pass
    assert await steps.effects(database) == {bad: [0, 1, 2]}


async def test_a_discarded_dead_letter_is_left_out_and_audited(database: Database) -> None:
    bad = case()
    letter = await _die(database, bad)
    async with units(database).begin(Principal.system("operator")) as unit:
        await dead_letters.discard(unit, letter.id, "sent by a broken test")
    retrier = steps.retrier(database)
    while await retrier.work_one():
        pass
    assert await steps.effects(database) == {bad: [1, 2]}
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT action FROM audit_entry") == "dead_letter.discarded"


async def test_an_unreadable_message_is_parked_without_its_content(database: Database) -> None:
    case_id = case()
    good = record(StepTaken(case_id=case_id, step=0), 0)
    broken = raw_record(good.key, good.headers, b'{"step": "a secret"}', 1, good.topic)
    after = record(StepTaken(case_id=case_id, step=2), 2)
    await steps.consumer(database).handle([good, broken, after])
    assert await steps.effects(database) == {case_id: [0]}
    async with database.reader() as conn:
        reason = await conn.fetchval("SELECT reason FROM parked WHERE attempt = 1")
    assert "step: int_parsing" in reason
    assert "secret" not in reason


async def test_a_failed_batch_leaves_no_claim(database: Database) -> None:
    bad = case()
    await steps.poison(database, bad, 0)
    with pytest.raises(steps.PoisonedError):
        await steps.processor(database).handle_batch(walk(bad, 1))
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM inbox") == 0


async def test_infrastructure_errors_use_up_no_try(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle")

    monkeypatch.setattr(parking, "parked_among", lost)
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await steps.consumer(database).handle(walk(case(), 2))
    monkeypatch.undo()
    async with database.reader() as conn:
        assert await parking.counts(conn, steps.ROOM) == (0, 0)


async def test_events_nobody_subscribed_to_are_passed_over(database: Database) -> None:
    known = record(StepTaken(case_id=case(), step=0), 0)
    headers = [(n, b"other.v1" if n == "ce_type" else v) for n, v in known.headers]
    await steps.consumer(database).handle([raw_record(b"k", headers, b"{}", 0, known.topic)])
    assert await steps.effects(database) == {}


async def test_two_consumers_of_one_batch_handle_it_once(database: Database) -> None:
    batch = [record(StepTaken(case_id=case(), step=0), n) for n in range(200)]
    again = [*batch[100:], *batch[:100]]
    await asyncio.gather(
        steps.consumer(database).handle(batch), steps.consumer(database).handle(again)
    )
    assert all(taken == [0] for taken in (await steps.effects(database)).values())
    assert len(await steps.effects(database)) == 200


@pytest.mark.parametrize(
    ("error", "infrastructure"),
    [
        (ConnectionRefusedError(), True),
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.InterfaceError("the server expects 1 argument for this query"), False),
        (asyncpg.QueryCanceledError("statement timeout"), False),
        (asyncpg.UniqueViolationError("x"), False),
        (ValueError("x"), False),
    ],
)
def test_whose_fault_a_failure_is(error: Exception, infrastructure: bool) -> None:
    assert is_infrastructure(error) is infrastructure


def test_an_id_that_is_none() -> None:
    assert parking.event_id_of(raw_record(b"k", [("ce_id", b"no id")], b"", 0, "t")) is None
    assert parking.event_id_of(raw_record(b"k", [("ce_id", str(new_id()).encode())], b"", 0, "t"))
