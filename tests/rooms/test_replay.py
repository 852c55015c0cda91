"""Every room, fed each message twice and then everything again, is where it was after one time."""

from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiokafka.structs import ConsumerRecord

from shared.db import Database
from shared.messaging import inbox
from shared.messaging.processing import Processor
from tests.support.messaging import metrics, units
from tests.support.rooms import NAMES, chunks, history, room
from tests.support.state import state_hash

OpenRoom = Callable[[str], Awaitable[Database]]
HISTORY = history(cases=12)


async def state_after(
    database: Database, name: str, batches: Sequence[Sequence[ConsumerRecord]]
) -> str:
    """The room's state hash after it handled ``batches``."""
    processor = Processor(name, units(database, name), room(name).subscribes, metrics=metrics())
    for batch in batches:
        await processor.handle_batch(batch)
    async with database.reader() as conn:
        return await state_hash(conn)


def twice(records: Sequence[ConsumerRecord]) -> list[ConsumerRecord]:
    """Each record and, right behind it, the same again."""
    return [record for one in records for record in (one, one)]


@pytest.mark.parametrize("name", NAMES)
async def test_duplicates_and_a_replay_from_the_beginning_change_nothing(
    room_database: OpenRoom, name: str
) -> None:
    once = await state_after(await room_database(name), name, list(chunks(HISTORY, 50)))
    again = [*chunks(twice(HISTORY), 50), *chunks(HISTORY, 80)]
    assert await state_after(await room_database(name), name, again) == once


@pytest.mark.parametrize("name", NAMES)
async def test_how_messages_are_batched_changes_nothing(room_database: OpenRoom, name: str) -> None:
    one_by_one = await state_after(await room_database(name), name, list(chunks(HISTORY, 1)))
    batched = await state_after(await room_database(name), name, list(chunks(HISTORY, 200)))
    assert batched == one_by_one


async def test_every_room_hears_something_of_the_history(room_database: OpenRoom) -> None:
    for name in NAMES:
        nothing = await state_after(await room_database(name), name, [])
        assert await state_after(await room_database(name), name, [HISTORY]) != nothing


@pytest.mark.parametrize("name", NAMES)
async def test_the_handlers_alone_bear_a_replay_too(
    room_database: OpenRoom, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second line of defence: even where the inbox were lost, facts stay what they are."""

    async def claim_everything(_conn: object, _consumer: str, ids: set[object]) -> set[object]:
        return set(ids)

    monkeypatch.setattr(inbox, "claim", claim_everything)
    once = await state_after(await room_database(name), name, list(chunks(HISTORY, 50)))
    again = [*chunks(HISTORY, 50), *chunks(HISTORY, 80)]
    assert await state_after(await room_database(name), name, again) == once
