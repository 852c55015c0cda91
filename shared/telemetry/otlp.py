"""Traces sent to a collector by OTLP over HTTP; imported only when an endpoint is set."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio


def exporting_provider(*, service: str, role: str, endpoint: str, ratio: float) -> TracerProvider:
    """A provider that records by ``ratio`` and sends in batches to ``endpoint``/v1/traces."""
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(ratio),
        resource=Resource.create(
            {
                "service.namespace": "madoguchi",
                "service.name": f"madoguchi-{service}",
                "madoguchi.role": role,
            }
        ),
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
