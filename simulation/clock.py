"""The simulation's clock: the only publisher of ``clock.events``.

Time is told, not asked for: every ``advance`` is an event that all rooms follow, and ``reached``
returns when they have.
"""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import httpx
from aiokafka import AIOKafkaProducer, TopicPartition

from shared.contracts.clock import ClockAdvanced
from shared.ids import new_id
from shared.messaging.envelope import Envelope, decode, encode
from shared.messaging.kafka import consumer, producer
from shared.messaging.topics import CLOCK_TOPIC
from shared.settings import KernelSettings

PATIENCE = 120.0
"""Seconds that the rooms may take to hear the time; a loaded machine may need many."""


class SimulatedClock:
    """Business time as this simulation tells it; use as an async context manager."""

    def __init__(self, settings: KernelSettings) -> None:
        self._settings = settings
        self._topic = settings.topic_prefix + CLOCK_TOPIC
        self._producer: AIOKafkaProducer = producer(settings, "madoguchi-simulation")
        self._sequence = 0
        self.now = datetime.fromtimestamp(0, UTC)

    async def __aenter__(self) -> "SimulatedClock":
        """Connect, and go on from the last time told."""
        await self._producer.start()
        await self._recall()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect; the rooms keep the last time told."""
        await self._producer.stop()

    async def advance(self, to: datetime) -> None:
        """Tell everybody that it is ``to`` now; time never goes back, so an earlier one is not."""
        if to <= self.now:
            return
        at, sequence = to.astimezone(UTC), self._sequence + 1
        event = ClockAdvanced(now=at)
        key, headers, value = encode(
            Envelope(
                id=new_id(),
                source=self._settings.source("simulation"),
                type=event.type,
                subject=event.subject,
                time=at,
                sequence=sequence,
                traceparent=None,
                data=event.model_dump_json().encode(),
            )
        )
        await self._producer.send_and_wait(self._topic, value=value, key=key, headers=headers)
        # Only now: what nobody was told is told by the next attempt.
        self.now, self._sequence = at, sequence

    async def run(self, every: timedelta = timedelta(seconds=1), speed: float = 1.0) -> None:
        """Let time pass at ``speed`` until cancelled, telling it ``every`` so often."""
        while True:
            await asyncio.sleep(every.total_seconds())
            await self.advance(self.now + every * speed)

    async def _recall(self) -> None:
        kafka = consumer(self._settings, group=None)
        await kafka.start()
        try:
            partition = TopicPartition(self._topic, 0)
            kafka.assign([partition])
            self._sequence = (await kafka.end_offsets([partition]))[partition]
            if self._sequence:
                kafka.seek(partition, self._sequence - 1)
                record = await kafka.getone()
                told = decode(
                    ClockAdvanced,
                    record.headers,
                    record.value,
                    topic=CLOCK_TOPIC,
                    partition=0,
                    offset=record.offset,
                )
                self.now = told.data.now
        finally:
            await kafka.stop()


class ClockNotFollowedError(Exception):
    """The rooms do not take the time from the simulation."""


async def reached(http: httpx.AsyncClient, apis: Iterable[str], at: datetime) -> None:
    """Return when every process behind ``apis`` has heard that it is ``at`` or later.

    Raises ``ClockNotFollowedError`` when one has not after ``PATIENCE`` seconds.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            for base in apis:
                # The rooms hear it from Kafka; only asking tells when.
                while await _time_of(http, base) < at.timestamp():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
    except TimeoutError:
        raise ClockNotFollowedError(
            "The running services keep the real time. Stop them with `madoguchi down`, or give "
            "the demo ports and a folder of its own: MADOGUCHI_PORT_OFFSET=1000 and --data DIR"
        ) from None


async def _time_of(http: httpx.AsyncClient, base: str) -> float:
    answer = await http.get(f"{base}/timez")
    return float(answer.raise_for_status().json()["now"])
