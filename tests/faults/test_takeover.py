"""Workers die, the broker dies: every event is still handled once, and in order per key."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.ports import free_ports
from shared.db import Database
from shared.ids import CaseId
from shared.messaging.relay import Relay
from shared.telemetry.metrics import Metrics
from tests.conftest import JARS, DatabaseMaker
from tests.support import steps
from tests.support.messaging import case, metrics, settings
from tests.support.sizes import proof_size
from tests.support.workers import House, house

ROUNDS = proof_size(12, 60)


@pytest.fixture
async def home(make_database: DatabaseMaker, kafka: EmbeddedKafka) -> AsyncIterator[House]:
    url = await make_database()
    database = await Database.connect(url, application="test")
    async with house(database, url, kafka.bootstrap) as made:
        yield made
    await database.close()


def all_steps(cases: list[CaseId], count: int) -> dict[CaseId, list[int]]:
    return {case_id: list(range(count)) for case_id in cases}


async def walk(home: House, cases: list[CaseId], rounds: range) -> None:
    for number in rounds:
        await home.publish_steps(cases, number)
        await asyncio.sleep(0.05)


async def test_a_killed_relays_shards_and_a_killed_consumers_partitions_are_taken_over(
    home: House,
) -> None:
    cases = [case() for _ in range(50)]
    relays = [await home.start("relay"), await home.start("relay")]
    consumers = [await home.start("consume"), await home.start("consume")]
    await walk(home, cases, range(ROUNDS))
    await home.until(lambda seen: len(seen) == len(cases))
    walking = asyncio.create_task(walk(home, cases, range(ROUNDS, 3 * ROUNDS)))
    await home.kill(relays[0])
    await home.kill(consumers[0])
    await walking
    expected = all_steps(cases, 3 * ROUNDS)
    await home.until(lambda seen: sum(map(len, seen.values())) >= 3 * ROUNDS * len(cases))
    assert await steps.effects(home.database) == expected


async def test_workers_killed_again_and_again_lose_and_double_nothing(home: House) -> None:
    cases = [case() for _ in range(30)]
    relay, consumer = await home.start("relay"), await home.start("consume")
    for number in range(0, ROUNDS, 4):
        await walk(home, cases, range(number, number + 4))
        await asyncio.sleep(0.5)
        await home.kill(relay)
        await home.kill(consumer)
        relay, consumer = await home.start("relay"), await home.start("consume")
    await home.until(lambda seen: sum(map(len, seen.values())) >= ROUNDS * len(cases))
    assert await steps.effects(home.database) == all_steps(cases, ROUNDS)


async def test_a_poisoned_key_keeps_no_other_waiting(home: House) -> None:
    bad, others = case(), [case() for _ in range(40)]
    await steps.poison(home.database, bad, 0)
    await home.start("relay")
    await home.start("consume")
    await walk(home, [bad, *others], range(3))
    await home.until(lambda seen: seen == all_steps(others, 3))
    await steps.heal(home.database)
    async with home.database.transaction() as conn:
        # What `dead-letters replay` does, whether its tries are used up already or not.
        await conn.execute("UPDATE parked SET dead = false, attempt = 0, next_attempt_at = now()")
    await home.until(lambda seen: seen == all_steps([bad, *others], 3))


async def test_a_broker_killed_in_the_middle_loses_nothing(
    make_database: DatabaseMaker, tmp_path: Path
) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", JARS, *free_ports(2))
    await asyncio.to_thread(broker.start)
    url = await make_database()
    database = await Database.connect(url, application="test")
    cases = [case() for _ in range(30)]
    try:
        async with house(database, url, broker.bootstrap) as home:
            await home.start("relay")
            await home.start("consume")
            await walk(home, cases, range(5))
            await home.until(lambda seen: len(seen) == len(cases))
            walking = asyncio.create_task(walk(home, cases, range(5, 15)))
            await asyncio.to_thread(broker.kill)
            await walking
            await asyncio.to_thread(broker.start)
            await home.until(lambda seen: sum(map(len, seen.values())) >= 15 * len(cases))
            assert await steps.effects(database) == all_steps(cases, 15)
    finally:
        await database.close()
        await asyncio.to_thread(broker.stop)


async def figure(figures: Metrics, name: str, value: float) -> None:
    """Wait until a process tells ``value``; it is read, as a scraper does."""
    while figures.registry.get_sample_value(name) != value:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def test_a_relay_that_waits_for_a_dead_broker_tells_so_and_ends_when_told(
    make_database: DatabaseMaker, tmp_path: Path
) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka", JARS, *free_ports(2))
    await asyncio.to_thread(broker.start)
    url = await make_database()
    database = await Database.connect(url, application="test")
    figures = metrics()
    try:
        async with house(database, url, broker.bootstrap) as home:
            set_ = settings(kafka_bootstrap_servers=broker.bootstrap, topic_prefix=home.prefix)
            relay = Relay(steps.ROOM, url, set_, figures)
            running = asyncio.create_task(relay.run())
            await home.publish_steps([case()], 0)
            await figure(figures, "madoguchi_relay_published_total", 1)
            await asyncio.to_thread(broker.kill)
            await home.publish_steps([case() for _ in range(3)], 0)
            await figure(figures, "madoguchi_outbox_unpublished", 3)
            # Without giving up what the broker has not acknowledged, this would never end.
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled()
    finally:
        await database.close()
        await asyncio.to_thread(broker.stop)
