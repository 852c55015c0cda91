"""Events per second from outbox commit to handled effect, and the latency of one event.

Everything runs on this machine: writer, relay and consumer (a process each), Kafka, PostgreSQL.
Baselines of the same run: bare aiokafka produce and consume of the same records, and the same
pipeline with one transaction per message.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import quantiles

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from shared.db import Database
from shared.ids import CaseId
from shared.messaging.kafka import consumer, producer
from shared.messaging.topics import ensure_topics
from shared.migrate import KERNEL, migrate
from tests.benchmarks.parts import Parts, parts
from tests.benchmarks.report import Figure, report
from tests.support import steps
from tests.support.messaging import StepTaken, case, record, settings
from tests.support.workers import House, house

EVENTS = 60_000
EVENTS_ONE_BY_ONE = 3_000
PER_TRANSACTION = 100
RATE = 200
LATENCY_SECONDS = 20


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float
    longest: float


async def main() -> None:
    """Run all and report."""
    async with parts() as running:
        bare_rate = await bare_throughput(running)
        bare = await bare_latency(running)
        one_by_one = await throughput(running, "one", EVENTS_ONE_BY_ONE, batch=1)
        batched = await throughput(running, "many", EVENTS, batch=2000)
        ours = await latency(running, "alone")
        poisoned = await latency(running, "poisoned", poison=True)
    report(
        "messaging",
        [
            Figure("commit to effect, beside bare Kafka", batched, "events/s", bare_rate),
            Figure("commit to effect, beside one by one", batched, "events/s", one_by_one),
            Figure(f"latency p50 at {RATE}/s, beside bare Kafka", ours.p50, "ms", bare.p50),
            Figure(f"latency p99 at {RATE}/s, beside bare Kafka", ours.p99, "ms", bare.p99),
            Figure(
                "longest wait behind poison, beside without", poisoned.longest, "ms", ours.longest
            ),
        ],
    )


async def throughput(running: Parts, name: str, events: int, *, batch: int) -> float:
    """Events per second from the first commit to the last effect."""
    url = await running.database(name)
    await migrate(url, [("kernel", KERNEL)])
    database = await Database.connect(url, application="bench")
    async with house(database, url, running.kafka.bootstrap) as home:
        await home.start("relay")
        await home.start("consume", batch)
        await _warm(home)
        cases = [case() for _ in range(events // 10)]
        started = time.perf_counter()
        await _write(home, cases, events)
        await _until(database, events + 1)
        seconds = time.perf_counter() - started
    await database.close()
    return events / seconds


async def _write(home: House, cases: list[CaseId], events: int) -> None:
    numbers = range(0, events, PER_TRANSACTION)
    for first in numbers:
        await home.publish(
            StepTaken(case_id=cases[n % len(cases)], step=n // len(cases))
            for n in range(first, first + PER_TRANSACTION)
        )


async def latency(running: Parts, name: str, *, poison: bool = False) -> Latency:
    """Commit to effect of single events at a steady rate.

    With ``poison`` every tenth event belongs to a key that fails; only the others are counted.
    """
    url = await running.database(name)
    await migrate(url, [("kernel", KERNEL)])
    database = await Database.connect(url, application="bench")
    async with house(database, url, running.kafka.bootstrap) as home:
        await home.start("relay")
        await home.start("consume", 2000)
        await _warm(home)
        committed: dict[CaseId, float] = {}
        bad, sent = case(), 0
        await steps.poison(database, bad, 0)

        async def send() -> None:
            nonlocal sent
            sent += 1
            if poison and sent % 10 == 0:
                await home.publish_steps([bad], 0)
                return
            case_id = case()
            await home.publish_steps([case_id], 0)
            committed[case_id] = time.time()

        await _steadily(send)
        await _until(database, len(committed) + 1)
        async with database.reader() as conn:
            rows = await conn.fetch(
                "SELECT case_id, extract(epoch FROM at)::float8 AS at FROM effect"
            )
    await database.close()
    return _latency([r["at"] - committed[r["case_id"]] for r in rows if r["case_id"] in committed])


async def bare_throughput(running: Parts) -> float:
    """The same records through aiokafka alone, produced and consumed in this process."""
    async with _bare(running) as (kafka_in, kafka_out, topic):
        records = [record(StepTaken(case_id=case(), step=0), n) for n in range(EVENTS)]
        started = time.perf_counter()
        sending = asyncio.create_task(_produce(kafka_in, topic, records))
        seen = 0
        while seen < EVENTS:
            polled = await kafka_out.getmany(timeout_ms=500, max_records=2000)
            seen += sum(map(len, polled.values()))
        await sending
        return EVENTS / (time.perf_counter() - started)


async def bare_latency(running: Parts) -> Latency:
    """Send to poll of single records at the same steady rate."""
    async with _bare(running) as (kafka_in, kafka_out, topic):
        sent: dict[bytes, float] = {}
        taken: list[float] = []

        async def receive() -> None:
            async for polled in kafka_out:
                taken.append(time.time() - sent[polled.key])  # noqa: PERF401  it never ends

        async def send() -> None:
            one = record(StepTaken(case_id=case(), step=0), 0)
            sent[one.key] = time.time()
            await kafka_in.send(topic, value=one.value, key=one.key, headers=list(one.headers))

        receiving = asyncio.create_task(receive())
        await _steadily(send)
        await asyncio.sleep(1)
        receiving.cancel()
        return _latency(taken)


@asynccontextmanager
async def _bare(
    running: Parts,
) -> AsyncIterator[tuple[AIOKafkaProducer, AIOKafkaConsumer, str]]:
    set_ = settings(
        kafka_bootstrap_servers=running.kafka.bootstrap, topic_prefix=f"b{time.time_ns()}."
    )
    await ensure_topics(set_, ())
    kafka_in = producer(set_, "bare")
    kafka_out = consumer(set_, StepTaken.topic, group="bare", max_poll_records=2000)
    await kafka_in.start()
    await kafka_out.start()
    try:
        yield kafka_in, kafka_out, set_.topic_prefix + StepTaken.topic
    finally:
        await kafka_out.stop()
        await kafka_in.stop()


async def _produce(
    kafka_in: AIOKafkaProducer, topic: str, records: Sequence[ConsumerRecord]
) -> None:
    for first in range(0, len(records), 1000):
        sent = [
            await kafka_in.send(topic, value=r.value, key=r.key, headers=list(r.headers))
            for r in records[first : first + 1000]
        ]
        await asyncio.gather(*sent)


async def _steadily(send: Callable[[], Awaitable[None]]) -> None:
    started = time.perf_counter()
    tasks = []
    for number in range(RATE * LATENCY_SECONDS):
        await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
        tasks.append(asyncio.ensure_future(send()))
    await asyncio.gather(*tasks)


async def _warm(home: House) -> None:
    await home.publish_steps([case()], 0)
    await _until(home.database, 1)


async def _until(database: Database, effects: int) -> None:
    async with database.reader() as conn:
        while await conn.fetchval("SELECT count(*) FROM effect") < effects:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _latency(seconds: Sequence[float]) -> Latency:
    cuts = quantiles(seconds, n=100)
    return Latency(p50=cuts[49] * 1000, p99=cuts[98] * 1000, longest=max(seconds) * 1000)


if __name__ == "__main__":
    uvloop.run(main())
