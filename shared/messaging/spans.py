"""Spans for messages whose trace is recorded; the others cost one look at a flag.

A batch works for many traces at once, so every message gets a span of its own that continues
the trace stored with the event, and what a handler emits continues that span.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.messaging.envelope import Message
from shared.telemetry.tracing import Attributes, messaging_attributes

_W3C = TraceContextTextMapPropagator()


@contextmanager
def processing(consumer: str, messages: Sequence[Message[Any]]) -> Iterator[Mapping[UUID, str]]:
    """Process spans of ``messages`` until the block ends: event id → ``traceparent``.

    A message that is alone has its span current, so that logs carry its trace.
    """
    spans = {m.id: _process_span(consumer, m) for m in messages if _recorded(m.traceparent)}
    try:
        if len(messages) == 1 and spans:
            with trace.use_span(spans[messages[0].id], record_exception=False):
                yield {id_: _traceparent(span) for id_, span in spans.items()}
        else:
            yield {id_: _traceparent(span) for id_, span in spans.items()}
    finally:
        for span in spans.values():
            span.end()


def sending(topic: str, key: str, traceparent: str | None) -> Callable[[], None] | None:
    """A send span for an outbox row whose trace is recorded; call what is returned to end it."""
    if not _recorded(traceparent):
        return None
    attributes = messaging_attributes("send", topic, key=key)
    return _start(f"send {topic}", traceparent, SpanKind.PRODUCER, attributes).end


def _process_span(consumer: str, message: Message[Any]) -> Span:
    attributes = messaging_attributes(
        "process",
        message.topic,
        group=consumer,
        partition=message.partition,
        offset=message.offset,
        key=message.subject,
        message_id=str(message.id),
    )
    return _start(f"process {message.type}", message.traceparent, SpanKind.CONSUMER, attributes)


def _start(name: str, traceparent: str | None, kind: SpanKind, attributes: Attributes) -> Span:
    context = _W3C.extract({"traceparent": traceparent or ""})
    tracer = trace.get_tracer("madoguchi")
    return tracer.start_span(name, context=context, kind=kind, attributes=attributes)


def _traceparent(span: Span) -> str:
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, context=trace.set_span_in_context(span))
    return carrier["traceparent"]


def _recorded(traceparent: str | None) -> bool:
    # The last field holds flags, of which "sampled" is the lowest bit.
    return traceparent is not None and traceparent[-1:] in tuple("13579bdf")
