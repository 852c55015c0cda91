"""Spans that are never recorded but have valid ids.

Behaves as the SDK with its sampler always off: a child keeps the trace id of its parent, a root
gets a new one, and the sampled flag stays clear for new traces. It needs only the OpenTelemetry
API, so a process without a collector does not import the SDK at all.
"""

from collections.abc import Iterator
from random import SystemRandom
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags
from opentelemetry.util._decorator import _agnosticcontextmanager


class UnrecordedTracerProvider(trace.TracerProvider):
    """Gives the same tracer to everybody."""

    def __init__(self) -> None:
        self._tracer = UnrecordedTracer()

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        """The one tracer; names and versions matter only to what is recorded."""
        return self._tracer


class UnrecordedTracer(trace.Tracer):
    """Draws ids from the system's random source: trace ids must not repeat after a fork."""

    def __init__(self) -> None:
        self._random = SystemRandom()

    def start_span(self, name: str, context: Context | None = None, *_: Any, **__: Any) -> Span:
        """A span of the current trace, or of a new one."""
        parent = trace.get_current_span(context).get_span_context()
        return NonRecordingSpan(
            SpanContext(
                trace_id=parent.trace_id if parent.is_valid else self._id(128),
                span_id=self._id(64),
                is_remote=False,
                trace_flags=parent.trace_flags if parent.is_valid else TraceFlags(0),
                trace_state=parent.trace_state,
            )
        )

    @_agnosticcontextmanager
    def start_as_current_span(
        self, name: str, context: Context | None = None, *_: Any, **__: Any
    ) -> Iterator[Span]:
        """As ``start_span``, and current until the block ends."""
        with trace.use_span(self.start_span(name, context)) as current:
            yield current

    def _id(self, bits: int) -> int:
        return self._random.getrandbits(bits) or 1
