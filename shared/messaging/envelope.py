"""CloudEvents 1.0 in the Kafka binary binding: attributes are ``ce_`` headers, the value is data.

The trace context travels as the plain W3C ``traceparent`` header, where every OpenTelemetry
instrumentation looks for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import ValidationError

from shared.contracts.base import Event

E = TypeVar("E", bound=Event, covariant=True)
Headers = list[tuple[str, bytes]]
CONTENT_TYPE = b"application/json"


class UndecodableMessageError(Exception):
    """A record is not a CloudEvent of its contract; the text says why, without its content."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A CloudEvent ready for the wire; ``sequence`` counts per source and subject."""

    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    sequence: int
    traceparent: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Message(Generic[E]):
    """A decoded event and where it lay. ``time`` is business time, in UTC."""

    id: UUID
    type: str
    source: str
    subject: str
    time: datetime
    sequence: int
    traceparent: str | None
    data: E
    topic: str
    partition: int
    offset: int


def encode(envelope: Envelope) -> tuple[bytes, Headers, bytes]:
    """The Kafka key, headers and value of ``envelope``."""
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(envelope.id).encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_time", _rfc3339(envelope.time).encode()),
        ("ce_sequence", b"%d" % envelope.sequence),
        ("content-type", CONTENT_TYPE),
    ]
    if envelope.traceparent:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return envelope.subject.encode(), headers, envelope.data


def readable(raw: bytes | None) -> str:
    """A key's or header's text whatever was sent: a null is empty, and what UTF-8 or PostgreSQL
    cannot hold becomes U+FFFD. A record must be parkable above all.
    """
    return (raw or b"").decode("utf-8", "replace").replace("\x00", "\ufffd")


def type_of(headers: Iterable[tuple[str, bytes | None]]) -> str | None:
    """The CloudEvents type, or ``None`` where a record does not carry one."""
    for name, value in headers:
        if name == "ce_type":
            return readable(value)
    return None


def decode(
    model: type[E],
    headers: Iterable[tuple[str, bytes | None]],
    value: bytes | None,
    *,
    topic: str,
    partition: int,
    offset: int,
) -> Message[E]:
    """Read a record as an event of ``model``.

    Raises ``UndecodableMessageError`` for a missing or malformed attribute or body. The reason
    names fields and rules only: a body we cannot read may hold what must never be logged.
    """
    attributes = {name: readable(raw) for name, raw in headers}
    try:
        traceparent = attributes.get("traceparent")
        return Message(
            id=UUID(attributes["ce_id"]),
            type=attributes["ce_type"],
            source=attributes["ce_source"],
            subject=attributes["ce_subject"],
            time=datetime.fromisoformat(attributes["ce_time"]).astimezone(UTC),
            sequence=int(attributes.get("ce_sequence", "0")),
            traceparent=traceparent,
            data=model.model_validate_json(value or b""),
            topic=topic,
            partition=partition,
            offset=offset,
        )
    except KeyError as error:
        raise UndecodableMessageError(f"header {error} is missing") from None
    except ValidationError as error:
        raise UndecodableMessageError(rules_broken(error)) from None
    except ValueError:
        raise UndecodableMessageError(_malformed(attributes)) from None


def rules_broken(error: ValidationError) -> str:
    """Fields and rules, never the values."""
    broken = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['type']}" for e in broken)


def _malformed(attributes: Mapping[str, str]) -> str:
    return f"ce_id, ce_time or ce_sequence is malformed (type {attributes.get('ce_type')})"


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
