"""What messaging tests share: a tiny event, units on a test database, records as polled."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from aiokafka.structs import ConsumerRecord

from shared.clock import FixedClock
from shared.contracts.base import CaseEvent, Event
from shared.db import Database
from shared.ids import CaseId, new_id
from shared.messaging.envelope import Envelope, Message, encode
from shared.settings import KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Units

NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


class StepTaken(CaseEvent):
    """A test's own event: the n-th thing that happened to a case."""

    type = "test.step_taken.v1"
    topic = "preparation.events"

    step: int


def settings(**values: object) -> KernelSettings:
    """Settings of a test process; retries come fast."""
    return KernelSettings(**{"retry_seconds": (0.0, 0.0, 0.0)} | values)  # type: ignore[arg-type]


def metrics() -> Metrics:
    """Figures of a test process."""
    return Metrics(service="test", role="test")


def units(database: Database, room: str = "testing") -> Units:
    """Units at noon of a business day."""
    return Units(database, room=room, source=f"/141305/{room}", clock=FixedClock(NOON))


def case() -> CaseId:
    """A new case."""
    return CaseId(new_id())


def record(
    event: Event,
    offset: int,
    *,
    id_: UUID | None = None,
    topic: str | None = None,
    time: datetime | None = None,
) -> ConsumerRecord:
    """``event`` as the consumer polls it."""
    key, headers, value = encode(
        Envelope(
            id=id_ or new_id(),
            source="/141305/preparation",
            type=event.type,
            subject=event.subject,
            time=time or NOON,
            sequence=offset + 1,
            traceparent=None,
            data=event.model_dump_json().encode(),
        )
    )
    return raw_record(key, headers, value, offset, topic or event.topic)


def raw_record(
    key: bytes, headers: Sequence[tuple[str, bytes]], value: bytes, offset: int, topic: str
) -> ConsumerRecord:
    """Any bytes as the consumer polls them."""
    return ConsumerRecord(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key),
        serialized_value_size=len(value),
        headers=tuple(headers),
    )


def steps(messages: Sequence[Message[StepTaken]]) -> list[int]:
    """The steps told by ``messages``."""
    return [message.data.step for message in messages]
