"""Handling a batch of records: claims, handlers and parking in one transaction.

Either every record of the batch is accounted for (handled, known already, not ours, or parked
behind an earlier failure of its key), or the transaction leaves no trace and the error is raised.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka.structs import ConsumerRecord

from shared.messaging import inbox, parking
from shared.messaging.envelope import Message, decode, type_of
from shared.messaging.spans import processing
from shared.messaging.subscriptions import Subscription, heard, waves
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from shared.unit import Unit, Units

MessageAny = Message[Any]
Tally = Counter[tuple[str, str]]
"""Messages by type and outcome."""


class Processor:
    """What one consumer does with records; holds no state between batches."""

    def __init__(
        self,
        consumer: str,
        units: Units,
        subscriptions: Iterable[Subscription],
        *,
        metrics: Metrics,
        topic_prefix: str = "",
    ) -> None:
        self.consumer = consumer
        self.units = units
        self._metrics = metrics
        self._prefix = topic_prefix
        self._table = heard(subscriptions)
        self._principal = Principal.system(consumer)

    @property
    def topics(self) -> list[str]:
        """The topics heard, without the prefix."""
        return sorted({topic for topic, _ in self._table})

    async def handle_batch(self, records: Sequence[ConsumerRecord]) -> None:
        """Handle records as they came from Kafka; those of a parked key join the parked."""
        async with self.units.begin(self._principal) as unit:
            subjects = [parking.subject_of(record) for record in records]
            parked = await parking.parked_among(unit.conn, self.consumer, subjects)
            if parked:
                behind = [r for r, s in zip(records, subjects, strict=True) if s in parked]
                behind = self._ours(behind)
                await parking.park(unit.conn, self.consumer, behind)
                records = [r for r, s in zip(records, subjects, strict=True) if s not in parked]
            done = await self.handle(unit, records)
        if parked:
            done += self.tally("parked", behind)
        self.count(done)

    async def handle(self, unit: Unit, records: Sequence[ConsumerRecord]) -> Tally:
        """Claim and handle ``records`` in the caller's unit; ``count`` the tally after its commit.

        Raises ``UndecodableMessageError`` and whatever a handler raises.
        """
        messages = [self._decode(record) for record in self._ours(records)]
        if not messages:
            return Counter()
        fresh = await self._claim(unit, messages)
        with processing(self.consumer, fresh) as spans:
            unit.process_spans = spans
            for kind, group in waves(fresh, self._group_of):
                await self._run(unit, kind, group)
        handled = Counter((message.type, "handled") for message in fresh)
        heard = Counter((message.type, "duplicate") for message in messages)
        heard.subtract(Counter((message.type, "duplicate") for message in fresh))
        return handled + heard

    def tally(self, outcome: str, records: Iterable[ConsumerRecord]) -> Tally:
        """How ``records`` ended, of those this consumer hears."""
        return Counter((type_of(r.headers) or "", outcome) for r in self._ours(list(records)))

    def count(self, done: Tally) -> None:
        """Add what has been committed to the figures."""
        for (kind, outcome), number in done.items():
            self._metrics.messages_handled.labels(kind, outcome).inc(number)
            if outcome == "duplicate":
                self._metrics.inbox_duplicates.inc(number)

    def _ours(self, records: Sequence[ConsumerRecord]) -> list[ConsumerRecord]:
        return [r for r in records if (self._plain(r.topic), type_of(r.headers)) in self._table]

    def _decode(self, record: ConsumerRecord) -> MessageAny:
        topic = self._plain(record.topic)
        subscription = self._table[topic, type_of(record.headers) or ""]
        return decode(
            subscription.event_type,
            record.headers,
            record.value,
            topic=topic,
            partition=record.partition,
            offset=record.offset,
        )

    async def _claim(self, unit: Unit, messages: Sequence[MessageAny]) -> list[MessageAny]:
        claimed = await inbox.claim(unit.conn, self.consumer, (m.id for m in messages))
        fresh = []
        for message in messages:
            if message.id in claimed:
                claimed.discard(message.id)
                fresh.append(message)
        return fresh

    def _group_of(self, message: MessageAny) -> str:
        return self._table[message.topic, message.type].group

    async def _run(self, unit: Unit, kind: str, group: Sequence[MessageAny]) -> None:
        subscription = self._table[group[0].topic, group[0].type]
        started = time.perf_counter()
        await subscription.handler(unit, group)
        self._metrics.handler_seconds.labels(kind).observe(time.perf_counter() - started)

    def _plain(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)
