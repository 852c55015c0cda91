"""Replayed time: a process under ``MADOGUCHI_CLOCK=replay`` takes the time from ``clock.events``.

Nothing else moves its clock. A process that runs on the system's clock never reads the topic.
"""

import asyncio
import logging
import time

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from shared.clock import ReplayClock
from shared.contracts.clock import ClockAdvanced
from shared.http.ops import NotReadyError
from shared.messaging.envelope import UndecodableMessageError, decode
from shared.messaging.failure import backoff
from shared.messaging.kafka import consumer
from shared.messaging.topics import CLOCK_TOPIC
from shared.settings import KernelSettings

log = logging.getLogger(__name__)


class ClockFollower:
    """Keeps one process's clock at the latest ``clock.advanced``."""

    def __init__(self, clock: ReplayClock, settings: KernelSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._knows = False

    async def known(self) -> None:
        """A readiness check: the last time told, if any, has been heard.

        A process that answered before would do business at the epoch.
        """
        if not self._knows:
            raise NotReadyError("the time told last has not been heard yet")

    async def run(self) -> None:
        """Follow until cancelled, reconnecting for ever."""
        failures = 0
        while True:
            started = time.monotonic()
            try:
                await self._session()
            except (KafkaError, OSError) as error:
                failures = 0 if time.monotonic() - started > 60 else failures + 1
                log.warning("the clock's topic is not reachable, trying again: %r", error)
                await asyncio.sleep(backoff(failures))

    async def _session(self) -> None:
        kafka = consumer(self._settings, group=None)
        try:
            await kafka.start()
            partition = TopicPartition(self._settings.topic_prefix + CLOCK_TOPIC, 0)
            kafka.assign([partition])
            # The last event tells the time; those before it are history.
            end = (await kafka.end_offsets([partition]))[partition]
            kafka.seek(partition, max(0, end - 1))
            self._knows = self._knows or end == 0
            async for record in kafka:
                self._follow(record)
                self._knows = True
        finally:
            await kafka.stop()

    def _follow(self, record: ConsumerRecord) -> None:
        try:
            message = decode(
                ClockAdvanced,
                record.headers,
                record.value,
                topic=CLOCK_TOPIC,
                partition=record.partition,
                offset=record.offset,
            )
        except UndecodableMessageError as error:
            log.error("clock.events[0]@%d ignored: %s", record.offset, error)
            return
        self._clock.follow(message.data.now)
