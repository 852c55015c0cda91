"""What a relay and a consumer tell of themselves is true: readiness names what is missing, and the
figures say what was published, handled, seen twice and left to read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from deploy.embedded.kafka import EmbeddedKafka
from deploy.embedded.ports import free_port
from shared.db import Database
from shared.http.ops import findings
from shared.messaging.consumer import Consumer
from shared.messaging.kafka import connected
from shared.messaging.relay import Relay
from shared.messaging.retrier import Retrier
from tests.conftest import DatabaseMaker
from tests.support import steps
from tests.support.messaging import StepTaken, case, metrics, record, settings
from tests.support.workers import House, house

TOPIC = StepTaken.topic


@pytest.fixture
async def home(make_database: DatabaseMaker, kafka: EmbeddedKafka) -> AsyncIterator[House]:
    url = await make_database()
    database = await Database.connect(url, application="test")
    async with house(database, url, kafka.bootstrap) as made:
        yield made
    await database.close()


async def until(done: Callable[[], object]) -> None:
    """Wait for what other tasks do; the test's time-out bounds it."""
    while not done():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("gather", [0.0, 0.05])
async def test_relay_and_consumer_tell_what_they_did_and_what_is_left(
    home: House, gather: float
) -> None:
    set_ = settings(
        kafka_bootstrap_servers=home.bootstrap, topic_prefix=home.prefix, gather_seconds=gather
    )
    figures = metrics()
    value = figures.registry.get_sample_value
    cases = [case() for _ in range(20)]
    await home.publish_steps(cases, 0)
    relay = asyncio.create_task(Relay(steps.ROOM, home.url, set_, figures).run())
    processor = steps.processor(home.database, figures, home.prefix)
    consumer = Consumer(processor, set_, figures)
    consuming = asyncio.create_task(consumer.run())
    try:
        await until(lambda: value("madoguchi_relay_published_total") == 20)
        await until(
            lambda: (
                value(
                    "madoguchi_messages_handled_total",
                    {"type": StepTaken.type, "outcome": "handled"},
                )
                == 20
            )
        )
        await until(lambda: value("madoguchi_outbox_unpublished") == 0)
        lags = [{"topic": home.prefix + TOPIC, "partition": str(number)} for number in range(12)]
        await until(lambda: all(value("madoguchi_consumer_lag", lag) == 0 for lag in lags))
        assert (await findings({"kafka": connected(consumer, set_)}))["kafka"].ok
    finally:
        for task in (relay, consuming):
            task.cancel()
        await asyncio.wait([relay, consuming])
    found = await findings({"kafka": connected(consumer, set_)})
    assert found["kafka"].why == "not connected"


async def test_a_message_seen_twice_is_counted(home: House) -> None:
    figures = metrics()
    processor = steps.processor(home.database, figures)
    batch = [record(StepTaken(case_id=case(), step=0), number) for number in range(5)]
    await processor.handle_batch(batch)
    await processor.handle_batch(batch)
    assert figures.registry.get_sample_value("madoguchi_inbox_duplicates_total") == 5


async def test_what_was_rolled_back_is_not_counted_and_every_end_is(home: House) -> None:
    figures = metrics()
    processor = steps.processor(home.database, figures)
    consumer = Consumer(processor, settings(), figures)
    retrier = Retrier(processor, settings(), figures)
    bad, good = case(), case()
    await steps.poison(home.database, bad, 0)
    batch = [record(StepTaken(case_id=c, step=n), n) for n, c in enumerate((bad, good, bad, good))]
    await consumer.handle(batch)
    while await retrier.work_one():
        pass
    await steps.heal(home.database)

    def ended(outcome: str) -> float | None:
        labels = {"type": StepTaken.type, "outcome": outcome}
        return figures.registry.get_sample_value("madoguchi_messages_handled_total", labels)

    assert (ended("handled"), ended("parked"), ended("dead")) == (2, 2, 1)


async def test_without_kafka_or_postgresql_readiness_names_it(kafka: EmbeddedKafka) -> None:
    nowhere = settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    away = await Database.connect(f"postgresql://127.0.0.1:{free_port()}/none", application="test")
    relay = Relay(steps.ROOM, "postgresql://127.0.0.1:1/none", nowhere, metrics())
    found = await findings({"kafka": connected(relay, nowhere), "postgresql": away.ping})
    assert not found["kafka"].ok
    assert not found["postgresql"].ok
    assert found["kafka"].why == found["postgresql"].why == "ConnectionRefusedError"
    # One server of several is enough; who does not work with it is not ready all the same.
    some = settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()},{kafka.bootstrap}")
    assert (await findings({"kafka": connected(relay, some)}))["kafka"].why == "not connected"
    await away.close()


async def test_an_outbox_without_a_broker_tells_its_backlog(
    make_database: DatabaseMaker,
) -> None:
    url = await make_database()
    database = await Database.connect(url, application="test")
    figures = metrics()
    nowhere = settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    home = House(database, url, nowhere.kafka_bootstrap_servers, "")
    await home.publish_steps([case() for _ in range(4)], 0)
    relay = asyncio.create_task(Relay(steps.ROOM, url, nowhere, figures).run())
    await until(lambda: figures.registry.get_sample_value("madoguchi_outbox_unpublished") == 4)
    relay.cancel()
    await asyncio.wait([relay])
    await database.close()
