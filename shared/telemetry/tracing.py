"""Traces: one citizen's flow is one trace, through HTTP, outbox, Kafka and handlers.

Trace ids are always valid, so logs and ``traceparent`` work without a collector. Only with an
endpoint is the SDK imported and anything recorded or sent. Spans never carry exception messages:
those of a database quote values.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from shared.telemetry.unrecorded import UnrecordedTracerProvider

Kind = SpanKind
Attributes = Mapping[str, AttributeValue]

_W3C = TraceContextTextMapPropagator()
_TRACER = "madoguchi"


@dataclass(frozen=True, slots=True)
class Tracing:
    """The tracer of one process; ``provider`` is the SDK's when spans are sent."""

    provider: trace.TracerProvider

    def close(self) -> None:
        """Send what is still waiting; returns when sent or after the exporter's time-out."""
        shutdown = getattr(self.provider, "shutdown", None)
        if shutdown is not None:
            shutdown()


def configure_tracing(
    *, service: str, role: str, endpoint: str | None = None, ratio: float = 1.0
) -> Tracing:
    """Set up tracing for this process, once, from its composition root.

    ``endpoint`` is the base URL of an OTLP/HTTP collector; ``ratio`` (0–1) is the part of new
    traces that is recorded, while a caller's own decision is followed.
    """
    if endpoint is None:
        provider: trace.TracerProvider = UnrecordedTracerProvider()
    else:
        # Imported here: the SDK and the exporter cost 170 ms that most processes can save.
        from shared.telemetry.otlp import exporting_provider  # noqa: PLC0415

        provider = exporting_provider(service=service, role=role, endpoint=endpoint, ratio=ratio)
    trace.set_tracer_provider(provider)
    return Tracing(provider)


def current_traceparent() -> str | None:
    """The W3C ``traceparent`` of the span at work, or None outside any span."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    trace_id, span_id = context.trace_id, context.span_id
    return f"00-{trace_id:032x}-{span_id:016x}-{context.trace_flags:02x}"


def current_ids() -> tuple[str, str] | None:
    """Trace id and span id (hexadecimal) of the span at work, or None outside any span."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)


@contextmanager
def span(
    name: str,
    *,
    parent: str | None = None,
    kind: Kind = Kind.INTERNAL,
    attributes: Attributes | None = None,
    links: Sequence[str] = (),
) -> Iterator[Span]:
    """Work inside a span; it is current until the block ends.

    ``parent`` is a ``traceparent`` from a message or header; without it the current span is the
    parent. ``links`` are traceparents of what a batch also works for. A malformed traceparent
    counts as none. An exception marks the span with its type and goes on.
    """
    tracer = trace.get_tracer(_TRACER)
    context = _context(parent) if parent else None
    with tracer.start_as_current_span(
        name,
        context=context,
        kind=kind,
        attributes=attributes,
        links=[link for each in links if (link := _link(each))],
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__qualname__))
            current.set_attribute("error.type", type(error).__qualname__)
            raise


def messaging_attributes(
    operation: Literal["send", "receive", "process", "settle"],
    topic: str,
    *,
    group: str | None = None,
    partition: int | None = None,
    offset: int | None = None,
    key: str | None = None,
    message_id: str | None = None,
    batch: int | None = None,
) -> dict[str, AttributeValue]:
    """Span attributes of Kafka work, by the OpenTelemetry messaging conventions.

    Source: OpenTelemetry semantic conventions, "Messaging spans" and "Kafka". ``key`` is a case
    or site id, ``batch`` a number of messages.
    """
    named: dict[str, AttributeValue | None] = {
        "messaging.system": "kafka",
        "messaging.operation.type": operation,
        "messaging.operation.name": operation,
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": None if partition is None else str(partition),
        "messaging.consumer.group.name": group,
        "messaging.kafka.offset": offset,
        "messaging.kafka.message.key": key,
        "messaging.message.id": message_id,
        "messaging.batch.message_count": batch,
    }
    return {name: value for name, value in named.items() if value is not None}


def _context(traceparent: str) -> Context:
    return _W3C.extract({"traceparent": traceparent}, context=Context())


def _link(traceparent: str) -> Link | None:
    context = trace.get_current_span(_context(traceparent)).get_span_context()
    return Link(context) if context.is_valid else None
