"""Replayed time over a real broker: the last time told is the present, in every process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.errors import KafkaConnectionError

from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.ports import free_port
from shared.clock import ReplayClock
from shared.http.ops import NotReadyError
from shared.messaging.clock_follower import ClockFollower
from shared.messaging.kafka import producer
from shared.messaging.topics import CLOCK_TOPIC, ensure_topics
from shared.settings import KernelSettings
from simulation.clock import SimulatedClock
from tests.support.messaging import NOON, case, settings

EPOCH = datetime.fromtimestamp(0, UTC)


@pytest.fixture
async def set_(kafka: EmbeddedKafka) -> KernelSettings:
    made = settings(kafka_bootstrap_servers=kafka.bootstrap, topic_prefix=f"t{case().hex[-10:]}.")
    await ensure_topics(made, ("testing",))
    return made


@asynccontextmanager
async def following(set_: KernelSettings) -> AsyncIterator[tuple[ReplayClock, ClockFollower]]:
    """A process's clock that follows."""
    clock = ReplayClock()
    follower = ClockFollower(clock, set_)
    task = asyncio.create_task(follower.run())
    try:
        yield clock, follower
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(done: Callable[[], bool]) -> None:
    """Wait for what arrives from elsewhere; the test's time-out bounds it."""
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def ready(follower: ClockFollower) -> bool:
    """Whether the process may answer already."""
    try:
        await follower.known()
    except NotReadyError:
        return False
    return True


async def test_a_clock_follows_what_is_told(set_: KernelSettings) -> None:
    async with SimulatedClock(set_) as told, following(set_) as (clock, _):
        for hours in range(3):
            await told.advance(NOON + timedelta(hours=hours))
            await until(lambda: clock.now() == told.now)


async def test_who_comes_later_hears_the_last_time_before_being_ready(
    set_: KernelSettings,
) -> None:
    async with SimulatedClock(set_) as told:
        for hours in range(5):
            await told.advance(NOON + timedelta(hours=hours))
    async with following(set_) as (clock, follower):
        assert not await ready(follower)
        while not await ready(follower):
            assert clock.now() == EPOCH
            await asyncio.sleep(0.02)
        assert clock.now() == NOON + timedelta(hours=4)


async def test_before_the_first_word_time_stands_at_the_epoch(set_: KernelSettings) -> None:
    async with following(set_) as (clock, follower):
        while not await ready(follower):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert clock.now() == EPOCH


async def test_time_never_goes_back(set_: KernelSettings) -> None:
    async with SimulatedClock(set_) as told, following(set_) as (clock, _):
        await told.advance(NOON)
        await told.advance(NOON - timedelta(days=1))
        assert told.now == NOON
        await until(lambda: clock.now() == NOON)


async def test_a_simulation_that_comes_back_goes_on_from_the_last_time(
    set_: KernelSettings,
) -> None:
    async with SimulatedClock(set_) as told:
        await told.advance(NOON)
    async with SimulatedClock(set_) as again:
        assert again.now == NOON


async def test_what_is_no_time_is_passed_over(set_: KernelSettings) -> None:
    async with SimulatedClock(set_) as told, following(set_) as (clock, _):
        await told.advance(NOON)
        async with producer(set_, "test") as kafka:
            await kafka.send_and_wait(set_.topic_prefix + CLOCK_TOPIC, key=b"clock", value=b"{}")
        await told.advance(NOON + timedelta(hours=1))
        await until(lambda: clock.now() == NOON + timedelta(hours=1))


async def test_without_a_broker_it_keeps_trying_and_is_not_ready() -> None:
    nowhere = settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    async with following(nowhere) as (_, follower):
        await asyncio.sleep(0.5)
        assert not await ready(follower)


async def test_a_time_that_nobody_was_told_is_told_by_the_next_attempt(
    set_: KernelSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SimulatedClock(set_) as told, following(set_) as (clock, _):

        async def lost(*_: object, **__: object) -> None:
            raise KafkaConnectionError("gone")

        with monkeypatch.context() as broken:
            broken.setattr(told._producer, "send_and_wait", lost)
            with pytest.raises(KafkaConnectionError):
                await told.advance(NOON)
        await told.advance(NOON)
        await until(lambda: clock.now() == NOON)
